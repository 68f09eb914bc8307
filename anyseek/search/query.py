"""What is asked: a list of weighted parts, how they are joined, and what the answer may hold."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Literal, get_args

import numpy as np

from ..errors import BadQuery
from ..filters import Condition
from ..fusion.mean import WeightedMean
from ..types import Clip, Decoded, Kind, Modality, Picture, Segment, Sound
from .fusion import Fusion

__all__ = ["Example", "Judged", "Order", "Part", "Query", "Refinement", "Stored", "Text", "Vectors", "checked_order"]

Order = Literal["relevance", "date", "path", "duration"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words. Always words, even when they look like a path or an address."""

    text: str
    weight: float = 1.0
    name: Literal["text"] = "text"

    @property
    def label(self) -> str:
        """What the part is called in an explanation."""
        return self.text


@dataclass(frozen=True, slots=True)
class Example:
    """A picture, a sound or a film from outside the library.

    Attributes:
        kind: What the file is.
        segments: Decoded as each space's encoder wants it, by the id of the space; spaces that take nothing of it are left out.
        weight: How much it counts.
        label: What the part is called in an explanation.
    """

    kind: Kind
    segments: Mapping[int, tuple[Decoded, ...]]
    weight: float = 1.0
    label: str = ""

    @property
    def name(self) -> str:
        """What sort of part it is."""
        return self.kind.value


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of one space, and what each was made of.

    Attributes:
        rows: (n, dim) float32 unit rows, n of at least 1.
        modalities: n of them.
        ids: (n,) of the embeddings, where they are some.
    """

    rows: np.ndarray
    modalities: tuple[Modality, ...]
    ids: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """Something of the library, by the vectors that it has already, by the id of their space."""

    vectors: Mapping[int, Vectors]
    weight: float = 1.0
    label: str = ""
    name: Literal["like"] = "like"


Part = Text | Example | Stored


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that a person liked or rejected.

    Attributes:
        stored: By its vectors.
        whole: All of its content was meant, and no moment of it: what counts is the segment that answers the query best.
    """

    stored: Stored
    whole: bool


@dataclass(frozen=True, slots=True)
class Refinement:
    """What earlier answers to a query say about it; see `anyseek.search.refinement`.

    Attributes:
        liked: What answers are to be like.
        rejected: What they are not.
        judged: The contents of both.
        hidden: Stretches in milliseconds, half open, that are no answers, by content.
        notes: What a user should hear about.
    """

    liked: tuple[Judged, ...] = ()
    rejected: tuple[Judged, ...] = ()
    judged: frozenset[int] = frozenset()
    hidden: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A question.

    Attributes:
        parts: At least one.
        kinds: Only hits of these kinds; all when empty.
        limit: Most hits to give.
        without: Contents that are left out, such as the one that is itself the example.
        where: What files must be like; None for all.
        fusion: How the parts are joined.
        min_relevance: Hits of less are left out; None for what the calibration takes for right or wrong.
        order: What comes first: the most relevant, the newest, the first by path or the longest.
        reverse: The other way round.
        moments: Most moments of one hit; None for all.
        explain: Say of each hit how it came about.
        cursor: Where the page before ended; None for the first.
        refinement: What earlier answers say about it.
    """

    parts: tuple[Part, ...]
    kinds: frozenset[Kind] = frozenset()
    limit: int = 10
    without: frozenset[int] = frozenset()
    where: Condition | None = None
    fusion: Fusion = WeightedMean()  # noqa: RUF009 - it has no state
    min_relevance: float | None = None
    order: Order = "relevance"
    reverse: bool = False
    moments: int | None = None
    explain: bool = False
    cursor: str | None = None
    refinement: Refinement = Refinement()

    def __post_init__(self) -> None:
        if not self.parts:
            raise BadQuery("there is nothing to search for: give a text, or an example with --image, --audio, --video or --like")
        if self.limit < 1:
            raise BadQuery(f"a limit of {self.limit} leaves no room for an answer: use 1 or more")
        if self.moments is not None and self.moments < 1:
            raise BadQuery(f"{self.moments} moments are none: use 1 or more")
        if not all(math.isfinite(part.weight) for part in self.parts):
            raise BadQuery("a weight must be a finite number, such as 2 or -0.5")
        if not any(part.weight for part in self.parts):
            raise BadQuery("all weights are 0, which leaves nothing to search for: give one part a weight above 0")
        if self.min_relevance is not None and not 0 <= self.min_relevance <= 1:
            raise BadQuery(f"a relevance of {self.min_relevance} there is not: use a number from 0 (all hits) to 1")

    @property
    def counted(self) -> tuple[Part, ...]:
        """The parts that have a weight."""
        return tuple(part for part in self.parts if part.weight)

    @cached_property
    def digest(self) -> str:
        """Hex digest over all that decides which hits there are and how they are ordered."""
        parts = [(part.name, part.label, part.weight) for part in self.parts]
        told = (parts, sorted(self.kinds), sorted(self.without), str(self.where), self.fusion.name, self.min_relevance, self.order)
        digest = hashlib.sha256(repr((told, self.reverse)).encode("utf-8", "surrogatepass"))
        of = self.refinement
        if of.liked or of.rejected or of.hidden:
            sorts = [[(one.whole, len(one.stored.vectors)) for one in judged] for judged in (of.liked, of.rejected)]
            digest.update(repr((sorts, sorted(of.hidden.items()))).encode())
        for part in [*self.parts, *(one.stored for one in (*of.liked, *of.rejected))]:
            for array in _held_by(part):
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]

    def hides(self, content_id: int, segment: Segment) -> bool:
        """Whether a segment of a content is to be no answer, because it lies in what was rejected."""
        return any(segment.start_ms < end and start < segment.end_ms for start, end in self.refinement.hidden.get(content_id, ()))


def _held_by(part: Part) -> Iterator[np.ndarray]:
    """What a file holds that is asked with, for another one may be called the same."""
    if isinstance(part, Stored):
        yield from (vectors.rows for vectors in part.vectors.values())
    elif isinstance(part, Example):
        for decoded in chain.from_iterable(part.segments.values()):
            match decoded:
                case Picture():
                    yield decoded.pixels
                case Sound():
                    yield decoded.samples
                case Clip():
                    yield decoded.frames


def checked_order(order: str) -> Order:
    """Read an order.

    Raises:
        BadQuery: There is none of that name.
    """
    for known in get_args(Order):
        if order == known:
            return known  # type: ignore[no-any-return]
    raise BadQuery(f"no order is called {order!r}: use {', '.join(get_args(Order))}")
