"""Finding the contents that may be among the best, and scoring all of their segments in all spaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ..storage.catalog import Catalog
from ..types import Modality, Segment
from .probe import Probe
from .query import Query
from .relevance import Relevance
from .spaces import SearchSpace
from .timings import Stopwatch

__all__ = ["Scored", "allowed_in", "best_contents", "score_contents"]

OVERFETCH = 8


@dataclass(frozen=True, slots=True)
class Scored:
    """A segment of one space and how well it answers.

    Attributes:
        segment: Of the content.
        score: Higher is better, and comparable with all others of the search.
        cosine: With the query, in that space.
        probe: What was asked there.
    """

    segment: Segment
    score: float
    cosine: float
    probe: Probe


def allowed_in(catalog: Catalog, space: SearchSpace, query: Query, *, apart: bool) -> dict[Modality | None, np.ndarray]:
    """The embeddings of a space that may be shown, in the groups that are looked up apart; groups without any are left out."""
    modalities = [modality for modality in Modality if modality is not Modality.TEXT] if apart else [None]
    found = {
        modality: catalog.live_embeddings(space.id, kinds=query.kinds or None, modalities=None if modality is None else {modality})
        for modality in modalities
    }
    return {modality: ids for modality, ids in found.items() if len(ids)}


def best_contents(catalog: Catalog, probe: Probe, query: Query, allowed: np.ndarray, watch: Stopwatch) -> list[int]:
    """Contents in order of their best segment: widen the search until there are enough, or nothing is left.

    The best of several such groups are among the best of each, so that none has to be searched further than for itself.
    """
    with watch.time("index"):
        index = probe.space.index
    with watch.time("lookup"):
        k = query.limit * OVERFETCH
        while True:
            k = min(k, len(allowed))
            if k == 0:
                return []
            _, ids = index.search(probe.vector[None], k, allowed=allowed)
            rows = catalog.segments_of(ids[0][ids[0] >= 0])
            contents = list(dict.fromkeys(row.content_id for row in rows if row.content_id not in query.without))
            if len(contents) >= query.limit or k == len(allowed):
                return contents[: query.limit]
            k *= 4


def score_contents(
    catalog: Catalog, contents: Collection[int], probes: Sequence[Probe], relevance: Relevance, watch: Stopwatch
) -> dict[int, list[Scored]]:
    """Score every segment of some contents exactly, in every space that was asked, so that moments do not depend on what was fetched."""
    found: dict[int, list[Scored]] = defaultdict(list)
    for probe in probes:
        with watch.time("lookup"):
            ids, owners, segments = catalog.embeddings_of(contents, probe.space.id)
            if not len(ids):
                continue
            cosines = catalog.vectors(ids) @ probe.vector
        with watch.time("score"):
            scores = _scores(cosines, segments, probe, relevance, watch)
        for owner, segment, score, cosine in zip(owners.tolist(), segments, scores, cosines, strict=True):
            found[owner].append(Scored(segment, float(score), float(cosine), probe))
    return dict(found)


def _scores(cosines: np.ndarray, segments: Sequence[Segment], probe: Probe, relevance: Relevance, watch: Stopwatch) -> np.ndarray:
    if not relevance.apart:
        return relevance.scores(cosines, probe, None, watch)
    scores = np.empty(len(cosines))
    modalities = [segment.modality for segment in segments]
    for modality in set(modalities):
        mine = np.array([of is modality for of in modalities])
        scores[mine] = relevance.scores(cosines[mine], probe, modality, watch)
    return scores
