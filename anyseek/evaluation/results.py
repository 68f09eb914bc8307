"""What came of one question: the hits, which of them are right, and where they point."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from ..types import Kind
from .judged import Stretch
from .questions import Question, Truth

if TYPE_CHECKING:
    from ..search.hits import Hit

__all__ = ["Found", "Result", "document_id", "found_in", "has_overlap"]


@dataclass(frozen=True, slots=True)
class Found:
    """A hit, judged.

    Attributes:
        content_id: Of its content.
        path: Where it lies.
        kind: What it is.
        relevance: As the library sees it, in [0, 1].
        moments: The best first; empty for a picture.
        truth: The right answer that it finds; None if it is wrong: another file, or another stretch of the right one.
        document: Its name in rankings: the file's, or of a wrong stretch of a right file one of its own, so that it is no right answer.
    """

    content_id: int
    path: Path
    kind: Kind
    relevance: float
    moments: tuple[Stretch, ...]
    truth: Truth | None
    document: str


@dataclass(frozen=True, slots=True)
class Result:
    """A question and what came of it.

    Attributes:
        question: What was asked.
        found: The first hits with all relevances shown, each content once.
        ranking: The documents of all hits that were looked at, the best first.
        kinds: What each of these is.
        refused: Whether nothing was relevant enough to be shown; None if it could not be asked.
        took_ms: How long the search took that a user would make; None if it could not be asked.
        values: What it adds to the mean of each measure; measures that do not apply are left out.
        problem: Why it could not be asked.
    """

    question: Question
    found: tuple[Found, ...] = ()
    ranking: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    refused: bool | None = None
    took_ms: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None

    @property
    def rank(self) -> int | None:
        """The place of the first right answer, from 1; None if it was not reached."""
        right = {document_id(truth.path) for truth in self.question.truths}
        return next((place for place, document in enumerate(self.ranking, 1) if document in right), None)


def found_in(hits: Iterable[Hit], question: Question) -> list[Found]:
    """Judge hits.

    A hit is right if its file is, and, where stretches are judged, if its best moment overlaps one of them. Further copies of a file that
    was found are passed over, and so is what was asked with.
    """
    truths = {truth.content_id: truth for truth in question.truths}
    found: dict[int, Found] = {}
    for hit in hits:
        content_id = hit.info.id
        if content_id not in found and content_id not in question.own:
            found[content_id] = _judged(hit, truths.get(content_id))
    return list(found.values())


def _judged(hit: Hit, truth: Truth | None) -> Found:
    moments = tuple(Stretch(moment.start_ms, moment.end_ms) for moment in hit.moments)
    path = hit.path if truth is None else truth.path
    document = document_id(path)
    if truth is not None and truth.stretches and not (moments and has_overlap(moments[0], truth.stretches)):
        truth = None
        document += f"@{moments[0].start_ms}-{moments[0].end_ms}" if moments else "@"
    return Found(hit.info.id, hit.path, hit.kind, hit.relevance, moments, truth, document)


def has_overlap(moment: Stretch, stretches: Sequence[Stretch]) -> bool:
    """Whether a moment has anything in common with one of several stretches."""
    return any(moment.shared_ms(stretch) for stretch in stretches)


def document_id(path: Path) -> str:
    """A path as one word, as rankings need it: percent-encoded, without ``@``."""
    return quote_from_bytes(os.fsencode(path))
