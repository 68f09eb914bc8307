"""What is asked: a list of weighted parts, each of which becomes one vector per space, and what the answer may hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import BadQuery
from ..types import Decoded, Kind, Modality

__all__ = ["Example", "Part", "Query", "Stored", "Text", "Vectors"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words. Always words, even when they look like a path or an address."""

    text: str
    weight: float = 1.0
    name: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Example:
    """A picture, a sound or a film from outside the library.

    Attributes:
        kind: What the file is.
        segments: Decoded as each space's encoder wants it, by the id of the space; spaces that take nothing of it are left out.
        weight: How much it counts.
    """

    kind: Kind
    segments: Mapping[int, tuple[Decoded, ...]]
    weight: float = 1.0

    @property
    def name(self) -> str:
        """What the part is called in an explanation."""
        return self.kind.value


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of one space, and what each was made of.

    Attributes:
        rows: (n, dim) float32 unit rows, n of at least 1.
        modalities: n of them.
    """

    rows: np.ndarray
    modalities: tuple[Modality, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """Something of the library, by the vectors that it has already, by the id of their space."""

    vectors: Mapping[int, Vectors]
    weight: float = 1.0
    name: Literal["stored"] = "stored"


Part = Text | Example | Stored


@dataclass(frozen=True, slots=True)
class Query:
    """A question.

    Attributes:
        parts: At least one.
        kinds: Only hits of these kinds; all when empty.
        limit: Most hits to give.
        without: Contents that are left out, such as the one that is itself the example.
    """

    parts: tuple[Part, ...]
    kinds: frozenset[Kind] = frozenset()
    limit: int = 10
    without: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.parts:
            raise BadQuery("there is nothing to search for: give a text, or an example with --image, --audio or --video")
        if self.limit < 1:
            raise BadQuery(f"a limit of {self.limit} leaves no room for an answer: use 1 or more")
        if not all(math.isfinite(part.weight) for part in self.parts):
            raise BadQuery("a weight must be a finite number, such as 2 or -0.5")
        if not any(part.weight for part in self.parts):
            raise BadQuery("all weights are 0, which leaves nothing to search for: give one part a weight above 0")
