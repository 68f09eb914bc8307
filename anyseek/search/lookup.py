"""Finding the contents that may be among the best, and scoring all of their segments in all spaces."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..storage.catalog import Catalog
from ..types import Modality, Segment
from .probe import Probe
from .query import Query
from .relevance import Relevance
from .spaces import SearchSpace
from .timings import Stopwatch

__all__ = ["DECIMALS", "Frontier", "Scored", "allowed_in", "score_contents"]

OVERFETCH = 8
DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Scored:
    """A segment of one space and how well it answers.

    Attributes:
        segment: Of the content.
        score: Log-odds of being relevant, comparable with all others of the search. It is rounded, so that the same segment has the same
            score in whatever company it was multiplied: pages of one answer must fit together.
        cosine: With the query, in that space.
        correction: What was taken off the cosine.
        probe: What was asked there.
        contributions: How much of the cosine each part of the query gives, by its number; empty unless asked for.
    """

    segment: Segment
    score: float
    cosine: float
    correction: float
    probe: Probe
    contributions: Mapping[int, float] = field(default_factory=dict)


def allowed_in(catalog: Catalog, space: SearchSpace, query: Query) -> dict[Modality, np.ndarray]:
    """The embeddings of a space that may be shown, by modality; each is looked up by itself, for their cosines differ by nature."""
    found = {
        modality: catalog.live_embeddings(space.id, kinds=query.kinds or None, modalities={modality}, where=query.where)
        for modality in Modality
        if modality is not Modality.TEXT
    }
    if query.refinement.hidden:
        ids, owners, segments = catalog.embeddings_of(query.refinement.hidden, space.id)
        hidden = ids[np.array([query.hides(*one) for one in zip(owners.tolist(), segments, strict=True)], bool)]
        found = {modality: ids[~np.isin(ids, hidden)] for modality, ids in found.items()}
    return {modality: ids for modality, ids in found.items() if len(ids)}


class Frontier:
    """The contents of one modality in one space in the order of their best segment, found as far as is needed.

    Args:
        catalog: Knows which content an embedding belongs to.
        probe: What is asked.
        modality: Of all that is allowed.
        allowed: (n,) the embeddings that may be shown.
        without: Contents that may not.
        relevance: Scores and corrects.
        watch: Counts the time.

    Attributes:
        bound: The highest score that any content may have that `reach` has not given yet; -inf when there is none.
        top: The score of the best content, once something was reached.
    """

    def __init__(
        self,
        catalog: Catalog,
        probe: Probe,
        modality: Modality,
        allowed: np.ndarray,
        without: Collection[int],
        relevance: Relevance,
        watch: Stopwatch,
    ) -> None:
        self.catalog = catalog
        self.probe = probe
        self.modality = modality
        self.allowed = allowed
        self.without = without
        self.relevance = relevance
        self.watch = watch
        self.bound = math.inf
        self.top = -math.inf
        self._fetched = 0
        self._best: dict[int, float] = {}
        self._unseen = math.inf

    def reach(self, count: int) -> list[int]:
        """The best contents: `count` of them, or all there are."""
        if not self._fetched:
            with self.watch.time("index"):
                self.probe.space.index  # noqa: B018 - loads it, which is counted by itself
        with self.watch.time("lookup"):
            wanted = max(self._fetched, count * OVERFETCH)
            while len(self._sure()) <= count and self._fetched < len(self.allowed):
                self._fetch(min(wanted, len(self.allowed)))
                wanted = self._fetched * 4
            sure = self._sure()
        following = self._best[sure[count]] if len(sure) > count else self._unseen
        with self.watch.time("score"):
            self.bound = self._score(following)
            self.top = self._score(self._best[sure[0]]) if sure else -math.inf
        return sure[:count]

    def best(self, count: int) -> np.ndarray:
        """The scores of the best contents, the best first: (count,) float64, or fewer where there are no more."""
        reached = self.reach(count)
        corrected = np.array([self._best[content] for content in reached], np.float64)
        return self.relevance.scores(corrected, self.probe, self.modality, self.watch)

    def _sure(self) -> list[int]:
        """The contents, best first, that none which was not fetched can stand before."""
        return [content for content, corrected in self._best.items() if corrected >= self._unseen]

    def _fetch(self, count: int) -> None:
        cosines, found = self.probe.space.index.search(self.probe.vector[None], count, allowed=self.allowed)
        ids = found[0][found[0] >= 0]
        corrections = self.relevance.corrections(self.probe, ids, self.watch)
        corrected = np.asarray(cosines[0][: len(ids)], np.float64)
        least = float(corrected[-1]) if len(ids) else -math.inf
        if corrections is not None:
            corrected = corrected - corrections
            least -= self.relevance.least_correction(self.probe, self.watch)
        self._fetched = count
        self._unseen = -math.inf if count >= len(self.allowed) or len(ids) < count else least
        value_of = dict(zip(ids.tolist(), corrected.tolist(), strict=True))
        rows = [(row.content_id, value_of[row.embedding_id]) for row in self.catalog.segments_of(ids)]
        rows.sort(key=lambda row: -row[1])
        self._best = {}
        for content_id, value in rows:
            if content_id not in self.without:
                self._best.setdefault(content_id, value)

    def _score(self, corrected: float) -> float:
        if corrected == -math.inf:
            return -math.inf
        return float(self.relevance.scores(np.array([corrected]), self.probe, self.modality, self.watch)[0])


def score_contents(
    catalog: Catalog, contents: Collection[int], probes: Sequence[Probe], relevance: Relevance, watch: Stopwatch, *, explain: bool = False
) -> dict[int, list[Scored]]:
    """Score every segment of some contents exactly, in every space that was asked, so that moments do not depend on what was fetched."""
    found: dict[int, list[Scored]] = defaultdict(list)
    for probe in probes:
        with watch.time("lookup"):
            ids, owners, segments = catalog.embeddings_of(contents, probe.space.id)
            if not len(ids):
                continue
            vectors = catalog.vectors(ids)
            cosines = np.asarray(vectors, np.float64) @ np.asarray(probe.vector, np.float64)
        with watch.time("score"):
            corrections = relevance.corrections(probe, ids, watch)
            taken = np.zeros(len(ids)) if corrections is None else np.asarray(corrections, np.float64)
            scores = _scores(cosines - taken, segments, probe, relevance, watch)
            contributions = _contributions(vectors, probe) if explain else [{}] * len(ids)
        rows = zip(owners.tolist(), segments, scores.tolist(), cosines.tolist(), taken.tolist(), contributions, strict=True)
        for owner, segment, score, cosine, correction, parts in rows:
            found[owner].append(Scored(segment, round(score, DECIMALS), cosine, correction, probe, parts))
    return dict(found)


def _scores(corrected: np.ndarray, segments: Sequence[Segment], probe: Probe, relevance: Relevance, watch: Stopwatch) -> np.ndarray:
    scores = np.empty(len(corrected))
    modalities = [segment.modality for segment in segments]
    for modality in set(modalities):
        mine = np.array([of is modality for of in modalities])
        scores[mine] = relevance.scores(corrected[mine], probe, modality, watch)
    return scores


def _contributions(vectors: np.ndarray, probe: Probe) -> list[dict[int, float]]:
    given: list[dict[int, float]] = [{} for _ in vectors]
    for side in probe.sides:
        for parts, cosine in zip(given, (vectors @ side.vector).tolist(), strict=True):
            parts[side.part] = parts.get(side.part, 0.0) + side.share * cosine
    return given
