"""What judges a training: the pairs of its test part, as questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from .examples import Examples, Target
from .judge import HeldOut, Stretch

__all__ = ["held_out"]


def held_out(examples: Examples, learnt: np.ndarray, asked: np.ndarray) -> tuple[list[HeldOut], np.ndarray]:
    """Make a question of each query for each modality in which it has right answers.

    Args:
        examples: The pairs.
        learnt: (e,) bool, those of training and validation: their files are no candidates where the same query is asked again.
        asked: (e,) bool, those of the test part.

    Returns:
        The questions, and beside each the row of its query, (n,) int64.
    """
    known = _targets(examples, learnt & examples.positive)
    right = _targets(examples, asked & examples.positive)
    sources = _sources(examples, asked & examples.positive)
    questions: list[HeldOut] = []
    rows: list[int] = []
    for row in sorted(right):
        query = examples.queries[row]
        own = set() if query.content_id is None else {query.content_id}
        passed_over = frozenset({target.content_id for target in known.get(row, ())} | own)
        for modality in sorted({target.modality for target in right[row]}):
            answers = stretches_of([target for target in right[row] if target.modality is modality])
            questions.append(HeldOut(query.label, examples.query_modalities[row].value, modality, answers, passed_over, sources[row]))
            rows.append(row)
    return questions, np.array(rows, np.int64)


def stretches_of(targets: list[Target]) -> Mapping[int, tuple[Stretch, ...]]:
    """Contents with the stretches of them that answer; none where all of a content does."""
    found: dict[int, set[Stretch]] = defaultdict(set)
    for target in targets:
        found[target.content_id].add(target.stretch)
    whole = (0, 0)
    return {content: () if whole in stretches else tuple(sorted(stretches)) for content, stretches in sorted(found.items())}


def _targets(examples: Examples, mask: np.ndarray) -> dict[int, list[Target]]:
    found: dict[int, list[Target]] = defaultdict(list)
    for edge in np.flatnonzero(mask).tolist():
        found[int(examples.query_of[edge])].append(examples.targets[int(examples.target_of[edge])])
    return dict(found)


def _sources(examples: Examples, mask: np.ndarray) -> dict[int, tuple[str, ...]]:
    found: dict[int, set[str]] = defaultdict(set)
    for edge in np.flatnonzero(mask).tolist():
        found[int(examples.query_of[edge])].add(examples.sources[int(examples.source_of[edge])])
    return {row: tuple(sorted(names)) for row, names in found.items()}
