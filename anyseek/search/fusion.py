"""How several things become one: vectors, before anything is looked up, or scores, afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from ..errors import BadQuery

__all__ = [
    "FUSIONS",
    "SHORTEST",
    "Best",
    "EarlyFusion",
    "Fused",
    "Fusion",
    "LateFusion",
    "ReciprocalRank",
    "WeightedMean",
    "cancels_out",
    "fusion_named",
    "mean_length",
    "pushed",
    "together",
    "unit_mean",
    "unit_rows",
    "weighted_mean",
]

SHORTEST = 1e-6


class Fused(NamedTuple):
    """Several vectors as one.

    Attributes:
        vector: (dim,) float32 unit vector.
        shares: How much of each is in it: for a linear fusion, the sum of shares times vectors is that vector. One that is not linear gives
            the shares that come nearest to it; they tell what is chance, and explain.
    """

    vector: np.ndarray
    shares: tuple[float, ...]


@runtime_checkable
class EarlyFusion(Protocol):
    """Makes one vector of those of a query's parts. A trained fusion network is one of these."""

    @property
    def name(self) -> str:
        """For people and for files."""

    @property
    def with_parts(self) -> bool:
        """Whether the parts are looked up one by one, too: to say how relevant the best is, and what those that push away take off.

        Otherwise the joined vector decides by itself, and has what pushes away in it.
        """

    def fuse(self, vectors: np.ndarray, weights: Sequence[float]) -> Fused:
        """Join vectors.

        Args:
            vectors: (n, dim) float32 unit rows, n of at least 1.
            weights: n numbers, not all 0; a negative one pushes away.

        Raises:
            BadQuery: The parts cancel each other out.
        """


@runtime_checkable
class LateFusion(Protocol):
    """Ranks contents by how well they answer each part of a query, which is looked up by itself."""

    @property
    def name(self) -> str:
        """For people and for files."""

    @property
    def depth(self) -> int | None:
        """How many contents of each part's answer count; None for all."""

    def join(self, scores: np.ndarray, weights: Sequence[float]) -> np.ndarray:
        """Give each content a number to be ranked by.

        Args:
            scores: (parts, n) log-odds that each of n contents answers each part; -inf where nothing of it was asked.
            weights: One per part, at least one above 0; a part of negative weight pushes away.

        Returns:
            (n,) float64, higher is better.
        """


Fusion = EarlyFusion | LateFusion


class WeightedMean:
    """The weighted mean of unit vectors, renormalised."""

    name: ClassVar[str] = "mean"
    with_parts: ClassVar[bool] = True

    def fuse(self, vectors: np.ndarray, weights: Sequence[float]) -> Fused:
        """Join vectors."""
        scaled = _scaled(weights)
        length = float(np.linalg.norm(scaled @ vectors))
        return Fused(weighted_mean(vectors, weights), tuple((scaled / length).tolist()) if length else ())


def together(scores: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """How relevant contents are to several parts at once: to the one that they answer best, and to none that pushes away.

    Weights multiply the odds: max(s + ln(w/W) over w > 0) + Σ(ln(1 - r·min(|w|/W, 1)) over w < 0), where r is the relevance of log-odds s
    and W the largest weight.

    Args:
        scores: (parts, n) log-odds.
        weights: One per part, at least one above 0.

    Returns:
        (n,) float64 log-odds.
    """
    largest = max(weights)
    wanted = [row + np.log(weight / largest) for row, weight in zip(scores, weights, strict=True) if weight > 0]
    return np.asarray(np.max(wanted, axis=0) + pushed(scores, weights), np.float64)


def pushed(scores: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """What the parts that push away take off the log-odds of contents; the arguments are those of `together`.

    Returns:
        (n,) float64, 0 or less.
    """
    largest, total = max(weights), np.zeros(scores.shape[1])
    for row, weight in zip(scores, weights, strict=True):
        if weight < 0:
            share = min(-weight / largest, 1.0)
            # ln(1 - share·odds/(1 + odds)), without losing what is left where the odds are high
            total += np.logaddexp(0.0, row + np.log1p(-share) if share < 1 else -np.inf) - np.logaddexp(0.0, row)
    return total


class Best:
    """A content is as good as the best of what it answers, see `together`."""

    name: ClassVar[str] = "max"
    depth: ClassVar[int | None] = None

    def join(self, scores: np.ndarray, weights: Sequence[float]) -> np.ndarray:
        """Take the best."""
        return together(scores, weights)


@dataclass(frozen=True)
class ReciprocalRank:
    """Weighted reciprocal rank fusion: the sum of weights over 60 + rank (Cormack, Clarke and Büttcher, SIGIR 2009).

    Of equal relevance, the earlier content has the better rank. What answers a part not at all gets nothing from it. What pushes away takes
    as much off the sum as off a relevance: reciprocal ranks below 0 would push whatever is wanted at the same time.
    """

    name: ClassVar[str] = "rrf"
    depth: int | None = 1000
    constant: float = 60.0

    def join(self, scores: np.ndarray, weights: Sequence[float]) -> np.ndarray:
        """Sum over the parts that are wanted."""
        total = np.zeros(scores.shape[1])
        for row, weight in zip(scores, weights, strict=True):
            if weight > 0:
                order = np.argsort(-row, kind="stable")[: self.depth]
                order = order[np.isfinite(row[order])]
                total[order] += weight / (self.constant + np.arange(1, len(order) + 1))
        return np.asarray(total * np.exp(pushed(scores, weights)))


FUSIONS: dict[str, Callable[[], Fusion]] = {"mean": WeightedMean, "rrf": ReciprocalRank, "max": Best}


def fusion_named(fusion: str | Fusion) -> Fusion:
    """Look a fusion up by its name; one that is given is given back.

    Raises:
        BadQuery: There is none of that name.
    """
    if not isinstance(fusion, str):
        return fusion
    if fusion not in FUSIONS:
        raise BadQuery(f"no fusion is called {fusion!r}: use {', '.join(FUSIONS)}")
    return FUSIONS[fusion]()


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
    mean = _scaled(weights) @ vectors
    return np.asarray(mean / float(np.linalg.norm(mean)), np.float32)


def cancels_out(vectors: np.ndarray, weights: Sequence[float]) -> bool:
    """Whether nothing is left of the weighted sum of some vectors."""
    return float(np.linalg.norm(_scaled(weights) @ vectors)) < SHORTEST


def _scaled(weights: Sequence[float]) -> np.ndarray:
    """Weights, the largest of which is 1 or -1, whatever it was."""
    of = np.asarray(weights, np.float64)
    return np.asarray(of / (np.abs(of).max() or 1.0))


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
