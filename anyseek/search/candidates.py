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
    """What is looked up together: all parts of a query, or one of them.

    Attributes:
        weight: How much its answers count.
        probes: What each space is asked; none where no space can be.
    """

    weight: float
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A content and how well it answers.

    Attributes:
        value: What it is ranked by; higher is better.
        score: Log-odds of being relevant.
        segments: With their scores, in no particular order; at least one.
        answered: How relevant the content is to each part alone; empty where there is one part.
    """

    content_id: int
    value: float
    score: float
    segments: tuple[Scored, ...]
    answered: tuple[float, ...] = ()


class Candidates:
    """Candidates of one query.

    What is ranked by one vector for all of its parts is relevant when it is so to that vector, or to one of the parts and to none that
    pushes away: who asks for a cat in the grass and the sound of a gallop wants to see the cat, though nothing is all three.

    Args:
        catalog: Of the library.
        query: What is asked.
        questions: How it is looked up: its one part; or each of its parts, after all of them together where that is what ranks.
        allowed: The embeddings that may be shown, by space and modality.
        relevance: Scores and corrects.
        watch: Counts the time.

    Attributes:
        bound: The highest value of any content that is not among them.
        relevance_bound: The highest score of any.
    """

    def __init__(
        self, catalog: Catalog, query: Query, questions: Sequence[Question], allowed: Allowed, relevance: Relevance, watch: Stopwatch
    ) -> None:
        self.catalog = catalog
        self.query = query
        self.questions = questions
        self.relevance = relevance
        self.watch = watch
        self.bound = self.relevance_bound = math.inf
        fusion = query.fusion
        self._late = fusion if isinstance(fusion, LateFusion) and len(questions) > 1 else None
        self._depth = self._late.depth if self._late is not None else None
        self._weights = [question.weight for question in questions]
        self._frontiers = [
            [
                Frontier(catalog, probe, modality, ids, query.without, relevance, watch)
                for probe in question.probes
                for modality, ids in allowed[probe.space.id].items()
                if question.weight > 0 or self._depth is not None  # what is pushed away has a rank, too
            ]
            for question in questions
        ]
        self._scored: list[dict[int, list[Scored]]] = [{} for _ in questions]
        self._known: dict[int, None] = {}

    def reach(self, count: int) -> None:
        """Take in the best `count` contents of every modality in every space, or all that the fusion ranks."""
        reached: dict[int, None] = {}
        bounds = []
        for frontiers in self._frontiers:
            for frontier in frontiers:
                reached |= dict.fromkeys(frontier.reach(self._depth or count))
            bounds.append(max((frontier.bound for frontier in frontiers), default=-math.inf))
        new = [content for content in reached if content not in self._known]
        self._known |= dict.fromkeys(new)
        for question, scored in zip(self.questions, self._scored, strict=True):
            scored |= score_contents(self.catalog, new, question.probes, self.relevance, self.watch, explain=self.query.explain)
        self.relevance_bound = -math.inf if self._depth is not None else max(bounds)
        self.bound = self.relevance_bound if self._late is not None else bounds[0]

    def best(self) -> list[Candidate]:
        """All that were found, in no particular order."""
        contents = sorted({content_id for scored in self._scored for content_id in scored})
        if not contents:
            return []
        scores = np.array(
            [[max((one.score for one in scored.get(content, ())), default=-math.inf) for content in contents] for scored in self._scored]
        )
        if len(self.questions) == 1:
            values, relevant, parts = scores[0], scores[0], scores[:0]
        elif self._late is not None:
            values, relevant, parts = self._late.join(scores, self._weights), together(scores, self._weights), scores
        else:
            values, parts = scores[0], scores[1:]
            relevant = np.maximum(values, together(parts, self._weights[1:])) if max(self._weights[1:]) > 0 else values
        found = []
        for place, content_id in enumerate(contents):
            segments = self._segments(content_id)
            if segments:  # of what is wanted, and not only of what is pushed away
                answered = tuple(relevance_of(float(score)) for score in parts[:, place])
                value, score = round(float(values[place]), DECIMALS), round(float(relevant[place]), DECIMALS)
                found.append(Candidate(content_id, value, score, segments, answered))
        return found

    def _segments(self, content_id: int) -> tuple[Scored, ...]:
        """Each segment by what it answers best, or by all parts together."""
        if self._late is None:
            return tuple(self._scored[0].get(content_id, ()))
        best: dict[tuple[int, object], Scored] = {}
        largest = max(self._weights)
        for weight, scored in zip(self._weights, self._scored, strict=True):
            if weight <= 0:
                continue
            for one in scored.get(content_id, ()):
                counted = replace(one, score=round(one.score + math.log(weight / largest), DECIMALS))
                key = (one.probe.space.id, one.segment)
                if key not in best or counted.score > best[key].score:
                    best[key] = counted
        return tuple(best.values())
