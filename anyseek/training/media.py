"""All that held-out queries may find: what is stored in a space, or as much of it as can be ranked in a moment."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..storage.catalog import Catalog, SpaceRow
from .judge import Media

__all__ = ["LARGEST", "candidates_of"]

LARGEST = 50_000


def candidates_of(catalog: Catalog, space: SpaceRow, answers: Collection[int], most: int = LARGEST) -> tuple[Media, int]:
    """Read segments that can be found, with their vectors.

    Args:
        catalog: Of the library.
        space: Where they are stored.
        answers: Contents that must be among them, as far as they can be found: those that are right.
        most: How many segments of others to take, at equal distances in the order in which they were stored.

    Returns:
        The media, and how many segments there are in all.
    """
    live = catalog.live_embeddings(space.id)
    spread = live[np.linspace(0, len(live) - 1, min(len(live), most)).astype(np.int64)] if len(live) else live
    wanted = np.intersect1d(catalog.embeddings_of(answers, space.id)[0], live)
    ids = np.union1d(spread, wanted)
    rows = catalog.segments_of(ids.tolist())
    kept = [row.embedding_id for row in rows]
    vectors = catalog.vectors(kept).reshape(len(kept), space.space.dim)
    contents = np.array([row.content_id for row in rows], np.int64)
    stretches = np.array([(row.segment.start_ms, row.segment.end_ms) for row in rows], np.int64).reshape(-1, 2)
    return Media(vectors, contents, tuple(row.segment.modality for row in rows), stretches), len(live)
