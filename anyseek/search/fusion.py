"""How the parts of a query become one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import BadQuery

__all__ = ["weighted_mean"]


def weighted_mean(vectors: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """The weighted mean of unit vectors, renormalised; a negative weight pushes away.

    Args:
        vectors: (n, dim) float32 unit rows.
        weights: n numbers.

    Returns:
        (dim,) float32 unit vector.

    Raises:
        BadQuery: The parts cancel each other out.
    """
    mean = np.asarray(weights, np.float64) @ vectors
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        raise BadQuery("the parts of the query cancel each other out: change their weights")
    return np.asarray(mean / length, np.float32)
