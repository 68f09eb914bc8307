"""The weighted mean."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from .early import Fused, Pieces
from .vectors import scaled, weighted_mean

__all__ = ["WeightedMean", "summed"]


class WeightedMean:
    """The weighted mean of unit vectors, renormalised."""

    name: ClassVar[str] = "mean"
    with_parts: ClassVar[bool] = True

    def fuse(self, pieces: Pieces) -> Fused:
        """Join vectors."""
        return summed(pieces, pieces.weights)


def summed(pieces: Pieces, weights: tuple[float, ...]) -> Fused:
    """Join pieces by other weights than their own.

    Raises:
        BadQuery: They cancel each other out.
    """
    vector = weighted_mean(pieces.vectors, weights)
    of = scaled(weights)
    return Fused(vector, tuple((of / float(np.linalg.norm(of @ pieces.vectors))).tolist()))
