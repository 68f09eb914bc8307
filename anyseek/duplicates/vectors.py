"""The vectors of whole files in one space, how alike they are by chance, and which are nearest to each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..storage.catalog import Catalog, SpaceRow
from ..storage.space_index import SpaceIndex
from ..types import Kind, Modality

__all__ = ["Usual", "Whole", "likely_pairs", "space_of", "usual", "wholes"]

SAMPLE = 1_000
MOST_COSINE = 0.9999
NORMAL = 1.4826
FEWEST = 8
ANCHORS = 16
NEIGHBOURS = 128
LIKELY = 32
LIKELY_DEVIATIONS = 1.0
READ_AT_ONCE = 1_000
_PREFERRED = {
    Kind.IMAGE: (Modality.IMAGE,),
    Kind.AUDIO: (Modality.AUDIO,),
    Kind.VIDEO: (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO),
}


class Usual(NamedTuple):
    """How alike two files are by chance: median and deviation of the inverse hyperbolic tangent of the cosine (Fisher's z).

    The deviation is that of a normal distribution with the same median distance from the median: some files *are* alike, and must not
    count as chance.
    """

    median: float
    deviation: float

    def cosine(self, deviations: float) -> float:
        """The cosine that lies so many deviations above the median; always below 1."""
        return float(np.tanh(self.median + deviations * self.deviation))


class Whole(NamedTuple):
    """The vectors of some contents: ids (n,), and (n, dim) float32 unit rows, each the mean of its content's segments."""

    ids: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float32]


def space_of(catalog: Catalog, kind: Kind) -> tuple[SpaceRow, Modality] | None:
    """The first space that serves and has vectors of a kind, and what of it they are of."""
    for row in catalog.spaces("serving"):
        for modality in _PREFERRED[kind]:
            if len(catalog.live_embeddings(row.id, kinds={kind}, modalities={modality})):
                return row, modality
    return None


def wholes(catalog: Catalog, space: SpaceRow, modality: Modality, content_ids: Sequence[int]) -> Whole:
    """Read the vectors of contents; those without any are left out."""
    found, rows = [], []
    for start in range(0, len(content_ids), READ_AT_ONCE):
        ids, contents, segments = catalog.embeddings_of(content_ids[start : start + READ_AT_ONCE], space.id)
        of_modality = np.array([segment.modality is modality for segment in segments], np.bool_)
        if not of_modality.any():
            continue
        vectors, contents = catalog.vectors(ids[of_modality]), contents[of_modality]
        known, which = np.unique(contents, return_inverse=True)
        sums = np.zeros((len(known), vectors.shape[1]), np.float32)
        np.add.at(sums, which, vectors)
        found.append(known)
        rows.append(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9))
    if not found:
        return Whole(np.empty(0, np.int64), np.empty((0, space.space.dim), np.float32))
    return Whole(np.concatenate(found), np.concatenate(rows))


def usual(whole: Whole) -> Usual | None:
    """How alike files are by chance, from a sample at equal distances; None where there are too few to tell."""
    if len(whole.ids) < FEWEST:
        return None
    rows = whole.rows[np.linspace(0, len(whole.ids) - 1, min(SAMPLE, len(whole.ids))).astype(np.int64)]
    cosines = (rows @ rows.T)[np.triu_indices(len(rows), 1)].astype(np.float64)
    scaled = np.arctanh(np.clip(cosines, -MOST_COSINE, MOST_COSINE))
    median = float(np.median(scaled))
    return Usual(median, NORMAL * float(np.median(np.abs(scaled - median))))


def likely_pairs(catalog: Catalog, index: SpaceIndex, kind: Kind, modality: Modality, content_ids: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of films, or of sounds, that are worth a closer look.

    Each is asked for by up to `ANCHORS` of its segments, evenly spaced. Of the contents that come nearest to any of these the first
    `LIKELY` count, as far as they are nearer than files usually are. All of that is linear in the vectors for each file.

    Returns:
        Ids of contents, the lower first.
    """
    ids, contents, segments = catalog.embeddings_of(content_ids, index.space.id)
    wanted = np.array([segment.modality is modality for segment in segments], np.bool_)
    ids, contents = ids[wanted], contents[wanted]
    known = np.unique(contents)
    if len(known) < 2:
        return set()
    chance = usual(wholes(catalog, index.space, modality, known.tolist()))
    least = -1.0 if chance is None else chance.cosine(LIKELY_DEVIATIONS)
    by_id = dict(zip(ids.tolist(), contents.tolist(), strict=True))
    pairs: set[tuple[int, int]] = set()
    for content in known.tolist():
        own = contents == content
        mine = ids[own]
        anchors = mine[np.linspace(0, len(mine) - 1, min(ANCHORS, len(mine))).astype(np.int64)]
        scores, hits = index.search(catalog.vectors(anchors), NEIGHBOURS, allowed=np.sort(ids[~own]))
        best = _best_of_each(scores, hits, by_id)
        nearest = sorted(best, key=lambda other: (-best[other], other))[:LIKELY]
        pairs |= {(min(content, other), max(content, other)) for other in nearest if best[other] >= least}
    return pairs


def _best_of_each(scores: np.ndarray, hits: np.ndarray, content_of: Mapping[int, int]) -> dict[int, float]:
    """The highest cosine with any segment, by content."""
    best: dict[int, float] = {}
    for score, hit in zip(scores.ravel().tolist(), hits.ravel().tolist(), strict=True):
        if hit in content_of:
            content = content_of[hit]
            best[content] = max(score, best.get(content, -1.0))
    return best
