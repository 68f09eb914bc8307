"""Which labels hold: those that are relevant, come near the likeliest one, and stand out against all others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["holding", "rivals_of"]

MARGIN = math.log(2)
STANDOUT = math.log(40)
RANK = 6


def rivals_of(kinds: Sequence[object]) -> list[np.ndarray]:
    """Who competes with whom: the places of those of equal kind, in the order in which kinds first appear."""
    return [np.array([place for place, other in enumerate(kinds) if other == kind]) for kind in dict.fromkeys(kinds)]


def holding(scores: np.ndarray, rivals: Sequence[np.ndarray], least: float) -> np.ndarray:
    """Find the labels that hold of each segment.

    A classifier's mistake is rarely one label: what it does not know is a little like many things. So a label holds only where, among its
    rivals, its odds are at least half of the likeliest one's, and at least forty times those of the sixth likeliest. Where no
    more than six compete, the latter is left out. docs/tags.md has what each of these is worth.

    Args:
        scores: (n, labels) log-odds of being relevant; -inf where a label is not asked of a segment.
        rivals: Places of labels that compete; each label in one of them.
        least: The least log-odds with which a label holds.

    Returns:
        (n, labels) bool.
    """
    holds = np.zeros(scores.shape, bool)
    for places in rivals:
        mine = scores[:, places]
        floor = np.maximum(mine.max(axis=1) - MARGIN, least)
        if len(places) > RANK:
            floor = np.maximum(floor, np.partition(mine, -RANK, axis=1)[:, -RANK] + STANDOUT)
        holds[:, places] = (mine >= floor[:, None]) & np.isfinite(mine)
    return holds
