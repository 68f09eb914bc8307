"""Exact rankings of held-out queries, without index or calibration: all cosines are computed, nothing is estimated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..types import Modality

__all__ = ["CUTOFFS", "MEASURES", "HeldOut", "Judged", "Media", "judge"]

CUTOFFS = (1, 5, 10)
MEASURES = (*(f"{name}@{k}" for name in ("success", "recall") for k in CUTOFFS), "mAP")
BLOCK = 64

Stretch = tuple[int, int]
"""First millisecond, and the one after the last."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A query that nothing was learnt from, and what answers it.

    Attributes:
        label: The query as a person knows it; queries of one label are a class.
        asked: What it is asked with: a modality, or several joined by ``+``.
        found: Only segments of this modality are ranked.
        right: The contents that answer it; and of a content of which only stretches do, these.
        passed_over: Contents that are no candidates: what it was trained with, and what is asked with.
        sources: Where the pairs come from.
    """

    label: str
    asked: str
    found: Modality
    right: Mapping[int, tuple[Stretch, ...]]
    passed_over: frozenset[int] = frozenset()
    sources: tuple[str, ...] = ()

    @property
    def pair(self) -> str:
        """What it is asked with and for: ``text → image``."""
        return f"{self.asked} → {self.found.value}"


@dataclass(frozen=True, slots=True)
class Judged:
    """How well a query was answered.

    Attributes:
        question: The query.
        places: Those of the right answers, from 1, in ascending order; infinite for a file that came up by another stretch of it.
    """

    question: HeldOut
    places: tuple[float, ...]

    def values(self) -> dict[str, float]:
        """By measure, as trec_eval computes them: success, recall and average precision over all candidates."""
        return {measure: sum(parts) if measure[0] != "s" else max(parts) for measure, parts in self.parts().items()}

    def parts(self) -> dict[str, list[float]]:
        """By measure, what each right answer contributes: of recall and average precision its addend, of success whether it is there."""
        count = len(self.places)
        within = {k: [float(place <= k) for place in self.places] for k in CUTOFFS}
        found = {f"success@{k}": within[k] for k in CUTOFFS}
        found |= {f"recall@{k}": [each / count for each in within[k]] for k in CUTOFFS}
        found["mAP"] = [number / place / count if math.isfinite(place) else 0.0 for number, place in enumerate(self.places, 1)]
        return found


@dataclass(frozen=True, eq=False)
class Media:
    """All segments that may be answers, in one space.

    Attributes:
        vectors: (n, dim) float32 unit rows.
        contents: (n,) int64, the content that each belongs to.
        modalities: n of them.
        stretches: (n, 2) int64, the first millisecond of each and the one after its last.
    """

    vectors: np.ndarray
    contents: np.ndarray
    modalities: tuple[Modality, ...]
    stretches: np.ndarray

    @cached_property
    def shelves(self) -> dict[Modality, Shelf]:
        """The segments of each modality."""
        found = {}
        for modality in dict.fromkeys(self.modalities):
            rows = np.flatnonzero([of is modality for of in self.modalities])
            rows = rows[np.argsort(self.contents[rows], kind="stable")]
            found[modality] = Shelf(self.vectors[rows], self.contents[rows], self.stretches[rows])
        return found


class Shelf:
    """The segments of one modality, content by content.

    Args:
        vectors: (n, dim) float32 unit rows.
        contents: (n,) int64 ascending.
        stretches: (n, 2) int64 milliseconds.
    """

    def __init__(self, vectors: np.ndarray, contents: np.ndarray, stretches: np.ndarray) -> None:
        self.vectors = vectors
        self.stretches = stretches
        self.contents, self._starts = np.unique(contents, return_index=True)
        self._ends = [*self._starts[1:].tolist(), len(vectors)]

    def best(self, queries: np.ndarray) -> np.ndarray:
        """The highest cosine of each content with each query, (q, contents) float32."""
        return np.asarray(np.maximum.reduceat(queries @ self.vectors.T, self._starts, axis=1))

    def place_of(self, content: int) -> int | None:
        """Where a content stands in `contents`; None if it has no segment here."""
        place = int(np.searchsorted(self.contents, content))
        return place if place < len(self.contents) and self.contents[place] == content else None

    def best_stretch(self, query: np.ndarray, place: int) -> Stretch:
        """Which segment of a content is nearest to a query, by where it lies."""
        rows = slice(int(self._starts[place]), self._ends[place])
        start, end = self.stretches[rows][int(np.argmax(self.vectors[rows] @ query))].tolist()
        return start, end


def judge(questions: Sequence[HeldOut], queries: np.ndarray, media: Media) -> list[Judged]:
    """Rank all candidates for each query: contents by their best segment, of equal ones the lower id first.

    Args:
        questions: q of them.
        queries: (q, dim) float32 unit rows, what they are in the space of the media.
        media: All that may be found.
    """
    judged: dict[int, Judged] = {}
    for modality in dict.fromkeys(question.found for question in questions):
        shelf = media.shelves.get(modality)
        mine = [number for number, question in enumerate(questions) if question.found is modality]
        if shelf is None:
            judged |= {number: Judged(questions[number], (math.inf,) * len(questions[number].right)) for number in mine}
            continue
        for number, scores in _scored(mine, queries, shelf):
            judged[number] = Judged(questions[number], _places(questions[number], queries[number], scores, shelf))
    return [judged[number] for number in range(len(questions))]


def _scored(numbers: Sequence[int], queries: np.ndarray, shelf: Shelf) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(numbers), BLOCK):
        block = list(numbers[start : start + BLOCK])
        yield from zip(block, shelf.best(queries[block]), strict=True)


def _places(question: HeldOut, query: np.ndarray, scores: np.ndarray, shelf: Shelf) -> tuple[float, ...]:
    passed = [place for content in question.passed_over - set(question.right) if (place := shelf.place_of(content)) is not None]
    scores[passed] = -np.inf
    places = []
    for content, stretches in question.right.items():
        place = shelf.place_of(content)
        if place is None or not _overlaps(shelf.best_stretch(query, place) if stretches else None, stretches):
            places.append(math.inf)
            continue
        ahead = (scores > scores[place]).sum() + (scores[:place] == scores[place]).sum()
        places.append(float(ahead + 1))
    return tuple(sorted(places))


def _overlaps(best: Stretch | None, stretches: Sequence[Stretch]) -> bool:
    return best is None or any(best[0] < end and start < best[1] for start, end in stretches)
