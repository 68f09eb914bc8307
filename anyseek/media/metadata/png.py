"""The texts of a PNG (tEXt, zTXt, iTXt): title, author and time of creation."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ...types import Capture
from .dates import exif_date, iso_date, plausible
from .tags import MediaTags, clean_text

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["png_tags"]


def png_tags(image: Image.Image) -> MediaTags:
    """The texts that were read so far; those behind the pixels only once the picture is loaded."""
    if image.format != "PNG":
        return MediaTags()
    created = _moment(image.info.get("Creation Time"))
    return MediaTags(
        capture=Capture(created, "tag") if created else None,
        title=clean_text(image.info.get("Title")),
        artist=clean_text(image.info.get("Author")),
    )


def _moment(text: object) -> datetime | None:
    """RFC 1123, as the standard advises, or ISO 8601 or EXIF's form, as programs write."""
    if not isinstance(text, str):
        return None
    if (moment := iso_date(text) or exif_date(text)) is not None:
        return moment
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if plausible(moment) else None
