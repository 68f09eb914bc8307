"""What is looked up in one space: the query as that space understands it, and how it came there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .backgrounds import Origin
from .fusion import SHORTEST, unit_mean, weighted_mean
from .spaces import SearchSpace

__all__ = ["Probe", "Side", "Understood"]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One thing of a query in one space: what a text says, what an example shows, what it sounds like.

    Attributes:
        origin: Which sort of query it is.
        vector: (dim,) float32 unit vector.
        share: How much of it is in the vector that is looked up: the sum of shares times vectors is that vector.
    """

    origin: Origin
    vector: np.ndarray
    share: float

    def times(self, factor: float) -> Side:
        """The same with a share that is `factor` times as large."""
        return replace(self, share=self.share * factor)


@dataclass(frozen=True, slots=True, eq=False)
class Understood:
    """One part of a query as one space understands it.

    Attributes:
        vector: (dim,) float32 unit vector.
        sides: What it is made of.
    """

    vector: np.ndarray
    sides: tuple[Side, ...]

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


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A query as one space understands it.

    Attributes:
        space: Where to look it up.
        vector: (dim,) float32 unit vector.
        sides: What it is made of.
        bridge: How what the space does not understand by itself came there; None if nothing of the kind is in it.
    """

    space: SearchSpace
    vector: np.ndarray
    sides: tuple[Side, ...]
    bridge: str | None = None

    @classmethod
    def of(cls, space: SearchSpace, parts: Sequence[tuple[Understood, float]], bridge: str | None = None) -> Probe:
        """Join the parts that a space understands, each with its weight.

        Raises:
            BadQuery: They cancel each other out.
        """
        rows, weights = np.stack([part.vector for part, _ in parts]), [weight for _, weight in parts]
        vector = weighted_mean(rows, weights)
        length = float(np.linalg.norm(np.asarray(weights, np.float64) @ rows))
        return cls(space, vector, tuple(side.times(weight / length) for part, weight in parts for side in part.sides), bridge)
