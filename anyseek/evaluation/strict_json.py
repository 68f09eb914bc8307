"""JSON that people write: what the format allows and nobody means is refused."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["read_strictly"]


def read_strictly(text: str) -> Any:
    """Read JSON.

    Raises:
        ValueError: It is none, names a field twice, of which the last would win, or has a number that JSON has not, such as NaN.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_refuse)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a field is there twice: {next(name for name in names if names.count(name) > 1)!r}")
    return values


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
