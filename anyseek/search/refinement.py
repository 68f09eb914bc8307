"""Relevance feedback: a query moved towards the answers that were liked, and away from those that were rejected.

J. Rocchio, Relevance feedback in information retrieval, in G. Salton (ed.), The SMART retrieval system, 1971: the vector of a query q
becomes alpha·q + beta·mean(liked) - gamma·mean(rejected), made unit again. The weights are the usual ones (Manning, Raghavan and Schütze,
Introduction to Information Retrieval, 2008, section 9.1): what is wanted says more than what is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .backgrounds import Origin
from .probe import Probe, Understood
from .query import Judged, Refinement, Vectors
from .relevance import Relevance
from .timings import Stopwatch
from .understanding import understand

__all__ = ["LIKED", "LIKED_WEIGHT", "QUERY_WEIGHT", "REJECTED", "REJECTED_WEIGHT", "refined"]

QUERY_WEIGHT, LIKED_WEIGHT, REJECTED_WEIGHT = 1.0, 0.75, 0.15
"""Alpha, beta and gamma. As the first is larger than the others together, something is always left of a query."""

LIKED, REJECTED = -1, -2
"""The numbers of the parts that the sides of what was liked and rejected belong to: they are none of the query's own."""


def refined(probe: Probe, refinement: Refinement, relevance: Relevance, watch: Stopwatch) -> Probe:
    """Move a probe by what was liked and rejected, as far as its space has vectors of it.

    What was added are sides of the probe like all others: its vector is the sum of their shares times vectors, so that scores know how
    much of it is a text and how much a picture, and what either gets by chance.

    Args:
        probe: The query as it stands.
        refinement: What was liked and rejected.
        relevance: Says which segment of a whole file answers the query best.
        watch: Counts the time.

    Returns:
        The same probe where its space has nothing of what was judged.
    """
    sorts = ((LIKED, LIKED_WEIGHT, refinement.liked), (REJECTED, -REJECTED_WEIGHT, refinement.rejected))
    sides = [side.times(QUERY_WEIGHT) for side in probe.sides]
    vector = QUERY_WEIGHT * np.asarray(probe.vector, np.float64)
    for part, weight, judged in sorts:
        known = [found for one in judged if (found := _understood(one, probe, relevance, watch)) is not None]
        sides += [replace(side.times(weight / len(known)), part=part) for found in known for side in found.sides]
        if known:
            vector = vector + weight * np.mean([found.vector for found in known], axis=0, dtype=np.float64)
    length = float(np.linalg.norm(vector))
    if len(sides) == len(probe.sides):
        return probe
    return replace(probe, vector=np.asarray(vector / length, np.float32), sides=tuple(side.times(1 / length) for side in sides))


def _understood(judged: Judged, probe: Probe, relevance: Relevance, watch: Stopwatch) -> Understood | None:
    """What was judged, in the probe's space: the mean over a moment, or the best segment of a whole content."""
    vectors = judged.stored.vectors.get(probe.space.id)
    if vectors is None:
        return None
    if not judged.whole or len(vectors.modalities) == 1:
        return understand(judged.stored, probe.space, watch)
    best = int(np.argmax(_scores(vectors, probe, relevance, watch)))
    return Understood.alone(Origin(vectors.modalities[best]), vectors.rows[best])


def _scores(vectors: Vectors, probe: Probe, relevance: Relevance, watch: Stopwatch) -> Sequence[float]:
    """How well each segment answers, (n,) log-odds."""
    cosines = np.asarray(vectors.rows, np.float64) @ np.asarray(probe.vector, np.float64)
    scores = np.empty(len(cosines))
    for modality in dict.fromkeys(vectors.modalities):
        mine = np.array([of is modality for of in vectors.modalities])
        scores[mine] = relevance.scores(cosines[mine], probe, modality, watch)
    return scores.tolist()
