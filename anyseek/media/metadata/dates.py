"""Dates as files write them, and which of them cannot be true."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

__all__ = ["exif_date", "iso_date", "plausible"]

_FIRST_PHOTOGRAPH = 1826
_EPOCHS = {date(1904, 1, 1), date(1970, 1, 1)}  # zero in QuickTime and in Unix: a clock that was never set, not a day
_CLOCK_RESETS = {datetime(1980, 1, 1)}

_EXIF = re.compile(r"(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")
_ISO = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})"
    r"(?:[T ]+(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?\s*"
)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})?")


def exif_date(text: object, offset: object = None, subsec: object = None) -> datetime | None:
    """The moment of EXIF's ``YYYY:MM:DD HH:MM:SS``; aware when `offset` (``+02:00``) is given and makes sense.

    Args:
        text: The value of DateTimeOriginal or one of its siblings.
        offset: The value of the matching OffsetTime tag.
        subsec: Decimal fraction of the second, as digits.

    Returns:
        None when it is malformed or cannot be true (``0000:00:00 00:00:00``, an epoch, the future).
    """
    found = _EXIF.match(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    parts = [int(part or 0) for part in found.groups()]
    return _checked(parts, _microseconds(subsec), _zone(offset))


def iso_date(text: object) -> datetime | None:
    """The moment of an ISO 8601 text, with or without separators, fraction and offset; a day alone is its midnight.

    A year or a month alone is no moment: None, as for all that cannot be true.
    """
    found = _ISO.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    parts = [int(part or 0) for part in found.groups()[:6]]
    return _checked(parts, _microseconds(found[7]), _zone(found[8]))


def plausible(moment: datetime) -> bool:
    """Whether something can have been taken then: after the first photograph, not at a clock's zero, not in the future."""
    at = moment.replace(tzinfo=None)
    if at.year < _FIRST_PHOTOGRAPH or at.date() in _EPOCHS or at in _CLOCK_RESETS:
        return False
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)  # a day of grace for unknown time zones
    return at <= tomorrow


def _checked(parts: list[int], microseconds: int, zone: timezone | None) -> datetime | None:
    year, month, day, hour, minute, second = parts
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), microseconds, tzinfo=zone)
    except ValueError:
        return None
    return moment if plausible(moment) else None


def _microseconds(digits: object) -> int:
    text = digits.strip("\0 ") if isinstance(digits, str) else ""
    return int(text[:6].ljust(6, "0")) if text.isascii() and text.isdigit() else 0


def _zone(text: object) -> timezone | None:
    if not isinstance(text, str):
        return None
    text = text.strip("\0 ")
    if text in {"Z", "UTC"}:
        return UTC
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > 14 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
