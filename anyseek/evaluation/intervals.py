"""How sure a difference between two ways to search is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["LEAST_QUERIES", "Interval", "paired_interval"]

LEAST_QUERIES = 6
"""With fewer, not even the same change of all of them would be significant at 5 % by a sign test (2/2^5 is 6 %)."""
RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean difference and where it lies with 95 % confidence.

    Attributes:
        difference: The mean over the queries.
        low: Lower end.
        high: Upper end.
        queries: How many were compared.
    """

    difference: float
    low: float
    high: float
    queries: int

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def paired_interval(before: Sequence[float], after: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0) -> Interval | None:
    """The percentile bootstrap over queries (B. Efron, R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13).

    Both ways answer the same queries, so what is drawn are queries with both of their values. Equal differences are drawn together, by
    a multinomial distribution: that is the same as drawing them one by one, and takes no longer for many queries.

    Args:
        before: (n,) values of the queries.
        after: (n,) of the same queries.
        resamples: How often n queries are drawn.
        seed: Of the random numbers, so that the same values give the same interval.

    Returns:
        The difference of `after` to `before`; None with fewer than `LEAST_QUERIES`.
    """
    differences = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    count = len(differences)
    if count < LEAST_QUERIES:
        return None
    distinct, times = np.unique(differences, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(count, times / count, size=resamples)
    means = drawn @ distinct / count
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(differences.mean()), float(low), float(high), count)
