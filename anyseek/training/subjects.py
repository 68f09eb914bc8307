"""What is trained and judged, by method: the problem that is learnt, the questions that judge, and what both become by an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ..adapters.adapter import Adapter
from ..types import Modality
from .examples import Examples
from .heldout import held_out
from .judge import HeldOut, Media
from .problem import Candidates, Edges, Problem
from .split import Split

__all__ = ["MapSubject", "Material", "Subject"]

MOST_CANDIDATES = 5000
"""Other stored vectors that a training sees."""


class Material:
    """What a training has to work with, in one space.

    Args:
        examples: The pairs.
        parts: Which of them are for what.
        weights: (e,) how much each pair counts in training.
        media: All that may be found.
        captions: (c, dim) float32 unit rows, the reference captions.
    """

    def __init__(self, examples: Examples, parts: Split, weights: np.ndarray, media: Media, captions: np.ndarray) -> None:
        self.examples = examples
        self.parts = parts
        self.weights = weights
        self.media = media
        self.captions = captions

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

    def edges(self, mask: np.ndarray, *, weighted: bool = False) -> Edges:
        """The pairs of a part, by the rows of queries and targets."""
        return self.examples.edges(mask, self.weights if weighted else None)


class Subject(Protocol):
    """Something that can be learnt.

    Attributes:
        problem: For what learns.
        questions: For what judges.
        modalities: What goes on the adapter's card.
    """

    problem: Problem
    questions: list[HeldOut]
    modalities: tuple[Modality, ...]

    def asked(self, adapter: Adapter | None) -> np.ndarray:
        """What the questions are, (n, dim) float32 unit rows, as the library is without an adapter, or with one."""

    def found(self, adapter: Adapter | None) -> Media:
        """What is stored, without an adapter or with one."""

    def texts(self, vectors: np.ndarray, adapter: Adapter | None) -> np.ndarray:
        """What becomes of texts that are asked, (n, dim) float32 unit rows."""


class MapSubject:
    """A map of what is asked, and where both sides are mapped, of what is stored.

    Args:
        material: What to learn from.
        both: Whether what is stored is mapped, too.
    """

    def __init__(self, material: Material, *, both: bool) -> None:
        self._material, self._both = material, both
        examples, parts = material.examples, material.parts
        asked = {examples.query_modalities[row] for row in examples.query_of[parts.train].tolist()}
        stored = set(examples.target_modalities) if both else set()
        self.modalities = tuple(modality for modality in Modality if modality in asked | stored)
        unseen = material.unseen()
        anchors = {modality: _of(unseen, modality) for modality in self.modalities if modality in asked and modality not in stored}
        if Modality.TEXT in asked:
            anchors[Modality.TEXT] = material.captions
        self.problem = Problem(
            examples.query_vectors,
            examples.query_modalities,
            examples.target_vectors,
            examples.target_modalities,
            material.edges(parts.train, weighted=True),
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
