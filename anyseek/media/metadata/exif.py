"""EXIF 3.0: what cameras write, and the orientation that decides which way is up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...types import Capture
from .dates import exif_date
from .malformed import MALFORMED
from .places import exif_place
from .tags import MediaTags, clean_text, clean_texts

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["camera_name", "exif_last_change", "exif_orientation", "exif_tags"]

_ORIENTATION, _MAKE, _MODEL, _ARTIST, _RATING = 274, 271, 272, 315, 18246
_DATE_TIME, _OFFSET_TIME, _SUBSEC_TIME = 306, 36880, 37520
_TAKEN = ((36867, 36881, 37521), (36868, 36882, 37522))  # DateTimeOriginal, DateTimeDigitized: date, offset, fraction
_XP_TITLE, _XP_AUTHOR, _XP_KEYWORDS = 40091, 40093, 40094
_EXIF_DIRECTORY, _GPS_DIRECTORY = 34665, 34853
_GPS_LATITUDE_REF, _GPS_LATITUDE, _GPS_LONGITUDE_REF, _GPS_LONGITUDE, _GPS_TIME, _GPS_DATE = 1, 2, 3, 4, 7, 29
_LEGAL_FORM = re.compile(r"[ ,]+(?:corporation|corp|company|co|ltd|inc|gmbh|ag|imaging|optical)\b\.?", re.IGNORECASE)

Directory = Mapping[int, Any]


def exif_tags(image: Image.Image) -> MediaTags:
    """The tags in a picture's EXIF, Windows' own (title, author and keywords in UTF-16) among them."""
    base, exif, gps = _directories(image)
    place = exif_place(_get(gps, _GPS_LATITUDE), _get(gps, _GPS_LATITUDE_REF), _get(gps, _GPS_LONGITUDE), _get(gps, _GPS_LONGITUDE_REF))
    rating = _get(base, _RATING)
    taken = _taken(exif, gps)
    return MediaTags(
        capture=Capture(taken, "exif") if taken else None,
        camera=camera_name(_get(base, _MAKE), _get(base, _MODEL)),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        title=clean_text(_utf16(_get(base, _XP_TITLE))),
        artist=clean_text(_get(base, _ARTIST)) or clean_text(_utf16(_get(base, _XP_AUTHOR))),
        rating=rating if isinstance(rating, int) and 0 <= rating <= 5 else None,
        keywords=clean_texts(_utf16(_get(base, _XP_KEYWORDS)).split(";")),
    )


def exif_last_change(image: Image.Image) -> MediaTags:
    """The date of the last change to the picture, which is all that some scanners and screenshots say."""
    base, exif, _ = _directories(image)
    changed = exif_date(_get(base, _DATE_TIME), _get(exif, _OFFSET_TIME), _get(exif, _SUBSEC_TIME))
    return MediaTags(capture=Capture(changed, "exif") if changed else None)


def exif_orientation(image: Image.Image) -> int:
    """1 to 8 as EXIF numbers them; 1 where it is missing or nonsense."""
    base, _, _ = _directories(image)
    value = _get(base, _ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def camera_name(make: object, model: object) -> str | None:
    """``Canon EOS R5`` from ``Canon`` and ``Canon EOS R5``, ``NIKON D850`` from ``NIKON CORPORATION`` and ``NIKON D850``."""
    maker, name = _LEGAL_FORM.sub("", clean_text(make) or "").strip(" ,."), clean_text(model)
    if name is None or not maker:
        return name or maker or None
    return name if name.casefold().startswith(maker.split()[0].casefold()) else f"{maker} {name}"


def _directories(image: Image.Image) -> tuple[Directory, Directory, Directory]:
    from PIL import Image

    data = image.info.get("exif")
    try:
        if isinstance(data, bytes):
            base = Image.Exif()
            base.load(data)
        else:
            base = Image.Image.getexif(image)  # not the PNG reader's own, which decodes the pixels to look behind them
    except MALFORMED:
        return {}, {}, {}
    return base, _directory(base, _EXIF_DIRECTORY), _directory(base, _GPS_DIRECTORY)


def _directory(base: Image.Exif, tag: int) -> Directory:
    try:
        return base.get_ifd(tag)
    except MALFORMED:
        return {}


def _get(directory: Directory, tag: int) -> Any:
    try:
        return directory.get(tag)
    except MALFORMED:
        return None


def _taken(exif: Directory, gps: Directory) -> datetime | None:
    for date, offset, fraction in _TAKEN:
        taken = exif_date(_get(exif, date), _get(exif, offset), _get(exif, fraction))
        if taken is not None:
            return taken
    return _satellite_time(_get(gps, _GPS_DATE), _get(gps, _GPS_TIME))


def _satellite_time(day: object, clock: object) -> datetime | None:
    """GPSDateStamp and GPSTimeStamp, which are UTC."""
    try:
        hour, minute, second = (int(part) for part in clock)  # type: ignore[attr-defined]
    except MALFORMED:
        return None
    moment = exif_date(f"{day} {hour:02}:{minute:02}:{second:02}")
    return moment.replace(tzinfo=UTC) if moment else None


def _utf16(value: object) -> str:
    return value.decode("utf-16-le", "ignore") if isinstance(value, bytes) else ""
