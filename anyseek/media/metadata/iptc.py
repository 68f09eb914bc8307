"""IPTC-IIM 4.2: the records that picture desks and older programs write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...types import Capture
from .dates import iso_date
from .malformed import MALFORMED
from .tags import MediaTags, clean_text, clean_texts

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["iptc_tags", "parse_iim"]

_PHOTOSHOP_RESOURCE = 0x0404
_TIFF_TAG = 33723
_CHARACTER_SET, _TITLE, _KEYWORD, _DATE, _TIME, _BYLINE = (1, 90), (2, 5), (2, 25), (2, 55), (2, 60), (2, 80)
_UTF8 = b"\x1b%G"


def iptc_tags(image: Image.Image) -> MediaTags:
    """The tags of the IIM records in a JPEG's Photoshop block or in a TIFF."""
    return parse_iim(_records_of(image))


def parse_iim(data: bytes) -> MediaTags:
    """The tags of IIM records; reading stops at the first that is malformed.

    Args:
        data: Datasets, each ``1C``, record, number, two bytes of length, value. Texts are UTF-8 where the records say so or
            where they happen to be valid UTF-8, else Latin-1.
    """
    values: dict[tuple[int, int], list[bytes]] = {}
    for key, value in _datasets(data):
        values.setdefault(key, []).append(value)
    marked = values.get(_CHARACTER_SET, [b""])[0] == _UTF8
    texts = {key: [_decode(value, marked) for value in found] for key, found in values.items() if key != _CHARACTER_SET}
    taken = iso_date("T".join(texts[key][0] for key in (_DATE, _TIME) if key in texts))
    return MediaTags(
        capture=Capture(taken, "tag") if taken else None,
        title=clean_text(texts.get(_TITLE, [""])[0]),
        artist=clean_text(", ".join(clean_texts(texts.get(_BYLINE, [])))),
        keywords=clean_texts(texts.get(_KEYWORD, [])),
    )


def _datasets(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        end = at + 5 + length
        if length & 0x8000 or end > len(data):  # the extended form is for embedded objects, which are no tags
            return
        yield (data[at + 1], data[at + 2]), data[at + 5 : end]
        at = end


def _decode(value: bytes, marked_utf8: bool) -> str:
    try:
        return value.decode("utf-8", "replace" if marked_utf8 else "strict")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _records_of(image: Image.Image) -> bytes:
    photoshop = image.info.get("photoshop")
    if isinstance(photoshop, dict) and isinstance(records := photoshop.get(_PHOTOSHOP_RESOURCE), bytes):
        return records
    directory = getattr(image, "tag_v2", None)
    if directory is None:
        return b""
    try:
        value = directory.get(_TIFF_TAG)
        if isinstance(value, int):
            value = (value,)
        if isinstance(value, tuple):  # written as 32-bit numbers by some programs
            return b"".join(int(number).to_bytes(4, "little" if directory.prefix == b"II" else "big") for number in value)
    except MALFORMED:
        return b""
    return value if isinstance(value, bytes) else b""
