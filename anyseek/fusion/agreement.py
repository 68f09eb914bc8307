"""Weights by reliability: a piece counts for more, the more it agrees with the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .early import Fused, Pieces
from .mean import summed

__all__ = ["Agreement", "reliabilities"]

SHARPNESS = 5.0


@dataclass(frozen=True)
class Agreement:
    """The mean of unit vectors x by their weights w times their reliabilities r, renormalised.

    The support that piece i has among the others is the mean of its cosines with them, by their weights, and its reliability grows with it
    exponentially:

        support_i = Σ_j≠i w_j·(x_i·x_j) / Σ_j≠i w_j        r_i ∝ exp(sharpness·support_i)        Σ w_i·r_i = Σ w_i

    Of two pieces each supports the other alike, so that two are joined as by the mean; of three and more the one that fits the others least
    counts least. Those that are wanted are asked about each other, and so are those that push away.

    That is the power average (R. R. Yager, The Power Average Operator, IEEE Transactions on Systems, Man, and Cybernetics A 31, 2001) with
    exponential support, as the softmax of dot products in attention has it.

    Attributes:
        sharpness: How much agreement counts for; 0 is the mean.
    """

    name: ClassVar[str] = "agreement"
    with_parts: ClassVar[bool] = True
    sharpness: float = SHARPNESS

    def fuse(self, pieces: Pieces) -> Fused:
        """Join vectors."""
        weights = np.array(pieces.weights, np.float64)
        for mine in (weights > 0, weights < 0):
            if mine.any():
                weights[mine] *= reliabilities(pieces.vectors[mine], np.abs(weights[mine]), self.sharpness)
        return summed(pieces, tuple(weights.tolist()))


def reliabilities(vectors: np.ndarray, weights: np.ndarray, sharpness: float = SHARPNESS) -> np.ndarray:
    """How reliable each of several vectors is by its agreement with the others; see `Agreement`.

    Args:
        vectors: (n, dim) unit rows, n of at least 1.
        weights: (n,) numbers above 0, of any size.
        sharpness: How much agreement counts for.

    Returns:
        (n,) float64 factors; the mean of them by the weights is 1.
    """
    of = weights / weights.max()
    rows = np.asarray(vectors, np.float64)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, 0.0)
    others = of.sum() - of
    support = np.divide(cosines @ of, others, out=np.zeros(len(of)), where=others > 0)
    found = np.exp(sharpness * (support - support.max()))
    return np.asarray(found * of.sum() / (found @ of))
