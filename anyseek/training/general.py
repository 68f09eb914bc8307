"""Queries that nothing was taught about: those of a file of judged queries that ask in words alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import BadInput
from ..evaluation.judged import JudgedQueries
from ..evaluation.questions import Question, Truth, questions_of
from ..library import Library
from ..search.spaces import SearchSpace
from ..search.timings import Stopwatch
from ..types import Kind, Modality
from .judge import HeldOut

__all__ = ["general_questions"]

LOOKED_AT = {Kind.IMAGE: Modality.IMAGE, Kind.AUDIO: Modality.AUDIO, Kind.VIDEO: Modality.IMAGE}
"""What of a right answer is ranked; of a film what is seen."""


def general_questions(
    library: Library, space: SearchSpace, queries: JudgedQueries, roots: Sequence[Path] = ()
) -> tuple[list[HeldOut], np.ndarray]:
    """Read what is asked, and what is right.

    Args:
        library: What is asked.
        space: Where.
        queries: Those of them are taken that are one text without a filter, and that the library has right answers to.
        roots: Further folders that their paths may be relative to.

    Returns:
        The questions, and beside each its vector, (n, dim) float32.

    Raises:
        BadInput: There are none.
    """
    asked = [question for question in questions_of(library.catalog, queries, roots)[0] if question.is_good and _is_plain(question)]
    if not asked:
        raise BadInput(f"{queries.path}: no query of one text has a right answer in the library: name others with --general")
    texts = [question.asked.text[0] for question in asked]
    vectors = space.encode(lambda encoder: encoder.encode_text(texts), Stopwatch())
    questions: list[HeldOut] = []
    rows: list[int] = []
    for row, question in enumerate(asked):
        for modality, truths in _by_modality(question).items():
            right = {truth.content_id: tuple((each.start_ms, each.end_ms) for each in truth.stretches) for truth in truths}
            questions.append(HeldOut(texts[row], Modality.TEXT.value, modality, right))
            rows.append(row)
    return questions, vectors[rows]


def _is_plain(question: Question) -> bool:
    judged = question.judged
    return judged.kind == Modality.TEXT.value and len(judged.text) == 1 and judged.where is None


def _by_modality(question: Question) -> Mapping[Modality, list[Truth]]:
    found: dict[Modality, list[Truth]] = defaultdict(list)
    for truth in question.truths:
        found[LOOKED_AT[truth.kind]].append(truth)
    return found
