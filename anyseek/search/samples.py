"""What a space holds, by a sample of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..storage.catalog import Catalog, SpaceRow
from ..types import Modality

__all__ = ["Sample", "draw"]

LARGEST = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some of the vectors of one modality.

    Attributes:
        ids: (n,) int64, of the embeddings.
        vectors: (n, dim) float32 unit rows.
        contents: (n,) int64, the content that each belongs to.
        of: How many there are in all.
    """

    ids: np.ndarray
    vectors: np.ndarray
    contents: np.ndarray
    of: int

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def distinct(self) -> int:
        """From how many contents they are."""
        return len(set(self.contents.tolist()))


def draw(catalog: Catalog, space: SpaceRow, modality: Modality) -> Sample:
    """Take at most `LARGEST` of the vectors that can be found, at equal distances in the order in which they were stored.

    The same library gives the same sample, and every folder that was indexed has its share in it.
    """
    ids = catalog.live_embeddings(space.id, modalities={modality})
    chosen = ids[np.linspace(0, len(ids) - 1, min(len(ids), LARGEST)).astype(np.int64)] if len(ids) else ids
    contents = np.array([row.content_id for row in catalog.segments_of(chosen)], np.int64)
    return Sample(chosen, catalog.vectors(chosen).reshape(len(chosen), space.space.dim), contents, len(ids))
