"""The contents that may be hits of a query, found as far as is needed and scored by all that is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..storage.catalog import Catalog
from ..types import Modality
from .fusion import LateFusion, pushed, together
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

    Where parts are joined before they are looked up, hits are ranked by the joined vector. It is nobody's caption, and nothing may be all
    of its parts at once: so its scores are moved up until the best is as relevant as the best answer to any of the parts. What is not
    wanted is no part of that vector, for what is left of a text when one that is near to it has been subtracted points nowhere; it takes
    its share off the odds, see `pushed`.

    Args:
        catalog: Of the library.
        query: What is asked.
        questions: How it is looked up: its one part; or each of its parts, after all of them together where that is what ranks.
        allowed: The embeddings that may be shown, by space and modality.
        relevance: Scores and corrects.
        watch: Counts the time.

    Attributes:
        allowed: Whether there is anything that may be shown.
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
        self.allowed = any(len(ids) for of_space in allowed.values() for ids in of_space.values())
        self.bound = math.inf
        fusion = query.fusion
        self._late = fusion if isinstance(fusion, LateFusion) and len(questions) > 1 else None
        self._depth = self._late.depth if self._late is not None else None
        self._weights = [question.weight for question in questions]
        self._joined = len(questions) > len(query.counted)  # then the first question is all of them
        self._moved = 0.0
        self._frontiers = [
            [
                Frontier(catalog, probe, modality, ids, query.without, relevance, watch)
                for probe in question.probes
                for modality, ids in allowed[probe.space.id].items()
                if question.weight > 0
            ]
            for question in questions
        ]
        if self._joined:
            self._move()
        self._scored: list[dict[int, list[Scored]]] = [{} for _ in questions]
        self._known: dict[int, None] = {}

    def _move(self) -> None:
        """See how far the scores of all parts together have to go up."""
        tops = []
        for question, frontiers in zip(self.questions, self._frontiers, strict=True):
            for frontier in frontiers:
                frontier.reach(1)
            best = max((frontier.top for frontier in frontiers), default=-math.inf)
            tops.append(best + math.log(question.weight / max(self._weights)) if question.weight > 0 else -math.inf)
        if math.isfinite(tops[0]):
            self._moved = max(0.0, max(tops[1:]) - tops[0])

    def reach(self, count: int) -> None:
        """Take in the best `count` contents of every modality in every space, or all that the fusion ranks."""
        reached: dict[int, None] = {}
        bounds = []
        for frontiers in self._frontiers[:1] if self._joined else self._frontiers:
            for frontier in frontiers:
                reached |= dict.fromkeys(frontier.reach(self._depth or count))
            bounds.append(max((frontier.bound for frontier in frontiers), default=-math.inf))
        new = [content for content in reached if content not in self._known]
        self._known |= dict.fromkeys(new)
        for question, scored in zip(self.questions, self._scored, strict=True):
            scored |= self._shown(
                score_contents(self.catalog, new, question.probes, self.relevance, self.watch, explain=self.query.explain)
            )
        self.bound = -math.inf if self._depth is not None else max(bounds) + self._moved

    def best(self) -> list[Candidate]:
        """All that were found, in no particular order."""
        contents = sorted({content_id for scored in self._scored for content_id in scored})
        if not contents:
            return []
        scores = np.array(
            [[max((one.score for one in scored.get(content, ())), default=-math.inf) for content in contents] for scored in self._scored]
        )
        taken_off = pushed(scores, self._weights)
        relevant = scores[0] + self._moved + taken_off if self._joined else together(scores, self._weights)
        values = relevant if self._late is None else self._late.join(scores, self._weights)
        parts = scores[len(scores) - len(self.query.counted) :] if len(scores) > 1 else scores[:0]
        found = []
        for place, content_id in enumerate(contents):
            segments = self._segments(content_id)
            if segments:  # of what is wanted, and not only of what is pushed away
                answered = tuple(relevance_of(float(score)) for score in parts[:, place])
                value, score = round(float(values[place]), DECIMALS), round(float(relevant[place]), DECIMALS)
                found.append(Candidate(content_id, value, score, segments, answered))
        return found

    def _shown(self, found: dict[int, list[Scored]]) -> dict[int, list[Scored]]:
        """Without the moments that were rejected, and the contents of which nothing else is left."""
        if not self.query.refinement.hidden:
            return found
        shown = {content_id: [one for one in of if not self.query.hides(content_id, one.segment)] for content_id, of in found.items()}
        return {content_id: of for content_id, of in shown.items() if of}

    def _segments(self, content_id: int) -> tuple[Scored, ...]:
        """Each segment by what it answers best, or by all parts together."""
        if self._joined:
            found = self._scored[0].get(content_id, ())
            return tuple(replace(one, score=round(one.score + self._moved, DECIMALS)) for one in found)
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
