"""How well queries that nothing is learnt from are answered while something is: exactly, over all candidates, after every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..types import Modality
from .problem import Edges, Problem

__all__ = ["Score", "Validation"]

BLOCK = 256


class Score(NamedTuple):
    """How good it is; compared by recall, of equal recall by the others in turn: where few are asked, recall soon is all that it can be.

    Attributes:
        recall: The mean over questions of the share of right answers among the first k, in [0, 1].
        reciprocal: The mean over questions of 1 over the place of the first right answer.
        margin: The mean over questions of how far the nearest right answer is nearer than the nearest wrong one, in cosines.
    """

    recall: float
    reciprocal: float = 0.0
    margin: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """A query, the places of its right answers on the shelf of their modality, and of those that do not count."""

    query: int
    right: np.ndarray
    passed_over: np.ndarray


class Validation:
    """Asks the queries of a part. Answers are ranked among stored vectors of their modality: targets, and other candidates.

    What a query was trained with is no candidate for it: it would only be in the way of what it was not.

    Args:
        problem: Where they come from. Without a validation part the training part is asked.
        cutoff: The k of recall@k.
    """

    def __init__(self, problem: Problem, cutoff: int) -> None:
        self.held_out = bool(problem.validation.positive.any())
        self._problem, self._cutoff = problem, cutoff
        self._edges = problem.validation if self.held_out else problem.train
        self._others = (problem.candidates.modalities if problem.candidates is not None else ()) or ()
        self._shelves = {modality: self._shelf(modality) for modality in dict.fromkeys(problem.target_modalities)}
        self._questions = {modality: questions for modality in self._shelves if (questions := self._asked(modality))}
        self.queries = np.unique([each.query for questions in self._questions.values() for each in questions]).astype(np.int64)
        """(n,) the rows of the queries that are asked."""

    def score(self, queries: np.ndarray, targets: np.ndarray, candidates: np.ndarray | None) -> Score:
        """Rank the answers.

        Args:
            queries: (n, dim) unit rows, what those of `queries` are now.
            targets: (t, dim) unit rows, what all targets are now.
            candidates: (m, dim) unit rows, what the other candidates are now; None if there are none.
        """
        found: list[tuple[float, float, float]] = []
        for modality, questions in self._questions.items():
            of_targets, of_others = self._shelves[modality]
            shelf = targets[of_targets] if candidates is None else np.concatenate([targets[of_targets], candidates[of_others]])
            for start in range(0, len(questions), BLOCK):
                block = questions[start : start + BLOCK]
                scores = queries[np.searchsorted(self.queries, [each.query for each in block])] @ shelf.T
                found += [self._answered(row, question) for row, question in zip(scores, block, strict=True)]
        return Score(*(float(np.mean(each)) for each in zip(*found, strict=True))) if found else Score(0.0)

    def _answered(self, scores: np.ndarray, question: _Question) -> tuple[float, float, float]:
        scores[question.passed_over] = -np.inf
        own = scores[question.right]
        places = [1 + int((scores > score).sum() + (scores[:at] == score).sum()) for at, score in zip(question.right, own, strict=True)]
        wrong = scores.copy()
        wrong[question.right] = -np.inf
        margin = float(own.max() - wrong.max()) if np.isfinite(wrong).any() else 0.0
        return float(np.mean([place <= self._cutoff for place in places])), 1 / min(places), margin

    def _shelf(self, modality: Modality) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the targets and of the other candidates that are of a modality."""
        return tuple(  # type: ignore[return-value]
            np.flatnonzero([of is modality for of in modalities]) for modalities in (self._problem.target_modalities, self._others)
        )

    def _asked(self, modality: Modality) -> list[_Question]:
        shelf = self._shelves[modality][0]
        right, trained = _answers(self._edges, shelf), _answers(self._problem.train, shelf) if self.held_out else {}
        nothing = np.zeros(0, np.int64)
        return [
            _Question(query, places, np.setdiff1d(trained.get(query, nothing), places, assume_unique=True))
            for query, places in right.items()
        ]


def _answers(edges: Edges, shelf: np.ndarray) -> dict[int, np.ndarray]:
    """The right answers of each query that are on a shelf, by their places on it, ascending."""
    mine = np.flatnonzero(edges.positive & np.isin(edges.target, shelf))
    mine = mine[np.argsort(edges.query[mine], kind="stable")]
    queries, starts = np.unique(edges.query[mine], return_index=True)
    places = np.split(np.searchsorted(shelf, edges.target[mine]), starts[1:])
    return {query: np.unique(of) for query, of in zip(queries.tolist(), places, strict=False)}
