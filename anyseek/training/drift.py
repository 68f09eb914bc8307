"""What becomes of queries that nothing was taught about: the reference captions, before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .judge import BLOCK, Media, Shelf

__all__ = ["Drift", "drift_of"]

FIRST = 10
BEST = 3


@dataclass(frozen=True, slots=True)
class Drift:
    """How the answers to unrelated queries change.

    Attributes:
        captions: How many were asked.
        first_kept: The share whose first hit stays the same, in [0, 1].
        overlap: How many of the first ten hits stay among them, as a share.
        lost: Of their first three hits, the share that is not among the first ten any more: what `recall@10` loses where what was found
            first was right.
    """

    captions: int
    first_kept: float
    overlap: float
    lost: float


def drift_of(before: np.ndarray, after: np.ndarray, media_before: Media, media_after: Media) -> Drift | None:
    """Ask captions in two ways, of pictures, sounds and whatever else there is apart; the figures are means over these.

    Args:
        before: (c, dim) float32 unit rows, captions in the space as it is.
        after: (c, dim) the same as they are asked with what was trained.
        media_before: What is found.
        media_after: The same segments, as they are stored for what was trained.

    Returns:
        It; None without captions or media.
    """
    if not len(before):
        return None
    found = [
        _of_shelf(before, after, shelf, media_after.shelves[modality])
        for modality, shelf in media_before.shelves.items()
        if len(shelf.contents) > 1
    ]
    if not found:
        return None
    first, overlap, lost = np.mean(found, axis=0)
    return Drift(len(before), float(first), float(overlap), float(lost))


def _of_shelf(before: np.ndarray, after: np.ndarray, shelf_before: Shelf, shelf_after: Shelf) -> tuple[float, float, float]:
    firsts, seconds = [], []
    for start in range(0, len(before), BLOCK):
        block = slice(start, start + BLOCK)
        firsts.append(_top(shelf_before.best(before[block])))
        seconds.append(_top(shelf_after.best(after[block])))
    one, other = np.concatenate(firsts), np.concatenate(seconds)
    stays = (one[:, :, None] == other[:, None, :]).any(axis=2)
    return float((one[:, 0] == other[:, 0]).mean()), float(stays.mean()), float(1 - stays[:, :BEST].mean())


def _top(scores: np.ndarray) -> np.ndarray:
    """The places of the highest ten of each row, the highest first."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :FIRST]
