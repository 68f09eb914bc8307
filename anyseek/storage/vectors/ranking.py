"""The last step of every search: the best candidates in exact order.

Single precision sums depend on the order in which a matrix product adds, so that two copies of a vector may get scores that differ in
the last bit, and two implementations two orders. Candidates are therefore collected with some slack and scored anew in double precision.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .protocol import Floats, Halves, Ids

__all__ = ["checked_queries", "no_answers", "slack_of", "take_best"]

RESCORE_ROWS = 8192


def checked_queries(queries: Floats, dim: int, k: int) -> Floats:
    """Refuse queries of another shape."""
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise ValueError(f"queries of shape {queries.shape} do not fit an index of dimension {dim}")
    if k < 0:
        raise ValueError(f"{k} answers cannot be given")
    return np.ascontiguousarray(queries, np.float32)


def no_answers(queries: int, k: int) -> tuple[Floats, Ids]:
    """What a search returns that finds nothing."""
    return np.full((queries, k), -np.inf, np.float32), np.full((queries, k), -1, np.int64)


def slack_of(query: Floats) -> float:
    """How far two single precision scores of a query with unit vectors may be off together: 2 n u |q| (Higham 2002, section 3.1)."""
    return float(len(query) * np.finfo(np.float32).eps * np.linalg.norm(query))


def take_best(query: Floats, vectors: Halves, ids: Ids, k: int) -> tuple[Floats, Ids]:
    """Put candidates in exact order.

    Args:
        query: (dim,).
        vectors: (m, dim), the candidates.
        ids: (m,).
        k: How many to keep.

    Returns:
        Scores and ids of the best, at most k.
    """
    scores = np.empty(len(ids), np.float32)
    double = query.astype(np.float64)
    for start in range(0, len(ids), RESCORE_ROWS):
        block = vectors[start : start + RESCORE_ROWS].astype(np.float64)
        products: npt.NDArray[np.float64] = block * double
        scores[start : start + len(block)] = products.sum(axis=1)
    order = np.lexsort((ids, -scores))[:k]
    return scores[order], ids[order]
