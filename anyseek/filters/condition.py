"""Conditions that an asset may satisfy, as values: hashable, comparable, and printed in the language that `parse` reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import BadFilter
from .operators import Operator

if TYPE_CHECKING:
    from .fields import Value

__all__ = ["And", "Comparison", "Condition", "Not", "Or", "all_of", "any_of", "checked", "quoted"]

MOST_COMPARISONS = 200
MOST_LEVELS = 20  # SQLite's parser has a stack of 100, three of which one level takes

_BARE = re.compile(r'[^\s()"<>=:][^\s()"<>=]*')
_BARE_KEY = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class And:
    """All of at least two conditions."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(_inside(part, And, Or) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """At least one of two or more conditions."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(_inside(part, Or) for part in self.parts)


@dataclass(frozen=True)
class Not:
    """Whatever does not satisfy a condition, also because the thing asked for is not known of it."""

    part: Condition

    def __str__(self) -> str:
        return f"not {_inside(self.part, And, Or)}"


@dataclass(frozen=True)
class Comparison:
    """A field compared with what was written.

    Attributes:
        field: Its name in `anyseek.filters.fields.FIELDS`, or ``meta.`` and a key of the user's own metadata.
        operator: How.
        text: With what, as a person writes it, without the quotes: ``2024-05..2024-07``, ``5MB``, ``*.jpg``.
        sure: For tags, how sure the tag must be: an operator and a number from 0 to 1, such as (``>``, ``0.7``).

    Raises:
        BadFilter: There is no such field, it is not compared in that way, or not with that.
    """

    field: str
    operator: Operator
    text: str
    sure: tuple[Operator, str] | None = None

    def __post_init__(self) -> None:
        _ = self.value, self.sureness

    @cached_property
    def value(self) -> Value:
        """What the text says."""
        from .fields import read_value

        return read_value(self.field, self.operator, self.text)

    @cached_property
    def sureness(self) -> Value | None:
        """What `sure` says, as a `Span`."""
        from .fields import read_sureness

        return None if self.sure is None else read_sureness(self.field, *self.sure)

    def __str__(self) -> str:
        sure = "" if self.sure is None else "".join(self.sure)
        return f"{_named(self.field)}{self.operator}{quoted(self.text)}{sure}"


Condition = And | Or | Not | Comparison


def all_of(conditions: Iterable[Condition]) -> Condition | None:
    """Join conditions that must all hold; None when there are none."""
    parts = tuple(conditions)
    return And(parts) if len(parts) > 1 else next(iter(parts), None)


def any_of(conditions: Iterable[Condition]) -> Condition | None:
    """Join conditions of which one must hold; None when there are none."""
    parts = tuple(conditions)
    return Or(parts) if len(parts) > 1 else next(iter(parts), None)


def checked(condition: Condition) -> Condition:
    """Refuse what is too large to be asked of a database, or too deep to be walked through.

    Raises:
        BadFilter: It has more than 200 comparisons or more than 20 levels.
    """
    comparisons = 0
    left: list[tuple[Condition, int]] = [(condition, 1)]
    while left:
        node, level = left.pop()
        if level > MOST_LEVELS:
            raise BadFilter(f"it is nested more than {MOST_LEVELS} levels deep: use fewer parentheses and negations")
        if isinstance(node, Comparison):
            comparisons += 1
        else:
            left.extend((part, level + 1) for part in ((node.part,) if isinstance(node, Not) else node.parts))
    if comparisons > MOST_COMPARISONS:
        raise BadFilter(f"it has {comparisons} comparisons and may have {MOST_COMPARISONS}: say it with patterns or ranges")
    return condition


def quoted(text: str) -> str:
    """A text as it is written in a filter: in quotes where it would be misread without."""
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _named(field: str) -> str:
    name, dot, key = field.partition(".")
    if not dot or _BARE_KEY.fullmatch(key):
        return field
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}."{escaped}"'


def _inside(part: Condition, *weaker: type) -> str:
    return f"({part})" if isinstance(part, weaker) else str(part)
