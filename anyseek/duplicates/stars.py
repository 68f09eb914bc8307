"""Groups in which each member is like the first: stars, where chains would join A with C because both are like B."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Star", "stars"]

Star = tuple[int, list[int]]
"""The place of the first, and those of the others."""


def stars(order: Sequence[int], like: Callable[[int, npt.NDArray[np.bool_]], Iterable[int]]) -> list[Star]:
    """Let one after the other take all those that are like it and that nobody has taken yet.

    Args:
        order: Places, the best first.
        like: Which of those that are free a place may take.

    Returns:
        The places that took any, with them.
    """
    free = np.ones(max(order, default=-1) + 1, np.bool_)
    found: list[Star] = []
    for place in order:
        if not free[place]:
            continue
        free[place] = False
        taken = [int(other) for other in like(place, free)]
        free[taken] = False
        if taken:
            found.append((place, taken))
    return found
