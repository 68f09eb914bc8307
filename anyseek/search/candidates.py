"""The contents that may be hits of a query, found as far as is needed and scored by all that is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..storage.catalog import Catalog
from ..types import Modality
from .fusion import LateFusion, together
from .lookup import DECIMALS, Frontier, Scored, score_contents
from .probe import Probe
from .query import Query
from .relevance import Relevance, relevance_of
from .timings import Stopwatch

__all__ = ["Candidate", "Candidates", "Question"]

Allowed = Mapping[int, Mapping[Modality, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked up together: all parts of a query, or one of them where the answers are to be joined.

    Attributes:
        weight: How much its answers count.
        parts: The numbers of its parts in the query.
        probes: What each space is asked.
    """

    weight: float
    parts: tuple[int, ...]
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A content and how well it answers.

    Attributes:
        value: What it is ranked by; higher is better.
        score: Log-odds of being relevant.
        segments: With their scores, in no particular order; at least one.
        answered: By the number of a question, how relevant the content is to that alone; empty where there is one question.
    """

    content_id: int
    value: float
    score: float
    segments: tuple[Scored, ...]
    answered: Mapping[int, float]


class Candidates:
    """Candidates of one query.

    Args:
        catalog: Of the library.
        query: What is asked.
        questions: How it is looked up; several if their answers are to be joined.
        allowed: The embeddings that may be shown, by space and modality.
        relevance: Scores and corrects.
        watch: Counts the time.

    Attributes:
        bound: The highest score of any content that is not among them.
    """

    def __init__(
        self, catalog: Catalog, query: Query, questions: Sequence[Question], allowed: Allowed, relevance: Relevance, watch: Stopwatch
    ) -> None:
        self.catalog = catalog
        self.query = query
        self.questions = questions
        self.relevance = relevance
        self.watch = watch
        self.bound = math.inf
        late = isinstance(query.fusion, LateFusion) and len(questions) > 1
        self._late: LateFusion | None = query.fusion if late else None  # type: ignore[assignment]
        self._depth = self._late.depth if self._late is not None else None
        self._frontiers = [
            Frontier(catalog, probe, modality, ids, query.without, relevance, watch)
            for question in questions
            if question.weight > 0 or self._depth is not None  # what is pushed away has a rank, too
            for probe in question.probes
            for modality, ids in allowed[probe.space.id].items()
        ]
        self._scored: list[dict[int, list[Scored]]] = [{} for _ in questions]
        self._known: dict[int, None] = {}

    def reach(self, count: int) -> None:
        """Take in the best `count` contents of every modality in every space, or all that the fusion ranks."""
        reached: dict[int, None] = {}
        for frontier in self._frontiers:
            reached |= dict.fromkeys(frontier.reach(self._depth or count))
        new = [content for content in reached if content not in self._known]
        self._known |= dict.fromkeys(new)
        for question, scored in zip(self.questions, self._scored, strict=True):
            scored |= score_contents(self.catalog, new, question.probes, self.relevance, self.watch, explain=self.query.explain)
        self.bound = -math.inf if self._depth is not None else max((f.bound for f in self._frontiers), default=-math.inf)

    def best(self) -> list[Candidate]:
        """All that were found, in no particular order."""
        if self._late is not None:
            return self._joined(self._late)
        (scored,) = self._scored
        found = []
        for content_id, segments in scored.items():
            score = max(one.score for one in segments)
            found.append(Candidate(content_id, score, score, tuple(segments), {}))
        return found

    def _joined(self, fusion: LateFusion) -> list[Candidate]:
        contents = sorted({content_id for scored in self._scored for content_id in scored})
        if not contents:
            return []
        weights = [question.weight for question in self.questions]
        scores = np.array(
            [[max((one.score for one in scored.get(content, ())), default=-math.inf) for content in contents] for scored in self._scored]
        )
        values, joined = fusion.join(scores, weights), together(scores, weights)
        found = []
        for place, content_id in enumerate(contents):
            segments = self._segments(content_id)
            if segments:  # of what is wanted, and not only of what is pushed away
                answered = {number: relevance_of(float(score)) for number, score in enumerate(scores[:, place])}
                found.append(
                    Candidate(content_id, round(float(values[place]), DECIMALS), round(float(joined[place]), DECIMALS), segments, answered)
                )
        return found

    def _segments(self, content_id: int) -> tuple[Scored, ...]:
        """Each segment by what it answers best."""
        best: dict[tuple[int, object], Scored] = {}
        largest = max(question.weight for question in self.questions)
        for question, scored in zip(self.questions, self._scored, strict=True):
            if question.weight <= 0:
                continue
            for one in scored.get(content_id, ()):
                counted = replace(one, score=round(one.score + math.log(question.weight / largest), DECIMALS))
                key = (one.probe.space.id, one.segment)
                if key not in best or counted.score > best[key].score:
                    best[key] = counted
        return tuple(best.values())
