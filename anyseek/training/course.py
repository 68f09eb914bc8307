"""The course of a training: pairs, parts, what learns, what judges, the gate, and the file that is kept."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from ..adapters.adapter import Adapter
from ..adapters.card import Card, SpaceName
from ..adapters.store import AdapterStore
from ..errors import BadInput, MissingExtra
from ..evaluation.judged import JudgedQueries
from ..library import Library
from .document import data_as_dict, metrics_of
from .drift import drift_of
from .figures import compare, compared_by_class, compared_by_pair, compared_by_source
from .fitting import FitOptions, Fitted, fit
from .gate import decide
from .general import general_questions
from .judge import judge
from .lesson import Lesson, lesson_of
from .options import TrainOptions
from .outcome import Epoch, Judgement, TrainReport
from .pairs import Pair
from .subjects import Subject, batch_size

__all__ = ["OnStep", "train"]

OnStep = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

NOTHING_TO_RESUME = "there was no interrupted training of that name to go on with, so that this one began anew"

LEARNING_RATES = {"sigmoid": 1e-2}
"""By loss, where it is not the usual one: the sigmoid loss has far to go from nearly every pair being wrong."""

PATIENCE = {"sigmoid": 30}
"""By loss: it may take many epochs until the first query is answered better."""

ALIGNMENT = {"infonce": 0.3, "triplet": 0.3}
"""By loss, how much it counts how near right pairs are: what only has to be nearer than the rest would be found, and not shown."""


def train(
    library: Library,
    *pairs: Path | str | Pair,
    options: TrainOptions | None = None,
    roots: Sequence[Path] = (),
    general: JudgedQueries | None = None,
    on_step: OnStep | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    stop: threading.Event | None = None,
) -> TrainReport:
    """Learn from pairs, judge by some that were held out, and switch on what was learnt if it is better.

    Args:
        library: Whose stored vectors are used. Media are not read, and no stored vector changes.
        pairs: Files of pairs, and pairs; what `TrainOptions.take_from` names comes on top.
        options: How.
        roots: Further folders that paths in the files may be relative to.
        general: Judged queries that must not lose more than a point of ``recall@10``; the reference captions stand in for them.
        on_step: Told how far it is, except within the training.
        on_epoch: Told after each round over the pairs.
        stop: Set it, from another thread or a signal handler, to leave off after the round in hand; ``resume`` goes on from there.

    Returns:
        What came of it.

    Raises:
        BadInput: The pairs cannot be used, or are too few to learn from and to judge by.
        MissingExtra: torch is not installed.
        LibraryLocked: Another process is writing to the library.
    """
    options = options or TrainOptions()
    if not options.dry_run and options.fitted_loss != "ridge" and find_spec("torch") is None:
        raise MissingExtra("torch", "train")
    run = _Run(library, options, on_step or (lambda what, done, total: None))
    lesson = lesson_of(library, options, pairs, roots, run.on_step)
    report = run.report(lesson)
    if general is not None and options.method not in ("linear", "residual"):
        told = f"a {options.method} changes nothing that is asked in words alone, so that the general queries say nothing of it"
        report = replace(report, notes=(*report.notes, told))
    if options.dry_run:
        return replace(report, dry_run=True)
    lesson.check_size()
    started = time.perf_counter()
    subject = lesson.subject()
    fitted = fit(
        subject.problem,
        _fit_options(options, lesson, batch_size(int(subject.problem.train.positive.sum()))),
        draw=subject.draw,
        augment=lesson.augment,
        on_epoch=on_epoch,
        stop=stop,
        checkpoint=run.checkpoint(report.name),
        resume=options.resume,
    )
    seconds = time.perf_counter() - started
    report = replace(
        report, epochs=fitted.history, best_epoch=fitted.best_epoch, seconds=seconds, peak_mb=_peak_mb(), resumed=fitted.resumed
    )
    if options.resume and not fitted.resumed:
        report = replace(report, notes=(*report.notes, NOTHING_TO_RESUME))
    if fitted.stopped:
        return replace(report, interrupted=True)
    return run.finish(report, lesson, subject, fitted, general, roots)


def _fit_options(options: TrainOptions, lesson: Lesson, batch: int) -> FitOptions:
    return FitOptions(
        method=options.method,
        loss=options.fitted_loss,
        side=options.side,
        epochs=options.epochs,
        batch=batch,
        patience=PATIENCE.get(options.fitted_loss, FitOptions().patience),
        alignment=ALIGNMENT.get(options.fitted_loss, 0.0) if options.method in ("linear", "residual") else 0.0,
        learning_rate=LEARNING_RATES.get(options.fitted_loss, FitOptions().learning_rate),
        rank=max(1, options.fitted_rank),
        anchoring="ranking" if options.side == "both" else "vectors",
        dropping=FitOptions().dropping if options.balancing.dropping else 0.0,
        seed=options.seed,
        drawing=lesson.drawing,
    )


@dataclass(frozen=True)
class _Run:
    """One training of a library.

    Attributes:
        library: It.
        options: How.
        on_step: Told how far it is.
    """

    library: Library
    options: TrainOptions
    on_step: OnStep

    @property
    def name(self) -> str:
        """The name that it is kept under: the one that was chosen, or the first that is free."""
        taken = AdapterStore(self.library.folder).names()
        called = self.options.called
        if self.options.name is not None and called in taken:
            raise BadInput(f"there is an adapter called {called!r} already: choose another --name, or  anyseek adapters drop {called}")
        return _free(called, taken)

    def report(self, lesson: Lesson) -> TrainReport:
        """What is known before anything is learnt."""
        return TrainReport(
            library=self.library.path,
            name=self.name,
            method=self.options.method,
            side=self.options.side,
            loss=self.options.fitted_loss,
            space=lesson.space.spec,
            target=None if lesson.target is None else lesson.target.spec,
            settings=self.options.settings(),
            data=lesson.summary,
            notes=lesson.notes,
        )

    def finish(
        self, report: TrainReport, lesson: Lesson, subject: Subject, fitted: Fitted, general: JudgedQueries | None, roots: Sequence[Path]
    ) -> TrainReport:
        """Judge what was learnt, keep it, and switch it on if it is better."""
        card = self._card(report, lesson, subject, fitted)
        adapter = Adapter(card, fitted.arrays)
        self.on_step("judging", 0, 1)
        judgement = self._judgement(lesson, subject, adapter, general, roots)
        self.on_step("judging", 1, 1)
        verdict = decide(judgement.overall, judgement.general, judgement.drift)
        name = _free(card.name, AdapterStore(self.library.folder).names())
        self.library.keep_adapter(Adapter(replace(card, name=name, metrics=metrics_of(judgement, verdict)), fitted.arrays))
        self.checkpoint(report.name).unlink(missing_ok=True)
        switched = self.library.use_adapter(name) if verdict.passed else None
        renamed = (f"another training has taken the name {card.name} meanwhile, so that this one is called {name}",)
        return replace(
            report,
            name=name,
            notes=report.notes + (renamed if name != card.name else ()),
            judgement=judgement,
            verdict=verdict,
            switched_on=switched is not None,
            replaced=None if switched is None else switched.before,
            path=self.library.folder.adapters / f"{name}.safetensors",
        )

    def checkpoint(self, name: str) -> Path:
        """Where a training of a name could go on from."""
        return self.library.folder.trainings / f"{name}.safetensors"

    def _card(self, report: TrainReport, lesson: Lesson, subject: Subject, fitted: Fitted) -> Card:
        space = lesson.space.row.space
        return Card(
            name=report.name,
            method=self.options.method,
            side=self.options.side,
            loss=report.loss,
            spec=space.spec,
            fingerprint=space.fingerprint,
            dim=space.dim,
            modalities=subject.modalities,
            made_at=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            seed=self.options.seed,
            revision=space.revision,
            target=None if lesson.target is None else SpaceName.of(lesson.target.row.space),
            settings=dict(report.settings) | {"epochs_run": len(fitted.history), "best_epoch": fitted.best_epoch, **fitted.chosen},
            data=data_as_dict(report.data),
        )

    def _judgement(
        self, lesson: Lesson, subject: Subject, adapter: Adapter, general: JudgedQueries | None, roots: Sequence[Path]
    ) -> Judgement:
        questions, media = subject.questions, (subject.found(None), subject.found(adapter))
        before = judge(questions, subject.asked(None), media[0])
        after = judge(questions, subject.asked(adapter), media[1])
        drift = None
        if self.options.method in ("linear", "residual"):  # the others leave alone what is asked in words
            drift = drift_of(lesson.captions, subject.texts(lesson.captions, adapter), *media)
        unrelated = None
        if general is not None and drift is not None:
            asked, vectors = general_questions(self.library, lesson.space, general, roots)
            compared = [judge(asked, subject.texts(vectors, by), of) for by, of in zip((None, adapter), media, strict=True)]
            unrelated = compare("unrelated queries", *compared)
        questions, vectors = subject.alone()
        alone = judge(questions, vectors, media[0])
        pairs = compared_by_pair([*before, *alone], [*after, *alone])
        groups = (compared_by_class(before, after), compared_by_source(before, after), pairs)
        return Judgement(compare("all", before, after), *groups, unrelated, drift, len(media[0].vectors))


def _free(name: str, taken: Collection[str]) -> str:
    """A name, or the first with a number that nothing has."""
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)


def _peak_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
