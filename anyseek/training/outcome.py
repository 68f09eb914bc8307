"""What came of a training, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .drift import Drift
from .figures import Compared, worst_share
from .gate import Verdict

__all__ = ["DataSummary", "Epoch", "Judgement", "TrainReport"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """How far a training was after a round over the pairs.

    Attributes:
        number: From 1.
        loss: The mean over the round's batches.
        recall: Of the validation part, in [0, 1].
    """

    number: int
    loss: float
    recall: float


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What was learnt from.

    Attributes:
        pairs: How many there are.
        negatives: How many of them say what is not right.
        sources: How many come from where.
        classes: How many right pairs each query has that has several, the most first.
        queries: How many different queries there are.
        targets: How many different files and moments.
        groups: How many groups of near-duplicates these make; none is split between the parts.
        parts: How many pairs are for training, validation and test.
        left_out: Why pairs could not be used → how many.
    """

    pairs: int
    negatives: int
    sources: Mapping[str, int]
    classes: Mapping[str, int]
    queries: int
    targets: int
    groups: int
    parts: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How held-out queries are answered before and after.

    Attributes:
        overall: All of them.
        classes: By what is asked.
        sources: By where the pairs come from.
        pairs: By what is asked with and for.
        general: The user's own unrelated queries, if there are any.
        drift: What becomes of the reference captions; None where there are none.
        segments: How many segments they were ranked among.
    """

    overall: Compared
    classes: tuple[Compared, ...]
    sources: tuple[Compared, ...]
    pairs: tuple[Compared, ...]
    general: Compared | None
    drift: Drift | None
    segments: int

    def worst_classes(self, measure: str, share: float = 0.1) -> tuple[float, float]:
        """The mean over the worst share of the classes, before and after; each time over those that are the worst then."""
        before, after = [each.before for each in self.classes], [each.after for each in self.classes]
        return worst_share(before, measure, share), worst_share(after, measure, share)

    def worst_class(self, measure: str) -> Compared:
        """The class that is answered worst after the training."""
        return min(self.classes, key=lambda each: (each.after.means[measure], each.name))


@dataclass(frozen=True, slots=True)
class TrainReport:
    """All that came of a training.

    Attributes:
        library: The library's folder.
        name: Of what was trained.
        method: How it maps.
        side: What it maps.
        loss: What was made small.
        space: The spec of the space it is for.
        target: Of a bridge: that of the space it leads to.
        settings: All that shaped the outcome.
        data: What was learnt from.
        epochs: How it went.
        best_epoch: The one that is kept; 0 where none was better than what it began with.
        judgement: How good it is; None of a dry run and of one that was interrupted.
        verdict: Whether it may be switched on, and why.
        switched_on: Whether it was.
        replaced: The adapter that was on before in its place.
        path: Its file.
        dry_run: Whether nothing was trained.
        interrupted: Whether it was stopped before the end; ``resume`` goes on from there.
        resumed: Whether it went on from an interrupted one.
        seconds: How long it took, without reading the pairs.
        peak_mb: The most memory that the process had, in MiB; None where the system does not tell.
        notes: What a user should hear about.
    """

    library: Path
    name: str
    method: str
    side: str
    loss: str
    space: str
    target: str | None
    settings: Mapping[str, Any]
    data: DataSummary
    epochs: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    judgement: Judgement | None = None
    verdict: Verdict | None = None
    switched_on: bool = False
    replaced: str | None = None
    path: Path | None = None
    dry_run: bool = False
    interrupted: bool = False
    resumed: bool = False
    seconds: float = 0.0
    peak_mb: float | None = None
    notes: tuple[str, ...] = ()
