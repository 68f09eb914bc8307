"""Dates as people write them, each meaning all the time that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import BadFilter
from .operators import Operator

__all__ = ["Period", "period"]

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2})(?::(\d{2})(?::(\d{2}))?)?)?)?)?", re.ASCII)
_HOURS = {4: timedelta(hours=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}
FORMS = "2024, 2024-05, 2024-05-17  or  2024-05-17T18:30"


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment, with it, to another one, without it, by the clock of the camera.

    Attributes:
        start: None for no bound.
        end: None for no bound.
    """

    start: datetime | None = None
    end: datetime | None = None


def period(operator: Operator, text: str) -> Period:
    """Read what a date is to be compared with.

    Args:
        operator: ``>2024`` is after all of it, ``>=2024`` from its beginning on.
        text: A year, month, day, hour, minute or second; or a range, with all of its last one.

    Raises:
        BadFilter: It is no date, or a range where there is no place for one.
    """
    if ".." in text:
        if operator not in (Operator.HAS, Operator.EQUAL):
            raise BadFilter(f"a range cannot stand behind {operator}: write it behind a colon")
        first, last = (part.strip() for part in text.split("..", 1))
        if not first and not last:
            raise BadFilter("a range needs a start or an end: write it as  2024-05..2024-07, 2024..  or  ..2024")
        bounds = Period(_all_of(first).start if first else None, _all_of(last).end if last else None)
        if bounds.start is not None and bounds.end is not None and bounds.start >= bounds.end:
            raise BadFilter(f"the range ends with {last}, before it begins with {first}: write the earlier one first")
        return bounds
    named = _all_of(text)
    match operator:
        case Operator.ABOVE:
            if named.end is None:
                raise BadFilter(f"no date comes after {text}: use an earlier one")
            return Period(named.end)
        case Operator.AT_LEAST:
            return Period(named.start)
        case Operator.BELOW:
            return Period(None, named.start)
        case Operator.AT_MOST:
            return Period(None, named.end)
    return named


def _all_of(text: str) -> Period:
    """All the time that a date names."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise BadFilter(f"{text!r} is no date: write it as  {FORMS}")
    given = [int(part) for part in found.groups() if part is not None]
    try:
        start = datetime(*(given + [1, 1][len(given) - 1 :]))  # type: ignore[arg-type]
    except ValueError as exc:
        raise BadFilter(f"{text!r} is no date ({exc}): write it as  {FORMS}") from None
    try:
        return Period(start, _next(start, len(given)))
    except (OverflowError, ValueError):  # the last one of the year 9999 ends when time does
        return Period(start)


def _next(start: datetime, given: int) -> datetime:
    if given == 1:
        return start.replace(year=start.year + 1)
    if given == 2:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start + _HOURS.get(given, timedelta(days=1))
