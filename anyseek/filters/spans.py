"""Numbers with units, and stretches of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from ..errors import BadFilter
from .operators import Operator

__all__ = ["Number", "Span", "duration", "pixels", "plain", "signed", "size", "span"]

Number = int | float
Reading = tuple[Decimal, Decimal]
"""A number and the step that its last digit stands for."""

_SIZES = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_MILLISECONDS = {"ms": 1, "s": 1000, "sec": 1000, "": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(i?)b?)", re.IGNORECASE)
_TIME_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h|)", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)")
MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Span:
    """All numbers between two.

    Attributes:
        low: None for no bound.
        high: None for no bound.
        above: `low` itself is not among them.
        below: `high` itself is not among them.
    """

    low: Number | None = None
    high: Number | None = None
    above: bool = False
    below: bool = False


def span(operator: Operator, text: str, read: Callable[[str], Reading]) -> Span:
    """Read what a number is to be compared with.

    Args:
        operator: ``:`` and ``=`` take a range, ``3..5`` with both ends, or a number, which means all that agree with it as far as it is
            written: ``10s`` is from 10 s to just under 11 s.
        text: A number, or a range of which either end may be missing.
        read: Reads one number.

    Raises:
        BadFilter: It is no number, or a range where there is no place for one.
    """
    if ".." in text:
        if operator not in (Operator.HAS, Operator.EQUAL):
            raise BadFilter(f"a range cannot stand behind {operator}: write it behind a colon")
        low, high = (part.strip() for part in text.split("..", 1))
        if not low and not high:
            raise BadFilter("a range needs a start or an end: write it as  3..5, 3..  or  ..5")
        bounds = Span(low=_number(read(low)[0]) if low else None, high=_number(read(high)[0]) if high else None)
        if bounds.low is not None and bounds.high is not None and bounds.low > bounds.high:
            raise BadFilter(f"the range ends at {high}, before it begins at {low}: write the smaller one first")
        return bounds
    value, step = read(text)
    match operator:
        case Operator.ABOVE:
            return Span(low=_number(value), above=True)
        case Operator.AT_LEAST:
            return Span(low=_number(value))
        case Operator.BELOW:
            return Span(high=_number(value), below=True)
        case Operator.AT_MOST:
            return Span(high=_number(value))
    return Span(low=_number(value), high=_number(value + step), below=True)


def plain(text: str) -> Reading:
    """A number without a unit."""
    if not re.fullmatch(r"\d+(?:\.\d+)?", text, re.ASCII):
        raise BadFilter(f"{text!r} is no number: write it as  3  or  2.5")
    return _digits(text)


def signed(text: str) -> Reading:
    """A number without a unit that may lie below zero."""
    value, step = plain(text.removeprefix("-"))
    return (-value if text.startswith("-") else value), step


def pixels(text: str) -> Reading:
    """Millions, in ones."""
    value, step = plain(text)
    return value * 1_000_000, step * 1_000_000


def size(text: str) -> Reading:
    """Bytes: ``5MB`` is five million, ``5MiB`` 5 · 2^20, and a number alone is bytes."""
    found = _SIZE.fullmatch(text.strip()) if text.isascii() else None
    if found is None:
        raise BadFilter(f"{text!r} is no size: write it as  500kB, 5MB  or  1.5GiB")
    unit = Decimal((1024 if found[3] else 1000) ** _SIZES[found[2].lower()])
    value, step = _digits(found[1])
    return value * unit, step * unit


def duration(text: str) -> Reading:
    """Milliseconds: ``10s``, ``1:30``, ``1:02:03``, ``2min``, ``1h30min``; a number alone is seconds."""
    text = text.strip()
    clock = _CLOCK.fullmatch(text) if text.isascii() else None
    if clock is not None:
        seconds, step = _digits(clock[3])
        return ((_digits(clock[1] or "0")[0] * 60 + _digits(clock[2])[0]) * 60 + seconds) * 1000, step * 1000
    parts = [found for found in _TIME_PART.finditer(text) if found[0]] if text.isascii() else []
    if not parts or "".join(part[0] for part in parts) != text or (len(parts) > 1 and not all(part[2] for part in parts)):
        raise BadFilter(f"{text!r} is no duration: write it as  10s, 1:30, 2min  or  1h30min")
    units = [_MILLISECONDS[part[2].lower()] for part in parts]
    readings = [_digits(part[1]) for part in parts]
    return Decimal(sum(value * unit for (value, _), unit in zip(readings, units, strict=True))), readings[-1][1] * units[-1]


def _digits(text: str) -> Reading:
    if len(text) > MOST_DIGITS:
        raise BadFilter(f"{text[:MOST_DIGITS]}… is too long a number: use at most {MOST_DIGITS} digits")
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return value, Decimal(1).scaleb(exponent)


def _number(value: Decimal) -> Number:
    return int(value) if value == value.to_integral_value() and value < 2**62 else float(value)
