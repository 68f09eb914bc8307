"""Which pairs a training sees how often, and how much each counts, so that the frequent does not drown the rare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .batches import Draw
from .examples import Examples
from .problem import Edges

__all__ = ["BETA", "MOST_ALIKE", "Sampling", "capped", "class_weights", "effective_numbers"]

BETA = 0.99
"""Of the effective number: by 0.99 a class counts for about as much as a hundred pairs however many it has."""

MOST_ALIKE = 3
"""So many files that are nearly the same count for one query."""

POWER = 0.5
"""Classes and sources are drawn by this power of their size, halfway between their size and all alike: five pairs seen as often as five
thousand would be learnt by heart."""


def effective_numbers(counts: Sequence[int] | np.ndarray, beta: float = BETA) -> np.ndarray:
    """How many pairs of a class really count, for further ones say ever less that is new: (1 - βⁿ) / (1 - β).

    Y. Cui, M. Jia, T.-Y. Lin, Y. Song and S. Belongie, Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019.

    Args:
        counts: (c,) n of each class, from 1 on.
        beta: β in [0, 1): 0 makes every class one pair; close to 1 all pairs count.

    Returns:
        (c,) float64, from 1 up to n.
    """
    return np.asarray(-np.expm1(np.asarray(counts, np.float64) * np.log(beta)) / (1 - beta) if beta > 0 else np.ones(len(counts)))


def class_weights(counts: Sequence[int] | np.ndarray, beta: float = BETA) -> np.ndarray:
    """What a pair of each class counts: the inverse of the class's effective number, scaled so that they add up to the number of classes.

    Args:
        counts: (c,) how many pairs each class has, from 1 on.
        beta: β in [0, 1).

    Returns:
        (c,) float64.
    """
    inverse = 1 / effective_numbers(counts, beta)
    return np.asarray(inverse * len(inverse) / inverse.sum())


def capped(examples: Examples, mask: np.ndarray, seed: int, most: int = MOST_ALIKE) -> np.ndarray:
    """Keep a few right pairs of those that pair a query with files nearly the same.

    Args:
        examples: The pairs.
        mask: (e,) bool, which of them to look at.
        seed: Of the choice.
        most: How many to keep for each query, group of near-duplicates and modality.

    Returns:
        (e,) bool, which of these are left. What is known to be wrong stays.
    """
    kept = mask.copy()
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(mask & examples.positive))
    targets = examples.target_of[rows]
    modalities = list(dict.fromkeys(examples.target_modalities))
    kinds = np.array([modalities.index(modality) for modality in examples.target_modalities], np.int64)
    keys = np.stack([examples.query_of[rows], examples.groups[targets], kinds[targets]], axis=1) if len(rows) else np.empty((0, 3))
    _, which = np.unique(keys, axis=0, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(which, kind="stable")
    firsts = np.searchsorted(which[order], which[order])
    kept[rows[order[np.arange(len(order)) - firsts >= most]]] = False
    return kept


@dataclass(frozen=True, eq=False)
class Sampling:
    """How the right pairs of a training are drawn. A class is a query with all that answers it.

    Attributes:
        edges: The pairs of the training part; wrong ones are never drawn, and come in beside their query.
        source_of: (e,) int64, where each is from.
        classes: Whether small classes are drawn more often than their size says, within each source.
        sources: Whether small sources are.
        power: Of the size by which they are then drawn: 0 for all alike, 1 for what there is.
    """

    edges: Edges
    source_of: np.ndarray
    classes: bool = True
    sources: bool = True
    power: float = POWER

    @cached_property
    def shares(self) -> np.ndarray:
        """How often each pair is drawn, (e,) float64, together 1; 0 for wrong ones."""
        right = self.edges.positive
        if not right.any():
            return np.zeros(len(right))
        _, source, sizes = np.unique(self.source_of[right], return_inverse=True, return_counts=True)
        of_source = sizes.astype(np.float64) ** (self.power if self.sources else 1)
        found = (of_source / of_source.sum())[source]
        cells = np.stack([source, self.edges.query[right]], axis=1)
        named, cell, pairs = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
        of_class = pairs.astype(np.float64) ** (self.power if self.classes else 1)
        found *= ((of_class / pairs)[cell.reshape(-1)]) / np.bincount(named[:, 0], of_class)[source]
        shares = np.zeros(len(right))
        shares[right] = found
        return shares

    def weights(self, beta: float = BETA) -> np.ndarray:
        """How much each pair counts so that classes count by their effective numbers, however often they are drawn.

        Without balanced drawing these are the weights of `class_weights`. A class that is drawn more often than its size says counts the
        less for each time, so that to balance in both ways does not balance twice.

        Args:
            beta: See `effective_numbers`.

        Returns:
            (e,) float32: times what the pairs' own weights say; their mean over what is drawn is 1.
        """
        right = self.edges.positive
        weights = np.ones(len(right))
        if right.any():
            _, which, counts = np.unique(self.edges.query[right], return_inverse=True, return_counts=True)
            wanted = counts * class_weights(counts, beta)
            drawn = np.bincount(which, self.shares[right])
            weights[right] = (wanted / wanted.sum() / drawn)[which]
        return np.asarray(weights * self.edges.weights, np.float32)

    def draw(self, size: int) -> Draw:
        """Draw as many pairs in each epoch as there are right ones, `size` at a time.

        A pair is drawn as often as its share says, give or take less than one time (systematic sampling), so that an epoch leaves out no
        more than it must.
        """
        shares = self.shares
        rows = np.flatnonzero(shares)

        def draw(chance: np.random.Generator) -> Iterator[np.ndarray]:
            order = chance.permutation(rows)
            bounds = np.cumsum(shares[order])
            at = (np.arange(len(order)) + chance.random()) / max(1, len(order)) * (bounds[-1] if len(bounds) else 1)
            drawn = chance.permutation(order[np.minimum(np.searchsorted(bounds, at, side="right"), len(order) - 1)])
            for start in range(0, len(drawn), size):
                yield drawn[start : start + size]

        return draw
