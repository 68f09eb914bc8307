"""Places on the earth, in degrees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import asin, cos, degrees, isfinite, pi, radians, sin, sqrt

from ..errors import BadFilter
from .operators import Operator

__all__ = ["Box", "Circle", "box", "circle", "distance"]

EARTH = 6_371_008.8
"""Mean radius in metres (IUGG)."""

_UNITS = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
_CIRCLE = re.compile(r"\s*([^,\s]+)\s*,\s*([^,\s]+)[\s,]+(\d+(?:\.\d+)?)\s*(km|mi|m)\s*", re.IGNORECASE | re.ASCII)
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Box:
    """Between two parallels and two meridians, borders included; over the date line where `west` is greater than `east`."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class Circle:
    """At most `metres` away from a point, along the surface."""

    latitude: float
    longitude: float
    metres: float

    @property
    def bounds(self) -> Box:
        """The smallest box around it, with a little to spare."""
        angle = self.metres / EARTH + 1e-9
        south, north = self.latitude - degrees(angle), self.latitude + degrees(angle)
        reach = sin(min(angle, pi / 2)) / max(cos(radians(self.latitude)), 1e-12)
        if south <= -90 or north >= 90 or reach >= 1:
            return Box(max(south, -90), -180, min(north, 90), 180)
        half = degrees(asin(reach)) + 1e-9
        return Box(south, _turned(self.longitude - half), north, _turned(self.longitude + half))


def circle(_: Operator, text: str) -> Circle:
    """Read ``52.5,13.4 10km``.

    Raises:
        BadFilter: It is not that.
    """
    found = _CIRCLE.fullmatch(text)
    if found is None or len(found[3]) > 12:
        raise BadFilter(f'{text!r} is no place with a distance: write it as  "52.5,13.4 10km"  (latitude, longitude, m, km or mi)')
    latitude, longitude = _degrees(found[1], 90, "latitude"), _degrees(found[2], 180, "longitude")
    return Circle(latitude, longitude, float(found[3]) * _UNITS[found[4].lower()])


def box(_: Operator, text: str) -> Box:
    """Read ``south,west,north,east``.

    Raises:
        BadFilter: It is not that.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4:
        raise BadFilter(f'{text!r} is no box: write it as  "47.2,5.8,55.1,15.1"  (south, west, north, east)')
    south, north = (_degrees(part, 90, "latitude") for part in parts[::2])
    west, east = (_degrees(part, 180, "longitude") for part in parts[1::2])
    if south > north:
        raise BadFilter(f"the south of the box, {parts[0]}, lies north of {parts[2]}: write it as  south,west,north,east")
    return Box(south, west, north, east)


def distance(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Metres between two points along the surface of a sphere (haversine formula)."""
    phi, psi = radians(latitude), radians(other_latitude)
    half = sin((psi - phi) / 2) ** 2 + cos(phi) * cos(psi) * sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


def _turned(longitude: float) -> float:
    return (longitude + 180) % 360 - 180


def _degrees(text: str, most: int, what: str) -> float:
    value = float(text) if _DEGREES.fullmatch(text) else float("nan")
    if not isfinite(value) or abs(value) > most:
        raise BadFilter(f"{text!r} is no {what}: write degrees from -{most} to {most}, such as 52.5")
    return value
