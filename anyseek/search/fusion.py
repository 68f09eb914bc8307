"""Ways to join the parts of a query: as one vector, before anything is looked up, or by their answers, afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from ..errors import BadQuery
from ..fusion.early import EarlyFusion
from ..fusion.named import EARLY, Trained, early_fusion

__all__ = ["FUSIONS", "LATE", "Best", "Fusion", "LateFusion", "ReciprocalRank", "fusion_named", "pushed", "together"]


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


LATE: dict[str, Callable[[], LateFusion]] = {"max": Best, "rrf": ReciprocalRank}

FUSIONS = (*EARLY, *LATE)
"""All there are, by name."""


def fusion_named(fusion: str | Fusion, trained: Trained | None = None) -> Fusion:
    """Look a fusion up by its name; one that is given is given back.

    Args:
        fusion: Its name, or one.
        trained: What was trained for the spaces that are searched.

    Raises:
        BadQuery: There is none of that name.
    """
    if not isinstance(fusion, str):
        return fusion
    found = LATE[fusion]() if fusion in LATE else early_fusion(fusion, trained)
    if found is None:
        raise BadQuery(f"no fusion is called {fusion!r}: use {', '.join(FUSIONS)}")
    return found
