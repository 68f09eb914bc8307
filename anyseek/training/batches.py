"""The pairs of a step: which queries and targets there are, which of them go together, and how much each counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .problem import Edges

__all__ = ["KNOWN_WRONG", "Augment", "Batch", "Draw", "Pairing", "shuffled"]

KNOWN_WRONG = 4.0
"""How many times a target that is known to be wrong competes: others are only taken to be."""

MOST_WRONG = 8
"""Known wrong targets that a query brings into a batch at most."""

Draw = Callable[[np.random.Generator], Iterator[np.ndarray]]
"""Draws the batches of an epoch: arrays of places in the training edges. All chance must come from the generator."""

Augment = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Changes the vectors of a batch, never their number: queries (b, dim), targets (c, dim), which go together (b, c) bool, chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step sees.

    Attributes:
        queries: (b,) int64 rows of the problem, each once.
        targets: (c,) int64 rows, each once.
        positives: (b, c) bool, which go together.
        weights: (b, c) float32: how much a right pair counts, times how often it was drawn; how many times a wrong one competes.
    """

    queries: np.ndarray
    targets: np.ndarray
    positives: np.ndarray
    weights: np.ndarray


class Pairing:
    """Makes batches of drawn pairs. Whatever else is known of what they bring together counts, too.

    Args:
        edges: The training part.
        targets: How many targets the problem has.
    """

    def __init__(self, edges: Edges, targets: int) -> None:
        self._edges = edges
        self._width = max(1, targets)
        mean = float(edges.weights.mean()) if len(edges) else 1.0
        codes = edges.query * self._width + edges.target
        order = np.argsort(codes, kind="stable")
        codes, starts = np.unique(codes[order], return_index=True)
        self._codes = codes
        # a pair that is said twice counts twice; said both ways, it is wrong
        self._counts = np.add.reduceat(edges.weights[order], starts) / mean if len(edges) else np.zeros(0)
        self._right = np.logical_and.reduceat(edges.positive[order], starts) if len(edges) else np.zeros(0, bool)
        self._wrong_codes = codes[~self._right]

    def right(self, queries: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Which are known to go together, (b, c) bool."""
        found, places = self._look_up(queries, targets)
        return np.asarray(found & self._right[places]) if len(self._codes) else found

    def wrong(self, queries: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Which are known not to, (b, c) bool."""
        found, places = self._look_up(queries, targets)
        return np.asarray(found & ~self._right[places]) if len(self._codes) else found

    def batch(self, places: np.ndarray, chance: np.random.Generator) -> Batch:
        """Make the batch of some drawn pairs, with some of the targets that are known to be wrong for its queries."""
        edges = self._edges
        queries = np.unique(edges.query[places])
        drawn = edges.target[places]
        targets = np.unique(np.concatenate([drawn, *(self._some_wrong(query, chance) for query in queries.tolist())]))
        found, at = self._look_up(queries, targets)
        weights = np.ones(found.shape, np.float32)
        positives = np.zeros(found.shape, bool)
        if len(self._codes):
            positives = found & self._right[at]
            weights[positives] = self._counts[at][positives]
            weights[found & ~self._right[at]] = KNOWN_WRONG
            times = np.zeros(found.shape, np.float32)
            np.add.at(times, (np.searchsorted(queries, edges.query[places]), np.searchsorted(targets, drawn)), 1)
            weights[positives] *= np.maximum(times, 1)[positives]
        return Batch(queries, targets, positives, weights)

    def _look_up(self, queries: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes = queries[:, None] * self._width + targets[None, :]
        places = np.minimum(np.searchsorted(self._codes, codes), max(0, len(self._codes) - 1))
        return (self._codes[places] == codes) if len(self._codes) else np.zeros(codes.shape, bool), places

    def _some_wrong(self, query: int, chance: np.random.Generator) -> np.ndarray:
        first, end = np.searchsorted(self._wrong_codes, (query * self._width, (query + 1) * self._width))
        codes = self._wrong_codes[first:end]
        return np.asarray((chance.permutation(codes)[:MOST_WRONG] if len(codes) > MOST_WRONG else codes) - query * self._width)


def shuffled(edges: Edges, size: int) -> Draw:
    """Draws all right pairs once in every epoch, so many at a time."""
    right = np.flatnonzero(edges.positive)

    def draw(chance: np.random.Generator) -> Iterator[np.ndarray]:
        order = chance.permutation(right)
        for start in range(0, len(order), size):
            yield order[start : start + size]

    return draw
