"""The course of an evaluation: every question is asked in every way that is compared, and what comes of it is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..errors import BadInput, MediaError
from ..library import Library
from .configurations import Asks, Configuration, Engines
from .intervals import Interval
from .judged import JudgedQueries
from .moments import moment_values
from .questions import Missing, Question, questions_of
from .ranking import check_installed, ranking_values
from .results import Result, document_id, found_in
from .summary import ABSENT_REFUSED, GOOD_REFUSED, Summary, differences, summarise

__all__ = ["CUTOFFS", "DEPTH", "Evaluated", "Evaluation", "OnQuestion", "Settings", "ask_all", "evaluate"]

CUTOFFS = (1, 5, 10)
DEPTH = 100
SHOWN = 10

OnQuestion = Callable[[str, int, int], None]
"""Told the configuration, how many of its questions were asked, and how many there are."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an evaluation goes about.

    Attributes:
        cutoffs: How many of the first hits count, smallest first.
        depth: How many hits of each question are looked at.
        min_relevance: What is less relevant counts as not shown when refusals are counted; None for the library's own cut.
    """

    cutoffs: tuple[int, ...] = CUTOFFS
    depth: int = DEPTH
    min_relevance: float | None = None

    def __post_init__(self) -> None:
        if not self.cutoffs or min(self.cutoffs) < 1 or list(self.cutoffs) != sorted(set(self.cutoffs)):
            raise BadInput(f"{', '.join(map(str, self.cutoffs)) or 'nothing'}: use numbers from 1 on, the smallest first, such as 1,5,10")
        if self.depth < self.cutoffs[-1]:
            raise BadInput(f"a depth of {self.depth} is less than the {self.cutoffs[-1]} hits that are to count: use {DEPTH} or so")
        if self.min_relevance is not None and not 0 <= self.min_relevance <= 1:
            raise BadInput(f"a relevance of {self.min_relevance} there is not: use a number from 0 (all hits) to 1")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One way to search, evaluated.

    Attributes:
        results: One for each question, in their order.
        differences: To the first configuration, by measure; empty for the first one.
    """

    configuration: Configuration
    results: tuple[Result, ...]
    summary: Summary
    differences: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that was found out.

    Attributes:
        queries: The file of queries.
        library: The library's folder.
        asked: How many queries were read.
        unjudged: The ids of those that could not be judged, because the library holds none of their right answers.
        missing: All right answers that the library does not hold.
        evaluated: One for each way to search.
        notes: What a user should hear about.
    """

    queries: Path
    library: Path
    asked: int
    unjudged: tuple[str, ...]
    missing: tuple[Missing, ...]
    settings: Settings
    evaluated: tuple[Evaluated, ...]
    notes: tuple[str, ...]

    @property
    def has_problems(self) -> bool:
        """Whether a question could not be asked in some way."""
        return any(result.problem is not None for each in self.evaluated for result in each.results)


def evaluate(
    library: Library,
    queries: JudgedQueries,
    compared: Sequence[Configuration],
    settings: Settings | None = None,
    *,
    roots: Sequence[Path] = (),
    on_question: OnQuestion | None = None,
) -> Evaluation:
    """Ask a library judged queries.

    Args:
        library: What is asked. Nothing in it is changed.
        queries: What it is asked, and what is right.
        compared: The ways to search; at least one.
        settings: How.
        roots: Further folders that paths in the queries may be relative to.
        on_question: Told how far it is.

    Raises:
        BadInput: The queries cannot be used, or none can be judged.
        MissingExtra: A package is not installed.
        ModelUnavailable: A model cannot be loaded.
    """
    check_installed()
    settings = settings or Settings()
    questions, missing = questions_of(library.catalog, queries, roots)
    if not questions:
        raise BadInput(
            f"{queries.path}: none of the {len(queries.queries):,} queries can be judged, for the library at {library.path} holds none of "
            f"their right answers: index them, or name the folder that paths such as {missing[0].path!r} are relative to with --root"
        )
    engines = Engines(library)
    asks = [engines.asks(configuration) for configuration in compared]  # refused before anything is asked
    evaluated: list[Evaluated] = []
    for configuration, ask in zip(compared, asks, strict=True):
        told = partial(on_question, configuration.name) if on_question is not None else None
        results = ask_all(ask, questions, settings, told)
        found = differences(evaluated[0].results, results) if evaluated else {}
        evaluated.append(Evaluated(configuration, tuple(results), summarise(results), found))
    known = {question.judged.id for question in questions}
    unjudged = tuple(query.id for query in queries.queries if query.id not in known)
    notes = tuple(_notes(engines, compared, questions))
    return Evaluation(queries.path, library.path, len(queries.queries), unjudged, tuple(missing), settings, tuple(evaluated), notes)


def ask_all(
    ask: Asks, questions: Sequence[Question], settings: Settings, on_question: Callable[[int, int], None] | None = None
) -> list[Result]:
    """Ask questions in one way, and judge what is found.

    Each is asked twice: for all that there is, which gives the ranking; then as a user would ask, with the default cut, which tells whether
    anything is shown, and how long a search takes whose models and indexes are loaded.
    """
    results = []
    for number, question in enumerate(questions, 1):
        results.append(_result(ask, question, settings))
        if on_question is not None:
            on_question(number, len(questions))
    judgements = {
        question.judged.id: {document_id(truth.path): truth.grade for truth in question.truths}
        for question in questions
        if question.is_good
    }
    rankings = {result.question.judged.id: result.ranking for result in results}
    values = ranking_values(judgements, rankings, settings.cutoffs)
    return [replace(result, values={**values.get(result.question.judged.id, {}), **result.values}) for result in results]


def _result(ask: Asks, question: Question, settings: Settings) -> Result:
    deep = replace(question.asked, min_relevance=0.0, limit=settings.depth + len(question.own))
    plain = replace(question.asked, min_relevance=settings.min_relevance, limit=SHOWN + len(question.own))
    try:
        found = found_in(ask(deep), question)[: settings.depth]
        started = time.perf_counter()
        shown = ask(plain)
        took_ms = (time.perf_counter() - started) * 1000
    except (BadInput, MediaError) as error:  # one query that cannot be asked does not lose the others
        return Result(question, values=moment_values((), question.truths), problem=str(error))
    refused = not found_in(shown, question)
    values = moment_values(found, question.truths)
    values[GOOD_REFUSED if question.is_good else ABSENT_REFUSED] = float(refused)
    ranking, kinds = tuple(hit.document for hit in found), tuple(hit.kind for hit in found)
    return Result(question, tuple(found[:SHOWN]), ranking, kinds, refused, took_ms, values)


def _notes(engines: Engines, compared: Sequence[Configuration], questions: Sequence[Question]) -> list[str]:
    notes = []
    if len({configuration.fusion for configuration in compared}) > 1 and not any(question.judged.has_parts for question in questions):
        notes.append("no query has several parts, so that it makes no difference how parts are joined")
    for row in {row.id: row for configuration in compared for row in engines.rows(configuration)}.values():
        lacking = engines.library.catalog.space_counts(row.id).lacking
        if lacking:
            notes.append(f"{row.space.spec} lacks the vectors of {lacking:,} files, which it cannot find: complete it with  anyseek index")
    return notes
