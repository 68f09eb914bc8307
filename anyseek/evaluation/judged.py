"""Judged queries as values: what is asked, and which answers a person takes for right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ..types import Kind

__all__ = ["ANY", "PARTS", "JudgedQueries", "JudgedQuery", "RightAnswer", "Stretch"]

ANY = "any"
_POSITIVE = ("text", "image", "audio", "video", "like")
PARTS = (*_POSITIVE, "negative", "unlike")


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A stretch of a sound or film, half open: ``[start_ms, end_ms)``."""

    start_ms: int
    end_ms: int

    def shared_ms(self, other: Self) -> int:
        """How many milliseconds lie in both."""
        return max(0, min(self.end_ms, other.end_ms) - max(self.start_ms, other.start_ms))

    def iou(self, other: Self) -> float:
        """What lies in both, as a share of what lies in either (intersection over union), in [0, 1]."""
        shared = self.shared_ms(other)
        either = (self.end_ms - self.start_ms) + (other.end_ms - other.start_ms) - shared
        return shared / either if either else 0.0


@dataclass(frozen=True, slots=True)
class RightAnswer:
    """An answer that is right.

    Attributes:
        path: As it is written in the file of queries.
        grade: How right, from 1.
        stretch: Where in it; None for all of it.
    """

    path: str
    grade: int = 1
    stretch: Stretch | None = None


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and its right answers. Paths are as they are written in the file of queries.

    Attributes:
        id: Unique in its file.
        target: The kind that is asked for, or ``any``.
        relevant: The right answers; none if the library is to hold nothing of the sort.
        text: What is asked in words; `anyseek.library.Library.search` says what this and the following are.
    """

    id: str
    target: str
    relevant: tuple[RightAnswer, ...]
    text: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    video: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    where: str | None = None

    @property
    def kinds(self) -> frozenset[Kind]:
        """Hits may be of these kinds; of all when empty."""
        return frozenset() if self.target == ANY else frozenset({Kind(self.target)})

    @property
    def kind(self) -> str:
        """What it is asked with: ``text``, or ``text+image+not`` for several parts and something that is not meant."""
        named = [name for name in _POSITIVE if getattr(self, name)]
        return "+".join([*named, *(["not"] if self.negative or self.unlike else [])])

    @property
    def pair(self) -> str:
        """What it is asked with, and what for: ``text → image``."""
        return f"{self.kind} → {self.target}"

    @property
    def has_parts(self) -> bool:
        """Whether it has more parts than one, so that it matters how they are joined."""
        return sum(len(getattr(self, name)) for name in PARTS) > 1

    @property
    def question(self) -> str:
        """What is asked, for a person."""
        parts = [part for name in _POSITIVE for part in getattr(self, name)]
        parts += [f"not {part}" for part in (*self.negative, *self.unlike)]
        return " + ".join(parts) + ("" if self.where is None else f" where {self.where}")


@dataclass(frozen=True, slots=True)
class JudgedQueries:
    """A file of judged queries, read."""

    path: Path
    queries: tuple[JudgedQuery, ...]
