"""Sums and means of unit vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import BadQuery

__all__ = ["SHORTEST", "cancels_out", "mean_length", "scaled", "shares_of", "unit_mean", "unit_rows", "weighted_mean"]

SHORTEST = 1e-6
"""What is shorter than this points nowhere."""


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
    mean = scaled(weights) @ vectors
    return np.asarray(mean / float(np.linalg.norm(mean)), np.float32)


def cancels_out(vectors: np.ndarray, weights: Sequence[float]) -> bool:
    """Whether nothing is left of the weighted sum of some vectors."""
    return float(np.linalg.norm(scaled(weights) @ vectors)) < SHORTEST


def scaled(weights: Sequence[float]) -> np.ndarray:
    """Weights, the largest of which is 1 or -1, whatever it was, (n,) float64."""
    of = np.asarray(weights, np.float64)
    return np.asarray(of / (np.abs(of).max() or 1.0))


def shares_of(vector: np.ndarray, vectors: np.ndarray) -> tuple[float, ...]:
    """The shares with which some vectors come nearest to another one: least squares, of all that do the shortest.

    Args:
        vector: (dim,) the one to come near to.
        vectors: (n, dim) what it is to be made of.
    """
    found, *_ = np.linalg.lstsq(np.asarray(vectors, np.float64).T, np.asarray(vector, np.float64), rcond=None)
    return tuple(found.tolist())


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
