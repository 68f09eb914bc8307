"""What is trained and judged, by method: the problem that is learnt, the questions that judge, and what both become by an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ..adapters.adapter import Adapter
from ..types import Modality
from .batches import Draw
from .examples import Examples
from .heldout import held_out
from .judge import HeldOut, Media
from .options import TrainOptions
from .problem import Candidates, Edges, Problem
from .sampling import POWER, Sampling
from .split import Split

__all__ = ["MapSubject", "Material", "Subject", "batch_size"]

ALIKE = 0.0
"""The power of their size by which classes are drawn all alike."""
LARGEST_BATCH = 256
SMALLEST_BATCH = 16
STEPS = 4
"""An epoch has so many steps at least, as far as batches do not get too small: with one, sixty epochs are too few."""
MOST_CANDIDATES = 5000
"""Other stored vectors that a training sees."""


def batch_size(pairs: int) -> int:
    """How many pairs make a step."""
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, pairs // STEPS))


class Material:
    """What a training has to work with, in one space.

    Args:
        examples: The pairs.
        parts: Which of them are for what.
        taught: (e,) bool, those of the training part that are learnt from.
        media: All that may be found.
        captions: (c, dim) float32 unit rows, the reference captions.
        options: How it is to be used.
    """

    def __init__(
        self, examples: Examples, parts: Split, taught: np.ndarray, media: Media, captions: np.ndarray, options: TrainOptions
    ) -> None:
        self.examples = examples
        self.parts = parts
        self.taught = taught
        self.media = media
        self.captions = captions
        self.options = options

    @property
    def tested(self) -> frozenset[int]:
        """The contents that judge, which a training must not see at all, not even as rivals."""
        rows = self.examples.target_of[self.parts.test]
        return frozenset(self.examples.targets[row].content_id for row in rows.tolist())

    def unseen(self) -> Media:
        """Stored vectors of contents that no pair names, as many as a training needs."""
        named = {target.content_id for target in self.examples.targets} | self.tested
        rows = np.flatnonzero(~np.isin(self.media.contents, sorted(named)))
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_CANDIDATES)).astype(np.int64)] if len(rows) else rows
        modalities = tuple(self.media.modalities[row] for row in rows.tolist())
        return Media(self.media.vectors[rows], self.media.contents[rows], modalities, self.media.stretches[rows])

    @property
    def seen(self) -> np.ndarray:
        """(s,) int64, the rows of the targets that a training sees: what judges is none of them, not even as a rival."""
        return np.unique(self.examples.target_of[self.taught | self.parts.validation])

    def edges(self, mask: np.ndarray) -> Edges:
        """The pairs of a part, by the rows of queries and by the places in `seen`."""
        edges = self.examples.edges(mask)
        return replace(edges, target=np.searchsorted(self.seen, edges.target))

    def sampling(self, edges: Edges, sources: np.ndarray) -> tuple[Edges, Draw | None]:
        """Weigh the pairs of the training part, and say how they are drawn.

        Args:
            edges: They.
            sources: (e,) int64, where each is from.

        Returns:
            The pairs with their weights, and what draws them; None where all are drawn alike.
        """
        balancing = self.options.balancing
        drawn = self.options.fitted_loss != "ridge"  # which takes all pairs at once
        # classes alike were measured to be best (docs/benchmarks.md); a source of a few pairs would be learnt by heart that way
        power = ALIKE if len(np.unique(sources)) < 2 else POWER
        sampling = Sampling(edges, sources, classes=drawn and balancing.classes, sources=drawn and balancing.sources, power=power)
        counted = balancing.weights and not (drawn and balancing.classes)  # to balance in both ways was measured to be worse than in one
        weighed = replace(edges, weights=sampling.weights()) if counted else edges
        return weighed, sampling.draw(batch_size(int(edges.positive.sum()))) if drawn and (balancing.classes or balancing.sources) else None


class Subject(Protocol):
    """Something that can be learnt.

    Attributes:
        problem: For what learns.
        draw: Draws its batches; None to draw all pairs alike.
        questions: For what judges.
        modalities: What goes on the adapter's card.
    """

    problem: Problem
    draw: Draw | None
    questions: list[HeldOut]
    modalities: tuple[Modality, ...]

    def asked(self, adapter: Adapter | None) -> np.ndarray:
        """What the questions are, (n, dim) float32 unit rows, as the library is without an adapter, or with one."""

    def found(self, adapter: Adapter | None) -> Media:
        """What is stored, without an adapter or with one."""

    def texts(self, vectors: np.ndarray, adapter: Adapter | None) -> np.ndarray:
        """What becomes of texts that are asked, (n, dim) float32 unit rows."""

    def alone(self) -> tuple[list[HeldOut], np.ndarray]:
        """What the questions consist of, each by itself, where they have parts; what is learnt leaves that as it is."""


class MapSubject:
    """A map of what is asked, and where both sides are mapped, of what is stored.

    Args:
        material: What to learn from.
        both: Whether what is stored is mapped, too.
    """

    def __init__(self, material: Material, *, both: bool) -> None:
        self._material, self._both = material, both
        examples, parts, seen = material.examples, material.parts, material.seen
        asked = {examples.query_modalities[row] for row in examples.query_of[material.taught].tolist()}
        modalities = tuple(examples.targets[row].modality for row in seen.tolist())
        stored = set(modalities) if both else set()
        self.modalities = tuple(modality for modality in Modality if modality in asked | stored)
        unseen = material.unseen()
        anchors = {modality: _of(unseen, modality) for modality in self.modalities if modality in asked and modality not in stored}
        if Modality.TEXT in asked:
            anchors[Modality.TEXT] = material.captions
        train, self.draw = material.sampling(material.edges(material.taught), examples.source_of[material.taught])
        self.problem = Problem(
            examples.query_vectors,
            examples.query_modalities,
            examples.target_vectors[seen],
            modalities,
            train,
            material.edges(parts.validation),
            self.modalities,
            {modality: rows for modality, rows in anchors.items() if len(rows)},
            Candidates(unseen.vectors, unseen.modalities) if len(unseen.vectors) else None,
        )
        self.questions, self._rows = held_out(examples, parts.train | parts.validation, parts.test)

    def asked(self, adapter: Adapter | None) -> np.ndarray:
        """The questions' vectors, each through the map of its modality."""
        examples = self._material.examples
        return _mapped(examples.query_vectors[self._rows], [examples.query_modalities[row] for row in self._rows.tolist()], adapter)

    def found(self, adapter: Adapter | None) -> Media:
        """What is stored, mapped where both sides are."""
        media = self._material.media
        return replace(media, vectors=_mapped(media.vectors, media.modalities, adapter)) if self._both else media

    def texts(self, vectors: np.ndarray, adapter: Adapter | None) -> np.ndarray:
        """Texts through their map."""
        return _mapped(vectors, [Modality.TEXT] * len(vectors), adapter)

    def alone(self) -> tuple[list[HeldOut], np.ndarray]:
        """None: the questions have no parts."""
        return [], np.empty((0, self.problem.query_vectors.shape[1]), np.float32)


def _mapped(vectors: np.ndarray, modalities: Sequence[Modality], adapter: Adapter | None) -> np.ndarray:
    if adapter is None:
        return vectors
    mapped = vectors.copy()
    for modality in dict.fromkeys(modalities):
        rows = np.flatnonzero([of is modality for of in modalities])
        mapped[rows] = adapter.apply(vectors[rows], modality)
    return mapped


def _of(media: Media, modality: Modality) -> np.ndarray:
    return media.vectors[[of is modality for of in media.modalities]]
