"""What a person writes down of a file: a flat JSON object beside its asset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite

from ..errors import BadInput

__all__ = ["Scalar", "changed", "read", "written"]

Scalar = str | int | float | bool

MOST_CHARACTERS = 65_536
MOST_INTEGER = 2**63 - 1


def read(stored: str | None) -> dict[str, Scalar]:
    """What is stored of an asset; nothing of what is no object."""
    try:
        found = json.loads(stored) if stored else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def written(values: Mapping[str, Scalar]) -> str | None:
    """How it is stored; None when there is nothing.

    Raises:
        BadInput: It is too much.
    """
    text = json.dumps(values, ensure_ascii=False)
    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"{len(text):,} characters are too many to write down of one file: make it at most {MOST_CHARACTERS:,}")
    return text if values else None


def changed(before: Mapping[str, Scalar], changes: Mapping[str, Scalar | None]) -> dict[str, Scalar]:
    """The values after some changes.

    Args:
        before: What there was.
        changes: New values by key; None takes one away.

    Raises:
        BadInput: A key is empty, or a value is none that can be stored and searched for.
    """
    after = dict(before)
    for key, value in changes.items():
        if not isinstance(key, str) or not key or not _is_text(key):
            raise BadInput(f"{key!r} is no key: use a text that is not empty")
        if value is None:
            after.pop(key, None)
        elif _can_be_stored(value):
            after[key] = value
        else:
            raise BadInput(f"{value!r} cannot be the value of {key!r}: use a text, a number, True or False")
    return after


def _can_be_stored(value: object) -> bool:
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, int):
        return abs(value) <= MOST_INTEGER
    return isinstance(value, float) and isfinite(value)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" or character == "\0" for character in text)
