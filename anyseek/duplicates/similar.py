"""Files that show or sound much the same, by their vectors: other shots of one scene, other takes of one piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..storage.fingerprints import LiveContent
from .keeping import best_first
from .stars import stars
from .vectors import Whole, usual

__all__ = ["Found", "least_cosine", "similar_files"]

DEVIATIONS = 8.0
WITHOUT_CHANCE = 0.95
BLOCK_CELLS = 1 << 25

Found = tuple[LiveContent, list[tuple[LiveContent, float]]]


def least_cosine(whole: Whole) -> float:
    """The cosine from which on files of a kind are similar: eight deviations above what two of them have by chance.

    Which cosines are high differs from model to model, and within one from pictures to sounds. With few files there is no telling what is
    chance, and it is `WITHOUT_CHANCE`.
    """
    chance = usual(whole)
    return WITHOUT_CHANCE if chance is None else chance.cosine(DEVIATIONS)


def similar_files(contents: Sequence[LiveContent], whole: Whole, least: float) -> list[Found]:
    """Group files of one kind, each with the one to keep by a cosine of `least` at least.

    All are compared with all, by products of matrices: for n files that is n² / 2 cosines, of which a core computes some hundred million
    a second.

    Returns:
        The one to keep of each group, and the others with their cosines, the highest first.
    """
    row_of = {int(id_): row for row, id_ in enumerate(whole.ids)}
    ranked = best_first([content for content in contents if content.id in row_of])
    rows = whole.rows[[row_of[content.id] for content in ranked]]
    near = _Near(rows, least)
    return [
        (
            ranked[first],
            sorted(((ranked[other], near.cosine(first, other)) for other in others), key=lambda other: (-other[1], other[0].path)),
        )
        for first, others in stars(range(len(ranked)), near.of)
    ]


class _Near:
    """Which rows are near to one. They are asked for in ascending order, and only about those behind it: computed some at a time."""

    def __init__(self, rows: npt.NDArray[np.float32], least: float) -> None:
        self.rows = rows
        self.least = least
        self._height = max(1, BLOCK_CELLS // max(1, len(rows)))
        self._start = 0
        self._behind: list[npt.NDArray[np.int64]] = []

    def of(self, place: int, free: npt.NDArray[np.bool_]) -> list[int]:
        """Those of the free ones behind a place that are near to it."""
        if not self._behind or place >= self._start + len(self._behind):
            self._start = place
            cosines = self.rows[place : place + self._height] @ self.rows[place:].T
            self._behind = [np.flatnonzero(near) + place for near in cosines >= self.least]
        others = self._behind[place - self._start]
        return [other for other in others[free[others]].tolist() if other > place]

    def cosine(self, one: int, other: int) -> float:
        """Of two rows."""
        return min(1.0, float(self.rows[one] @ self.rows[other]))
