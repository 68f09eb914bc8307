"""SQL functions of ours: what SQLite cannot do by itself, or not in every build of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from functools import lru_cache

from ..filters.patterns import fold
from ..filters.places import distance
from .models import path_from_bytes

__all__ = ["matches", "register"]


def register(connection: sqlite3.Connection) -> None:
    """Make them known to a connection.

    ``anyseek_matches(regex, text or path)``, ``anyseek_number(value)`` and ``anyseek_distance(lat, lon, lat, lon)`` in metres.
    """
    connection.create_function("anyseek_matches", 2, matches, deterministic=True)
    connection.create_function("anyseek_number", 1, _number, deterministic=True)
    connection.create_function("anyseek_distance", 4, _distance, deterministic=True)


@lru_cache(maxsize=256)
def _search(regex: str) -> Callable[[str], object]:
    return re.compile(regex, re.DOTALL).search


def matches(regex: str, value: str | bytes | float | None) -> bool | None:
    """Whether a folded text or path looks like that; None of nothing."""
    if value is None:
        return None
    text = path_from_bytes(value) if isinstance(value, bytes) else str(value)
    return _search(regex)(fold(text)) is not None


def _number(value: str | float | None) -> float | None:
    """What a number is, also when it was written as text; None of what is none."""
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"\s*[+-]?\d{1,18}(\.\d{1,18})?\s*", value, re.ASCII) else None
    return value


def _distance(latitude: float | None, longitude: float | None, other_latitude: float, other_longitude: float) -> float | None:
    if latitude is None or longitude is None:
        return None
    return distance(latitude, longitude, other_latitude, other_longitude)
