"""What is looked up in one space: the query as that space understands it, and how it came there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..types import Modality
from .backgrounds import Origin
from .fusion import SHORTEST, EarlyFusion, WeightedMean, unit_mean
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

    @classmethod
    def together(cls, several: Sequence[Understood]) -> Understood:
        """The mean of at least one; the first where they cancel out."""
        rows = np.stack([understood.vector for understood in several])
        length = float(np.linalg.norm(rows.mean(axis=0)))
        if length < SHORTEST:
            return several[0]
        share = 1 / (len(several) * length)
        return cls(unit_mean(rows), tuple(side.times(share) for understood in several for side in understood.sides))


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
    """

    space: SearchSpace
    vector: np.ndarray
    sides: tuple[Side, ...]
    bridge: str | None = None
    adapter: str | None = None

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
        fused = (fusion or WeightedMean()).fuse(np.stack([part.understood.vector for part in parts]), [part.weight for part in parts])
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
