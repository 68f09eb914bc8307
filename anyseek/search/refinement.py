"""Relevance feedback: a query moved towards the answers that were liked, and away from those that were rejected.

J. Rocchio, Relevance feedback in information retrieval, in G. Salton (ed.), The SMART retrieval system, 1971: the vector of a query q
becomes alpha·q + beta·mean(liked) - gamma·mean(rejected), made unit again. The weights are the usual ones (Manning, Raghavan and Schütze,
Introduction to Information Retrieval, 2008, section 9.1): what is wanted says more than what is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..storage.catalog import Catalog
from ..types import Modality
from .backgrounds import Origin
from .lookup import Frontier
from .probe import Probe, Understood
from .query import Judged, Query, Refinement, Vectors
from .relevance import Relevance, log_odds
from .timings import Stopwatch
from .understanding import understand

__all__ = ["LIKED", "LIKED_WEIGHT", "QUERY_WEIGHT", "REJECTED", "REJECTED_WEIGHT", "Refiner", "refined"]

QUERY_WEIGHT, LIKED_WEIGHT, REJECTED_WEIGHT = 1.0, 0.75, 0.15
"""Alpha, beta and gamma. As the first is larger than the others together, something is always left of a query."""

LIKED, REJECTED = -1, -2
"""The numbers of the parts that the sides of what was liked and rejected belong to: they are none of the query's own."""

YARDSTICKS = 5
"""How many answers are compared before and after."""

MARGIN = 1e-3  # in log-odds: what is as relevant as it must be is not to be lost by rounding


class _Known(NamedTuple):
    """What was judged, as one space knows it: all of what counts as one, and segment by segment."""

    understood: Understood
    segments: Vectors


class Refiner:
    """Refines the probes of one query.

    A refined vector is nobody's caption, and lies between what texts and what pictures get: few answers are as near to it as the best
    were to the words, and its scores would be too low. So they are moved up, by modality, until the best answers that nobody has judged
    are as relevant, in the mean of their log-odds, as the best of the query as it stood; their order stays.

    Args:
        catalog: Of the library.
        query: What is asked.
        allowed: The embeddings that may be shown, by space and modality.
        relevance: Scores and corrects.
        watch: Counts the time.
    """

    def __init__(
        self, catalog: Catalog, query: Query, allowed: Mapping[int, Mapping[Modality, np.ndarray]], relevance: Relevance, watch: Stopwatch
    ) -> None:
        self.catalog = catalog
        self.query = query
        self.allowed = allowed
        self.relevance = relevance
        self.watch = watch

    def __call__(self, probes: Sequence[Probe]) -> tuple[Probe, ...]:
        """Refine probes; those of spaces that have nothing of what was judged stay as they are."""
        return tuple(self._refined(probe) for probe in probes)

    def _refined(self, probe: Probe) -> Probe:
        moved = refined(probe, self.query.refinement, self.relevance, self.watch)
        if moved is probe or not self.relevance.cut:  # without a cut nothing is too low to be shown
            return moved
        lifts = dict(moved.lifts)
        for modality, ids in self.allowed[probe.space.id].items():
            before, after = (self._best(one, modality, ids) for one in (probe, replace(moved, lifts={})))
            if len(before):
                lifts[modality] = max(lifts.get(modality, 0.0), float(before.mean() - after.mean()))
        return replace(moved, lifts=lifts)

    def _best(self, probe: Probe, modality: Modality, ids: np.ndarray) -> np.ndarray:
        without = self.query.without | self.query.refinement.judged
        return Frontier(self.catalog, probe, modality, ids, without, self.relevance, self.watch).best(YARDSTICKS)


def refined(probe: Probe, refinement: Refinement, relevance: Relevance, watch: Stopwatch) -> Probe:
    """Move a probe by what was liked and rejected, as far as its space has vectors of it.

    What was added are sides of the probe like all others: its vector is the sum of their shares times vectors, so that scores know how
    much of it is a text and how much a picture, and what either gets by chance. But where the words and what was liked point in different
    directions, nothing is as near to both as to one of them. Then all scores of that modality are lifted until what was liked is
    relevant, for a person has said that it is; their order stays.

    Args:
        probe: The query as it stands.
        refinement: What was liked and rejected.
        relevance: Says which segment of a whole file answers the query best, and how relevant it is.
        watch: Counts the time.

    Returns:
        The same probe where its space has nothing of what was judged.
    """
    liked = _known(refinement.liked, probe, relevance, watch)
    rejected = _known(refinement.rejected, probe, relevance, watch)
    if not liked and not rejected:
        return probe
    sides = [side.times(QUERY_WEIGHT) for side in probe.sides]
    vector = QUERY_WEIGHT * np.asarray(probe.vector, np.float64)
    for part, weight, judged in ((LIKED, LIKED_WEIGHT, liked), (REJECTED, -REJECTED_WEIGHT, rejected)):
        for one in judged:
            vector = vector + weight / len(judged) * np.asarray(one.understood.vector, np.float64)
            sides += [replace(side.times(weight / len(judged)), part=part) for side in one.understood.sides]
    length = float(np.linalg.norm(vector))
    moved = replace(probe, vector=np.asarray(vector / length, np.float32), sides=tuple(side.times(1 / length) for side in sides))
    return replace(moved, lifts=_lifts(liked, moved, relevance, watch))


def _known(judged: Sequence[Judged], probe: Probe, relevance: Relevance, watch: Stopwatch) -> list[_Known]:
    """What was judged, in the probe's space: the mean over a moment, or the best segment of a whole content."""
    found = []
    for one in judged:
        vectors = one.stored.vectors.get(probe.space.id)
        understood = None if vectors is None else understand(one.stored, probe.space, watch)
        if vectors is None or understood is None:
            continue
        if one.whole and len(vectors.modalities) > 1:
            best = int(np.argmax(_scores(vectors, probe, relevance, watch)))
            only = None if vectors.ids is None else vectors.ids[[best]]
            vectors = Vectors(vectors.rows[[best]], (vectors.modalities[best],), only)
            understood = Understood.alone(Origin(vectors.modalities[0]), vectors.rows[0])
        found.append(_Known(understood, vectors))
    return found


def _lifts(liked: Sequence[_Known], probe: Probe, relevance: Relevance, watch: Stopwatch) -> dict[Modality, float]:
    """What is lacking until all that was liked is relevant, by the modality in which it answers best."""
    best: dict[Modality, list[float]] = defaultdict(list)
    for one in liked:
        scores = _scores(one.segments, probe, relevance, watch)
        at = int(np.argmax(scores))
        best[one.segments.modalities[at]].append(scores[at])
    least = float(log_odds(np.array(relevance.cut))) + MARGIN
    lacking = {modality: least - min(scores) for modality, scores in best.items()}
    return {modality: lift for modality, lift in lacking.items() if lift > 0}


def _scores(vectors: Vectors, probe: Probe, relevance: Relevance, watch: Stopwatch) -> list[float]:
    """How well each segment answers, n log-odds."""
    cosines = np.asarray(vectors.rows, np.float64) @ np.asarray(probe.vector, np.float64)
    corrections = None if vectors.ids is None else relevance.corrections(probe, vectors.ids, watch)
    corrected = cosines if corrections is None else cosines - corrections
    scores = np.empty(len(cosines))
    for modality in dict.fromkeys(vectors.modalities):
        mine = np.array([of is modality for of in vectors.modalities])
        scores[mine] = relevance.scores(corrected[mine], probe, modality, watch)
    return list(scores.tolist())
