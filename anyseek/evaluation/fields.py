"""The fields of a JSON object, taken one by one and checked; what is wrong is said with the object's name."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Sequence
from typing import Any

from ..errors import BadInput

__all__ = ["Fields"]

MOST_SHOWN = 60


class Fields:
    """A JSON object whose fields are asked for by name and type.

    Args:
        value: What should be an object.
        name: What the object is called in errors, such as ``queries.json: query 'dogs'``.

    Raises:
        BadInput: It is no object.
    """

    def __init__(self, value: object, name: str) -> None:
        self.name = name
        if not isinstance(value, dict):
            raise self.wrong(f"must be an object, not {_shown(value)}")
        self._values: dict[str, Any] = value
        self._taken: set[str] = set()

    def wrong(self, reason: str) -> BadInput:
        """The error that something is wrong with this object."""
        return BadInput(f"{self.name}: {reason}")

    def has(self, name: str) -> bool:
        """Whether there is such a field."""
        return name in self._values

    def ignore(self, *names: str) -> None:
        """Let fields be there that are of no use."""
        self._taken.update(names)

    def end(self) -> None:
        """See that nothing is left over.

        Raises:
            BadInput: There are fields that were not asked for.
        """
        unknown = [name for name in self._values if name not in self._taken]
        if unknown:
            raise self.wrong(f"there is no field called {_shown(unknown[0])}: use {', '.join(sorted(self._taken))}")

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._take(name, default)
        return self._checked_text(name, value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A text or several; none when the field is missing."""
        value = self._take(name, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list):
            raise self.wrong(f"{name!r} must be a text or a list of texts, not {_shown(value)}")
        return tuple(self._checked_text(name, each) for each in values)

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """One of some words."""
        value = self._take(name, default)
        if not isinstance(value, str) or value not in choices:
            raise self.wrong(f"{name!r} must be {', '.join(choices)}, not {_shown(value)}")
        return value

    def whole(self, name: str, least: int, default: int | None = None) -> int:
        """A whole number of at least `least`."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**53:
            raise self.wrong(f"{name!r} must be a whole number of {least} or more, not {_shown(value)}")
        return value

    def numbers(self, name: str) -> dict[str, float]:
        """Numbers by name; none when the field is missing."""
        value = self._take(name, {})
        if not isinstance(value, dict):
            raise self.wrong(f"{name!r} must be an object of numbers, not {_shown(value)}")
        for each, number in value.items():
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise self.wrong(f"{name!r} must hold numbers, and {each!r} is {_shown(number)}")
        return {each: float(number) for each, number in value.items()}

    def items(self, name: str) -> Sequence[object]:
        """A list of anything, which has to be there."""
        value = self._take(name, None)
        if not isinstance(value, list):
            raise self.wrong(f"{name!r} must be a list, not {_shown(value)}")
        return value

    def _take(self, name: str, default: Any) -> Any:
        self._taken.add(name)
        if name not in self._values and default is None:
            raise self.wrong(f"{name!r} is missing")
        return self._values.get(name, default)

    def _checked_text(self, name: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"{name!r} must be a text that is not empty, not {_shown(value)}")
        try:
            encoded = os.fsencode(value)
        except UnicodeEncodeError:
            encoded = b"\0"
        if b"\0" in encoded:
            raise self.wrong(f"{name!r} holds characters that are none: {_shown(value)}")
        return value


def _shown(value: object) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
