"""The tags of a picture: EXIF first, then XMP, IPTC and the texts of a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exif import exif_last_change, exif_tags
from .iptc import iptc_tags
from .png import png_tags
from .tags import MediaTags, merge
from .xmp import xmp_tags

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["image_metadata"]

_XMP_TIFF_TAG = 700


def image_metadata(image: Image.Image) -> MediaTags:
    """Gather what an opened picture carries, without decoding it.

    A PNG may keep its EXIF and its texts behind the pixels: call again once it is loaded.

    Args:
        image: As Pillow (or pillow-heif) opened it.

    Returns:
        Each tag from the first of EXIF, XMP, IPTC and PNG text that has it. EXIF's date of the last change counts only when no
        other date is known.
    """
    packet = _xmp_packet(image)
    xmp = xmp_tags(packet) if packet else MediaTags()
    return merge(exif_tags(image), xmp, iptc_tags(image), png_tags(image), exif_last_change(image))


def _xmp_packet(image: Image.Image) -> bytes | str | None:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if packet is None and hasattr(image, "tag_v2"):
        packet = image.tag_v2.get(_XMP_TIFF_TAG)
    return packet if isinstance(packet, bytes | str) else None
