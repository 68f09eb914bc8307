"""What a space makes of labels, and how relevant each is to segments: the same scores that a search for the label would give."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..adapters.adapter import Adapter
from ..errors import BadInput, BadQuery
from ..search.backgrounds import Origin
from ..search.probe import Probe, Understood, Weighed
from ..search.relevance import Relevance
from ..search.spaces import SearchSpace
from ..search.timings import Stopwatch
from ..storage.vectors.protocol import Ids
from ..types import Modality
from .vocabulary import TagVocabulary

__all__ = ["LabelScores"]

CHUNK = 64


class LabelScores:
    """The labels of a vocabulary as queries in one space. They are encoded when the first segment is to be scored.

    Args:
        space: Where; its encoder understands text.
        vocabulary: The labels.
        relevance: Makes scores of cosines.
        held: The modalities that the space holds anything of: labels for others are not encoded.
        adapter: What queries go through in the space, and so labels, too; None for nothing.
    """

    def __init__(
        self,
        space: SearchSpace,
        vocabulary: TagVocabulary,
        relevance: Relevance,
        held: Collection[Modality],
        adapter: Adapter | None = None,
    ) -> None:
        self.space = space
        self.vocabulary = vocabulary
        self.relevance = relevance
        self.adapter = adapter
        self.places = [place for place, label in enumerate(vocabulary.labels) if label.modalities & set(held)]
        self._watch = Stopwatch()
        self._probes: list[Probe] = []

    def of(self, ids: Ids, vectors: np.ndarray, modality: Modality) -> np.ndarray:
        """Score segments.

        Args:
            ids: (n,) embeddings of this space.
            vectors: (n, dim) float32, theirs.
            modality: What all of them are.

        Returns:
            (n, labels) float64 log-odds of being relevant, for all labels of the vocabulary; -inf for those of other senses.

        Raises:
            BadInput: The encoder does not take a label.
        """
        scores = np.full((len(self.vocabulary.labels), len(ids)), -np.inf)  # a row is a label: what is done to one is done to all of it
        asked = [
            (place, probe)
            for place, probe in zip(self.places, self._asked(), strict=True)
            if modality in self.vocabulary.labels[place].modalities
        ]
        if asked:
            cosines = np.stack([probe.vector for _, probe in asked]) @ vectors.T
            for (place, probe), row in zip(asked, cosines, strict=True):
                corrections = self.relevance.corrections(probe, ids, self._watch)
                scores[place] = self.relevance.scores(row if corrections is None else row - corrections, probe, modality, self._watch)
        return scores.T

    def _asked(self) -> list[Probe]:
        if not self._probes and self.places:
            texts = [self.vocabulary.labels[place].asked for place in self.places]
            rows = np.concatenate([self._encode(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)])
            self._probes = [Probe.of(self.space, [Weighed(0, Understood.alone(Origin(Modality.TEXT), row), 1.0)]) for row in rows]
        return self._probes

    def _encode(self, texts: list[str]) -> np.ndarray:
        try:
            rows = self.space.encode(lambda encoder: encoder.encode_text(texts), self._watch)
        except BadQuery as error:
            raise BadInput(f"{self.space.spec} does not take what {self.vocabulary.name} asks: {error}") from error
        return rows if self.adapter is None else self.adapter.apply(rows, Modality.TEXT)
