"""How several vectors become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import BadQuery

__all__ = ["SHORTEST", "cancels_out", "mean_length", "unit_mean", "unit_rows", "weighted_mean"]

SHORTEST = 1e-6


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
    if cancels_out(vectors, weights):
        raise BadQuery("the parts of the query cancel each other out: change their weights")
    mean = np.asarray(weights, np.float64) @ vectors
    return np.asarray(mean / float(np.linalg.norm(mean)), np.float32)


def cancels_out(vectors: np.ndarray, weights: Sequence[float]) -> bool:
    """Whether nothing is left of the weighted sum of some vectors."""
    return float(np.linalg.norm(np.asarray(weights, np.float64) @ vectors)) < SHORTEST


def unit_mean(vectors: np.ndarray) -> np.ndarray:
    """The direction in which unit rows point together; the first row's when they cancel out.

    Args:
        vectors: (n, dim) float32 unit rows, n of at least 1.

    Returns:
        (dim,) float32 unit vector.
    """
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length > SHORTEST else vectors[0], np.float32)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1; those of length 0 stay as they are."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > SHORTEST, lengths, 1.0))


def mean_length(vectors: np.ndarray) -> np.ndarray:
    """The root of the mean squared length of rows, () float32."""
    return np.asarray(np.sqrt((vectors**2).sum(axis=1).mean()), np.float32)
