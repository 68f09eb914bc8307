"""Hubs: embeddings that are near to texts of all sorts, and what is taken off their cosines for it.

Nearest neighbour normalisation (N. Chowdhury et al., Nearest Neighbor Normalization Improves Multimodal Retrieval, EMNLP 2024): the bias of
an embedding is the mean of its cosines with the k reference captions that are nearest to it, and a share of that is subtracted from its
cosine with whatever text is asked.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from ..storage.catalog import Catalog
from ..storage.derived import DerivedArrays
from ..storage.vectors.protocol import Ids
from ..types import Modality
from .calibrations import Calibrations
from .spaces import SearchSpace
from .texts import Texts
from .timings import Stopwatch

__all__ = ["Hubs", "biases_of"]

BLOCK = 1024
DEAD = 0.2


def biases_of(vectors: np.ndarray, captions: np.ndarray, nearest: int) -> np.ndarray:
    """The mean cosine of each vector with the captions that are nearest to it.

    Args:
        vectors: (n, dim) unit rows.
        captions: (c, dim) unit rows, at least one.
        nearest: How many captions count; all of them where there are fewer.

    Returns:
        (n,) float32. It is computed in double precision, so that a vector gets the same in whatever company.
    """
    nearest = min(nearest, len(captions))
    columns = np.asarray(captions, np.float64).T
    found = [np.zeros(0)]
    for start in range(0, len(vectors), BLOCK):
        cosines = np.asarray(vectors[start : start + BLOCK], np.float64) @ columns
        found.append(np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1))
    return np.concatenate(found).astype(np.float32)


class _Known(NamedTuple):
    """The biases that are known of a space: by the ids of its embeddings, ascending."""

    ids: np.ndarray
    biases: np.ndarray


class Hubs:
    """What is taken off the cosines of texts with a library's embeddings, in the spaces where measuring said that this helps.

    An embedding never changes and its id is never given again, so a bias holds for good. Those that are not kept yet are worked out when
    they are asked for.

    Args:
        catalog: What the library holds.
        texts: The reference captions, as its spaces understand them.
        calibrations: How much is taken off, and by how many captions.
        kept: Where biases are kept; None to keep nothing.
    """

    def __init__(self, catalog: Catalog, texts: Texts, calibrations: Calibrations, kept: DerivedArrays | None) -> None:
        self.catalog = catalog
        self.texts = texts
        self.calibrations = calibrations
        self._kept = kept
        self._known: dict[int, _Known] = {}
        self._seen: dict[int, int] = {}
        self._lock = threading.RLock()

    def taken(self, space: SearchSpace, ids: Ids, watch: Stopwatch) -> np.ndarray | None:
        """What is taken off the cosines of texts with some embeddings, (n,) float64; None where nothing is in this space."""
        strength = self.calibrations.of(space).strength
        if not strength or (known := self._current(space, watch)) is None:
            return None
        ids = np.asarray(ids)
        found = _within(ids, known.ids)
        biases = np.zeros(len(ids))
        biases[found] = known.biases[np.searchsorted(known.ids, ids[found])]
        if not found.all():  # not findable any more, and asked for by somebody who looked earlier
            biases[~found] = self._work_out(space, ids[~found], watch)
        return strength * biases

    def bounds(self, space: SearchSpace, watch: Stopwatch) -> tuple[float, float]:
        """The least and the most that is taken off anything that can be found in a space."""
        strength = self.calibrations.of(space).strength
        if not strength or (known := self._current(space, watch)) is None or not len(known.ids):
            return 0.0, 0.0
        return strength * float(known.biases.min()), strength * float(known.biases.max())

    def key(self, space: SearchSpace) -> str:
        """What its biases were worked out from, apart from the captions."""
        calibration = self.calibrations.of(space)
        return f"{calibration.nearest}x{calibration.strength:g}"

    def prepare(self, space: SearchSpace) -> str | None:
        """Work out and keep the biases that are missing; texts are prepared.

        Returns:
            The name under which they are kept; None if nothing is taken off in this space.
        """
        with self._lock:
            before = self._known.get(space.id) or self._read(space)
            if not self.calibrations.of(space).strength or (known := self._current(space, Stopwatch())) is None:
                return None
            live = _within(known.ids, np.sort(self._live(space)))
            if len(live) and live.mean() < 1 - DEAD:
                known = self._known[space.id] = _Known(known.ids[live], known.biases[live])
            if self._kept is not None and known is not before:
                self._kept.write(_name(space), self._key(space), {"ids": known.ids, "biases": known.biases})
            return _name(space)

    def _current(self, space: SearchSpace, watch: Stopwatch) -> _Known | None:
        """The biases of all that can be found at the moment; None if the space does not understand text."""
        with self._lock:
            known = self._known.get(space.id)
            version = self.catalog.version()
            if known is not None and self._seen.get(space.id) == version:
                return known
            if known is None:
                known = self._read(space) or _Known(np.zeros(0, np.int64), np.zeros(0, np.float32))
            live = self._live(space)
            new = live[~_within(live, known.ids)]
            if len(new):
                if self.texts.asked(space, watch) is None:
                    return None
                ids = np.concatenate([known.ids, new])
                order = np.argsort(ids)
                known = _Known(ids[order], np.concatenate([known.biases, self._work_out(space, new, watch)])[order])
            self._known[space.id], self._seen[space.id] = known, version
            return known

    def _live(self, space: SearchSpace) -> np.ndarray:
        """All that can be found, asked for as searches do, so that it is known already."""
        return np.concatenate([self.catalog.live_embeddings(space.id, modalities={modality}) for modality in Modality])

    def _work_out(self, space: SearchSpace, ids: np.ndarray, watch: Stopwatch) -> np.ndarray:
        captions = self.texts.asked(space, watch)
        assert captions is not None  # asked before
        nearest = max(1, round(self.calibrations.of(space).nearest / captions.step))  # as many of a few as of all
        with watch.time("score"):
            blocks = [ids[start : start + BLOCK] for start in range(0, len(ids), BLOCK)]
            found = [biases_of(self.catalog.vectors(block), captions.vectors, nearest) for block in blocks]
            return np.concatenate([np.zeros(0, np.float32), *found])

    def _read(self, space: SearchSpace) -> _Known | None:
        kept = self._kept.read(_name(space), self._key(space)) if self._kept is not None else None
        if kept is None or kept.get("ids", np.zeros(0)).shape != kept.get("biases", np.zeros(1)).shape:
            return None
        return _Known(kept["ids"], kept["biases"])

    def _key(self, space: SearchSpace) -> str:
        fingerprint, nearest = space.row.space.fingerprint, self.calibrations.of(space).nearest
        adapted = self.texts.adaptation.key(space) if self.texts.adaptation is not None else ""
        return f"{fingerprint} {self.texts.vocabulary.digest} {nearest} {adapted}".rstrip()


def _within(ids: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which ids are among others, those in ascending order; (n,) bool."""
    places = np.searchsorted(among, ids)
    found = np.asarray(places < len(among))
    found[found] = among[places[found]] == ids[found]
    return found


def _name(space: SearchSpace) -> str:
    return f"hubs-{space.row.space.fingerprint[:16]}"
