"""Exact search among some rows: they are gathered and multiplied, whatever else the index holds."""

from __future__ import annotations

import numpy as np

from .protocol import Floats, Halves, Ids
from .ranking import no_answers, slack_of, take_best

__all__ = ["search_rows"]

CHUNK_ROWS = 16_384  # in single precision at 384 dimensions: 25 MB
QUERY_ROWS = 64


def search_rows(queries: Floats, halves: Halves, row_ids: Ids, rows: Ids, k: int) -> tuple[Floats, Ids]:
    """Find the nearest of some rows; see `VectorIndex.search`.

    Args:
        queries: (q, dim) float32.
        halves: (n, dim), all rows.
        row_ids: (n,) their ids.
        rows: (m,) the numbers of those to look at, ascending.
        k: How many.
    """
    scores, ids = no_answers(len(queries), k)
    if not len(rows) or not k:
        return scores, ids
    for start in range(0, len(queries), QUERY_ROWS):
        block = queries[start : start + QUERY_ROWS]
        for offset, candidates in enumerate(_candidates(block, halves, rows, k)):
            best = take_best(block[offset], halves[candidates], row_ids[candidates], k)
            scores[start + offset, : len(best[0])], ids[start + offset, : len(best[1])] = best
    return scores, ids


def _candidates(queries: Floats, halves: Halves, rows: Ids, k: int) -> list[Ids]:
    """Collect for each query the rows that may be among its best k."""
    everything = len(rows) == len(halves)
    slack = np.array([slack_of(query) for query in queries], np.float32)
    found = [np.empty(0, np.int64) for _ in queries]
    found_scores = [np.empty(0, np.float32) for _ in queries]
    floor = np.full(len(queries), -np.inf, np.float32)
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = rows[start : start + CHUNK_ROWS]
        block = halves[start : start + CHUNK_ROWS] if everything else halves[chunk]
        scores = queries @ block.astype(np.float32).T
        for q in range(len(queries)):
            good = np.flatnonzero(scores[q] >= floor[q])
            found[q] = np.concatenate([found[q], chunk[good]])
            found_scores[q] = np.concatenate([found_scores[q], scores[q, good]])
            if len(found[q]) > k:
                floor[q] = np.partition(found_scores[q], -k)[-k] - slack[q]
                kept = found_scores[q] >= floor[q]
                found[q], found_scores[q] = found[q][kept], found_scores[q][kept]
    return found
