"""Places as files write them: EXIF rationals, XMP's degrees and minutes, ISO 6709."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["Place", "exif_place", "iso6709_place", "xmp_place"]

Place = tuple[float, float]
"""Degrees north and degrees east, WGS 84."""

_ISO6709 = re.compile(r"([+-]\d{1,6}(?:\.\d+)?)([+-]\d{1,7}(?:\.\d+)?)(?:[+-]\d+(?:\.\d+)?)?(?:CRS[\w:]+)?/?")
_XMP = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")


def exif_place(latitude: object, north: object, longitude: object, east: object) -> Place | None:
    """From the GPS directory: up to three rationals (degrees, minutes, seconds) each, with ``N``/``S`` and ``E``/``W``.

    A missing or unknown reference gives None: a place in the wrong hemisphere is worse than none.
    """
    return _checked(_signed(_sexagesimal(latitude), north, "NS"), _signed(_sexagesimal(longitude), east, "EW"))


def xmp_place(latitude: object, longitude: object) -> Place | None:
    """From ``48,51.462N`` or ``48,51,27N`` and its eastern sibling."""
    return _checked(_xmp_degrees(latitude, "NS"), _xmp_degrees(longitude, "EW"))


def iso6709_place(text: object) -> Place | None:
    """From QuickTime's ``+48.8577+002.2950+035.0/`` (degrees, degrees and minutes, or degrees, minutes and seconds)."""
    found = _ISO6709.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    return _checked(_compact_degrees(found[1], 2), _compact_degrees(found[2], 3))


def _checked(latitude: float | None, longitude: float | None) -> Place | None:
    if latitude is None or longitude is None or not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude == 0 and longitude == 0):  # 0, 0: a receiver without a fix
        return None
    return round(latitude, 7), round(longitude, 7)


def _sexagesimal(value: Any) -> float | None:
    parts = value if isinstance(value, Sequence) else (value,)
    if isinstance(value, str | bytes) or not 1 <= len(parts) <= 3:
        return None
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return sum((number / float(60**power) for power, number in enumerate(numbers)), 0.0)


def _signed(degrees: float | None, reference: object, letters: str) -> float | None:
    letter = reference.strip("\0 ").upper()[:1] if isinstance(reference, str) else ""
    if degrees is None or not letter or letter not in letters:
        return None
    return -degrees if letter == letters[1] else degrees


def _xmp_degrees(text: object, letters: str) -> float | None:
    found = _XMP.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    return _signed(int(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600, found[4], letters)


def _compact_degrees(text: str, degree_digits: int) -> float | None:
    """``±DD.D``, ``±DDMM.M`` or ``±DDMMSS.S``, told apart by the number of digits."""
    sign, digits = (-1 if text[0] == "-" else 1), text[1:]
    whole, _, fraction = digits.partition(".")
    if len(whole) <= degree_digits:
        return sign * float(digits)
    degrees, rest = int(whole[:degree_digits]), whole[degree_digits:]
    if len(rest) not in (2, 4):
        return None
    minutes = float(f"{rest}.{fraction}") if len(rest) == 2 else int(rest[:2]) + float(f"{rest[2:]}.{fraction}") / 60
    return sign * (degrees + minutes / 60)
