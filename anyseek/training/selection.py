"""Pairs that are wrong in all likelihood, told by what the model says of the others with the same words."""

from __future__ import annotations

import numpy as np

from .examples import Examples

__all__ = ["DISAGREEING", "agreeing"]

KNOWN = 2.0
"""A word is known to the model whose files are so many deviations above chance at the median."""

CHANCE = 0.0
FEWEST_ANSWERS = 4
FEWEST_OTHERS = 8

DISAGREEING = "that the model takes for wrong, though it knows the words"


def agreeing(examples: Examples, mask: np.ndarray, known: float = KNOWN) -> np.ndarray:
    """Leave out right pairs whose file is no more like its words than files of other words are.

    To learn is to disagree with the model: a name that it does not know has files anywhere, and none of its pairs may go. So a pair goes
    only where the model knows the words: where of the four files or more that they have most lie far above chance, and this one lies
    below. Words with fewer files are left alone, and so are pairs that are known to be wrong.

    Args:
        examples: The pairs.
        mask: (e,) bool, which of them to look at; nothing else is looked at, so that what judges says nothing here.
        known: How many deviations above chance the median of a word's files must lie.

    Returns:
        (e,) bool, which of these are left.
    """
    kept = mask.copy()
    modalities = np.array([modality.value for modality in examples.target_modalities])
    used = np.unique(examples.target_of[mask])
    for modality in sorted(set(modalities[used].tolist())):
        shelf = used[modalities[used] == modality]
        rows = np.flatnonzero(mask & examples.positive & np.isin(examples.target_of, shelf))
        rows = rows[np.argsort(examples.query_of[rows], kind="stable")]
        vectors = examples.target_vectors[shelf]
        for mine in np.split(rows, np.flatnonzero(np.diff(examples.query_of[rows])) + 1):
            own = np.searchsorted(shelf, examples.target_of[mine])
            if len(mine) < FEWEST_ANSWERS or len(shelf) - len(set(own.tolist())) < FEWEST_OTHERS:
                continue
            cosines = vectors @ examples.query_vectors[examples.query_of[mine[0]]]
            scores = _deviations(cosines[own], np.delete(cosines, own))
            if np.median(scores) >= known:
                kept[mine[scores < CHANCE]] = False
    return kept


def _deviations(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far cosines lie above the mean of others, in deviations of all: others that are all of one sort vary little."""
    spread = float(np.concatenate([own, others]).std())
    return np.asarray((own - others.mean()) / max(spread, 1e-6))
