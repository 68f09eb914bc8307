"""How high cosines are by chance: what queries of one sort get from what a space holds of one modality.

A text's cosine with a picture that it fits may be 0.3 in one space, and 0.6 with a sound that it does not fit in another; two pictures of
nothing in common have more than either. So a cosine says something only against those of other queries of its sort.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..storage.catalog import Catalog
from ..storage.derived import DerivedArrays
from ..types import ENCODED, Modality
from .bridges import Bridges
from .calibration import DEFAULT_STEEPNESS
from .hubs import Hubs
from .samples import Sample, draw
from .spaces import SearchSpace
from .timings import Stopwatch

__all__ = ["Background", "Backgrounds", "Chance", "Origin", "chance_of", "middle_for_media", "middle_for_texts", "steepness_for_alike"]

FEWEST_CONTENTS = 8
PRIOR_WEIGHT = 4
LEAST_DEVIATION = 1e-6
GROWTH = 0.2
FEW = 100
NEAREST, FURTHEST = 0.7, 0.9
LEAST_MIDDLE, MEDIA_MIDDLE = 1.0, 2.7
EQUAL = 8.0
FILE = "backgrounds"


class Origin(NamedTuple):
    """Which sort of query a vector comes from.

    Attributes:
        modality: Of what was asked.
        source: The id of the space that it was carried over from; None where the encoder of the space searched took it.
    """

    modality: Modality
    source: int | None = None


class Background(NamedTuple):
    """What cosines are like by chance.

    Attributes:
        mean: Of all pairs.
        deviation: Of all pairs.
        middle: Where, in deviations above the mean, chance is taken to end where nobody measured it.
        steepness: How fast, in log-odds by deviation, scores rise there.
    """

    mean: float
    deviation: float
    middle: float
    steepness: float = DEFAULT_STEEPNESS


class Chance(NamedTuple):
    """Mean and deviation of the cosines of pairs that were put together by chance."""

    mean: float
    deviation: float


def chance_of(cosines: np.ndarray, apart: np.ndarray | None = None, usual: float | None = None) -> Chance:
    """Mean and deviation of the cosines of some queries with some vectors.

    With few of both, chance may make the deviation s far too small and scores far too high. So where another deviation u is known to be
    usual, the variance is drawn towards its square, which counts for `PRIOR_WEIGHT` queries: (p·u² + f·s²) / (p + f), the mean of a
    scaled inverse chi-square posterior (as in G. Smyth, Statistical Applications in Genetics and Molecular Biology 3, 2004). Here
    f = queries + vectors - 2 counts what varies by itself; the cosines are many more, but those of one vector hang together.

    Args:
        cosines: (q, n) float64, of each query with each vector.
        apart: (q, n) bool, the pairs that count; None for all.
        usual: The deviation to be drawn to; None to take what is found.
    """
    counted = cosines.ravel() if apart is None else cosines[apart]
    mean, variance = (float(counted.mean()), float(counted.var())) if counted.size else (0.0, 0.0)
    if usual is not None:
        free = max(sum(cosines.shape) - 2, 0) if counted.size else 0
        variance = (PRIOR_WEIGHT * usual**2 + free * variance) / (PRIOR_WEIGHT + free)
    return Chance(mean, max(variance**0.5, LEAST_DEVIATION))


def middle_for_texts(cosines: np.ndarray, chance: Chance) -> float:
    """Where chance ends for captions, without anybody's judgement.

    What nine of ten captions find nothing above, in at most `FEW` of the vectors: among so few there is nothing for most captions, and
    what a large library holds for many of them does not raise the level. It is held within the way from the mean to what the better
    half of the vectors reach with the caption that suits them best: by chance hardly anything gets further than `FURTHEST` of it, and
    what fits gets further than `NEAREST`.

    Args:
        cosines: (c, n) float64, of each caption with each vector, less what is taken off.
        chance: Of these.

    Returns:
        Deviations above the mean.
    """
    if not cosines.size:
        return MEDIA_MIDDLE
    few = cosines[:, np.linspace(0, cosines.shape[1] - 1, min(cosines.shape[1], FEW)).astype(np.int64)]
    way = float(np.median(cosines.max(axis=0))) - chance.mean
    level = float(np.quantile(few.max(axis=1), 0.9)) - chance.mean
    return min(max(level, NEAREST * way), FURTHEST * way) / chance.deviation


def middle_for_media(cosines: np.ndarray, chance: Chance, apart: np.ndarray | None = None, furthest: float = FURTHEST) -> float:
    """Where chance ends for pictures, sounds and shots, without anybody's judgement: some deviations up.

    It is less where that is more than what suits a vector best reaches, and where what is equal would not be alike; but one deviation at
    least where nothing suits anything.

    Args:
        cosines: (q, n) float64, of each query with each vector.
        chance: Of these.
        apart: (q, n) bool, the pairs that count; None for all.
        furthest: The most of the way from the mean to what the better half of the vectors reach.

    Returns:
        Deviations above the mean.
    """
    best = np.max(cosines, axis=0, initial=-1.0, where=True if apart is None else apart)
    way = float(np.median(best[best > -1])) - chance.mean if (best > -1).any() else 1.0
    suits = max(furthest * way / chance.deviation, LEAST_MIDDLE)
    return min(MEDIA_MIDDLE, suits, FURTHEST * (1 - chance.mean) / chance.deviation)


def steepness_for_alike(middle: float, chance: Chance) -> float:
    """How fast scores rise where pictures are asked for pictures, or sounds for sounds: so fast that what is equal gets `EQUAL`.

    There a cosine of 1 can be reached, and in a space where most sounds are near to each other it is few deviations up.

    Args:
        middle: Deviations above the mean.
        chance: Of their cosines.
    """
    return EQUAL / max((1 - chance.mean) / chance.deviation - middle, LEAST_DEVIATION)


class Backgrounds:
    """The backgrounds of a library, and the centres that bridges leave from.

    They are worked out when they are first asked for, or read where they are kept and the library has not grown or shrunk by more than
    `GROWTH` since.

    Args:
        catalog: What the library holds.
        spaces: Its spaces.
        bridges: Between them.
        hubs: What is taken off the cosines of texts; None for nothing.
        kept: Where they are kept; None to keep nothing.
    """

    def __init__(
        self, catalog: Catalog, spaces: Sequence[SearchSpace], bridges: Bridges, hubs: Hubs | None = None, kept: DerivedArrays | None = None
    ) -> None:
        self.catalog = catalog
        self.hubs = hubs
        self.spaces = {space.id: space for space in spaces}
        self.bridges = bridges
        self.adaptation = bridges.texts.adaptation
        self._kept = kept
        self._lock = threading.RLock()
        self._samples: dict[tuple[int, Modality, int], Sample] = {}
        self._known = (kept.read(FILE, self._key()) if kept is not None else None) or {}

    @property
    def is_kept(self) -> bool:
        """Whether those that were kept are of these spaces."""
        return self._kept is not None and self._kept.read(FILE, self._key()) is not None

    def of(self, target: SearchSpace, modality: Modality, origin: Origin, watch: Stopwatch) -> Background:
        """What queries of one sort get by chance from what a space holds of one modality."""
        name = f"background.{target.id}.{modality}.{origin.modality}.{origin.source}"
        counts = [self._count(target.id, modality), 0]
        if origin.modality is not Modality.TEXT:
            counts[1] = self._count(target.id if origin.source is None else origin.source, origin.modality)
        with self._lock:
            known = self._known.get(name)
            if known is None or known.shape != (6,) or not all(map(_is_fresh, known[4:], counts)):
                known = np.array([*self._work_out(target, modality, origin, watch), *counts])
                self._known[name] = known
            return Background(*known[:4].tolist())

    def centre(self, space: SearchSpace, modality: Modality, watch: Stopwatch) -> np.ndarray:
        """Where a space's vectors of one modality lie around, (dim,) float32.

        With few contents the mean would be those contents themselves, so that their like had nothing left to be told by; it is drawn
        towards the texts' mean, which counts for `FEWEST_CONTENTS`.
        """
        name = f"centre.{space.id}.{modality}"
        count = self._count(space.id, modality)
        with self._lock:
            known = self._known.get(name)
            if known is None or known.shape != (space.row.space.dim + 1,) or not _is_fresh(known[0], count):
                known = np.concatenate([[count], self._mean(space, modality, watch)]).astype(np.float32)
                self._known[name] = known
            return known[1:]

    def prepare(self) -> str:
        """Work all of them out that a search may ask for and keep them. Returns the name under which they are kept."""
        watch = Stopwatch()
        with self._lock:
            before = dict(self._known)
            for target in self.spaces.values():
                for origin in self._origins(target, watch):
                    for modality in self._held(target):
                        self.of(target, modality, origin, watch)
            changed = any(before.get(name) is not numbers for name, numbers in self._known.items())
            if self._kept is not None and changed:
                self._kept.write(FILE, self._key(), self._known)
        return FILE

    def _origins(self, target: SearchSpace, watch: Stopwatch) -> list[Origin]:
        """The sorts of queries that may reach a space."""
        media = [modality for modality in ENCODED if modality is not Modality.TEXT]
        direct = [Origin(modality) for modality in ENCODED if target.takes(modality, watch) or modality in self._held(target)]
        sources = [space for space in self.spaces.values() if space is not target and self.bridges.between(space, target, watch)]
        return direct + [Origin(modality, space.id) for space in sources for modality in media if space.takes(modality, watch)]

    def _held(self, space: SearchSpace) -> list[Modality]:
        return [modality for modality in Modality if self._count(space.id, modality)]

    def _work_out(self, target: SearchSpace, modality: Modality, origin: Origin, watch: Stopwatch) -> Background:
        """Texts are as many as they are; media may be few, and are drawn towards what texts give, or towards random directions.

        What is asked goes through an adapter where there is one, and so do the texts as questions, but not where they are only what media
        are drawn towards: an adapter of texts changes nothing of what pictures find.
        """
        of = self.bridges.texts.asked if origin == Origin(Modality.TEXT) else self.bridges.texts.of
        texts = of(target if origin.source is None else self.spaces[origin.source], watch)
        held = self._sample(target.id, modality)
        chance, cosines, apart = Chance(0.0, held.vectors.shape[1] ** -0.5), np.zeros((0, len(held))), None
        if texts is not None:
            with watch.time("score"):
                cosines = _cosines(self._carried(texts.vectors, target, Origin(Modality.TEXT, origin.source), watch), held.vectors)
                chance = chance_of(cosines)
        if origin.modality is Modality.TEXT:
            assert texts is not None  # a space that understands no text is asked no texts, and no bridge leaves from it
            taken = self.hubs.taken(target, held.ids, watch) if self.hubs is not None and origin.source is None else None
            if taken is not None:
                cosines -= taken
                chance = chance_of(cosines)
            return Background(*chance, middle_for_texts(cosines, chance))
        asked = self._sample(target.id if origin.source is None else origin.source, origin.modality)
        if texts is None or asked.distinct >= FEWEST_CONTENTS:
            with watch.time("score"):
                apart = asked.contents[:, None] != held.contents[None]  # a content has nothing to say about itself
                cosines = _cosines(self._carried(self._asked(asked.vectors, target, origin), target, origin, watch), held.vectors)
                chance = chance_of(cosines, apart, chance.deviation)
        chance = Chance(min(chance.mean, 1 - chance.deviation), chance.deviation)  # so that copies of one picture are alike, too
        furthest = FURTHEST if origin.source is None else NEAREST  # what fits reaches less far over a bridge
        middle = middle_for_media(cosines, chance, apart, furthest)
        alike = origin == Origin(modality)
        return Background(*chance, middle, steepness_for_alike(middle, chance) if alike else DEFAULT_STEEPNESS)

    def _asked(self, vectors: np.ndarray, target: SearchSpace, origin: Origin) -> np.ndarray:
        """Media as queries: through the adapter, unless they come over a bridge."""
        adapter = self.adaptation.query(target) if self.adaptation is not None and origin.source is None else None
        return vectors if adapter is None else adapter.apply(vectors, origin.modality)

    def _carried(self, vectors: np.ndarray, target: SearchSpace, origin: Origin, watch: Stopwatch) -> np.ndarray:
        """Vectors as queries of some sort, carried over where the sort is one that came over a bridge."""
        if origin.source is None:
            return vectors
        source = self.spaces[origin.source]
        bridge = self.bridges.between(source, target, watch)
        assert bridge is not None  # nothing came over it otherwise
        return bridge.carry(vectors, None if origin.modality is Modality.TEXT else self.centre(source, origin.modality, watch))

    def _mean(self, space: SearchSpace, modality: Modality, watch: Stopwatch) -> np.ndarray:
        texts = self.bridges.texts.of(space, watch)
        sample = self._sample(space.id, modality)
        prior = FEWEST_CONTENTS if texts is not None else 0  # a trained bridge may leave from where no text is understood
        drawn = texts.vectors.mean(axis=0) * prior if texts is not None else np.zeros(space.row.space.dim, np.float32)
        if len(sample):
            drawn += sample.vectors.mean(axis=0) * sample.distinct
        return np.asarray(drawn / max(prior + sample.distinct, 1))

    def _sample(self, space_id: int, modality: Modality) -> Sample:
        key = (space_id, modality, self.catalog.version())
        if key not in self._samples:
            self._samples = {known: sample for known, sample in self._samples.items() if known[2] == key[2]}
            self._samples[key] = draw(self.catalog, self.spaces[space_id].row, modality)
        return self._samples[key]

    def _count(self, space_id: int, modality: Modality) -> int:
        return len(self.catalog.live_embeddings(space_id, modalities={modality}))

    def _key(self) -> str:
        spaces = " ".join(f"{space.id}={space.row.space.fingerprint}" for space in self.spaces.values())
        taken = " ".join(self.hubs.key(space) for space in self.spaces.values()) if self.hubs is not None else ""
        adapted = [*(self.adaptation.key(space) for space in self.spaces.values()), self.adaptation.bridges_key] if self.adaptation else []
        return " ".join([f"3 {self.bridges.method} {self.bridges.texts.vocabulary.digest} {spaces} {taken}", *filter(None, adapted)])


def _cosines(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.asarray(queries @ vectors.T, np.float64)


def _is_fresh(then: float, now: int) -> bool:
    return abs(now - then) <= GROWTH * then
