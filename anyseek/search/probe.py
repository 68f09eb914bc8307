"""What is looked up in one space: the query as that space understands it, and how it came there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ..fusion.early import EarlyFusion, Pieces
from ..fusion.mean import WeightedMean
from ..fusion.vectors import cancels_out
from ..types import Modality
from .backgrounds import Origin
from .spaces import SearchSpace

__all__ = ["Probe", "Side", "Understood", "Weighed"]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One thing of a query in one space: what a text says, what an example shows, what it sounds like.

    Attributes:
        origin: Which sort of query it is.
        vector: (dim,) float32 unit vector.
        share: How much of it is in the vector that is looked up: the sum of shares times vectors is that vector.
        part: The number of the query's part that it belongs to.
    """

    origin: Origin
    vector: np.ndarray
    share: float
    part: int = 0

    def times(self, factor: float) -> Side:
        """The same with a share that is `factor` times as large."""
        return replace(self, share=self.share * factor)


@dataclass(frozen=True, slots=True, eq=False)
class Understood:
    """One part of a query as one space understands it.

    Attributes:
        vector: (dim,) float32 unit vector.
        sides: What it is made of.
        adapted: Whether an adapter had a part in it.
    """

    vector: np.ndarray
    sides: tuple[Side, ...]
    adapted: bool = False

    @classmethod
    def alone(cls, origin: Origin, vector: np.ndarray) -> Understood:
        """Take one vector for all there is."""
        return cls(vector, (Side(origin, vector, 1.0),))

    @property
    def modality(self) -> Modality:
        """What it is: what most of it is, where it is mixed."""
        return max(self.sides, key=lambda side: side.share).origin.modality

    @classmethod
    def together(
        cls, several: Sequence[Understood], space: SearchSpace, fusion: EarlyFusion | None = None, weights: Sequence[float] = ()
    ) -> Understood:
        """Join at least one; the first where they cancel out.

        Args:
            several: What is to become one.
            space: Where.
            fusion: How; the mean unless told.
            weights: How much each counts, above 0; all alike unless told.
        """
        rows = np.stack([understood.vector for understood in several])
        of = tuple(weights) or (1.0,) * len(several)
        if len(several) == 1 or cancels_out(rows, of):
            return several[0]
        pieces = Pieces(rows, of, tuple(understood.modality for understood in several), space.row.space.fingerprint)
        fused = (fusion or WeightedMean()).fuse(pieces)
        sides = (side.times(share) for understood, share in zip(several, fused.shares, strict=True) for side in understood.sides)
        return cls(fused.vector, tuple(sides))


class Weighed(NamedTuple):
    """A part of a query as one space understands it, its number among the parts, and how much it counts there."""

    number: int
    understood: Understood
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A query as one space understands it.

    Attributes:
        space: Where to look it up.
        vector: (dim,) float32 unit vector.
        sides: What it is made of.
        bridge: How what the space does not understand by itself came there; None if nothing of the kind is in it.
        adapter: The name of the adapter that something of it went through; None if nothing did.
        lifts: What is added to the log-odds of some modalities, because a person has said what is relevant.
    """

    space: SearchSpace
    vector: np.ndarray
    sides: tuple[Side, ...]
    bridge: str | None = None
    adapter: str | None = None
    lifts: Mapping[Modality, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        space: SearchSpace,
        parts: Sequence[Weighed],
        fusion: EarlyFusion | None = None,
        bridge: str | None = None,
        adapter: str | None = None,
    ) -> Probe:
        """Join the parts that a space understands.

        Raises:
            BadQuery: They cancel each other out.
        """
        pieces = Pieces(
            np.stack([part.understood.vector for part in parts]),
            tuple(part.weight for part in parts),
            tuple(part.understood.modality for part in parts),
            space.row.space.fingerprint,
        )
        fused = (fusion or WeightedMean()).fuse(pieces)
        sides = (
            replace(side.times(share), part=part.number)
            for part, share in zip(parts, fused.shares, strict=True)
            for side in part.understood.sides
        )
        return cls(space, fused.vector, tuple(sides), bridge, adapter)

    @property
    def asked(self) -> tuple[Modality, ...]:
        """What was asked: the modalities of its sides."""
        return tuple(dict.fromkeys(side.origin.modality for side in self.sides))
