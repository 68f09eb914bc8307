"""One file on its way through a run, and what each lane gets of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import FailureCode
from ..storage.catalog import SourceRow
from ..types import MediaInfo, Segment
from .lanes import Lane
from .report import Outcome
from .scan import Found

__all__ = ["DEPENDS_ON_ENCODER", "NOTHING", "Broken", "Job", "Place", "View"]


DEPENDS_ON_ENCODER = frozenset({FailureCode.NO_CONTENT, FailureCode.NOT_ENCODED})


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a file could not be indexed, or a lane could not use it."""

    code: FailureCode
    reason: str

    @property
    def depends_on_encoder(self) -> bool:
        """Whether another encoder may well find something in the same bytes."""
        return self.code in DEPENDS_ON_ENCODER


NOTHING = Broken(FailureCode.NO_CONTENT, "it holds nothing that this library's encoder understands")


@dataclass(frozen=True, slots=True)
class Place:
    """An asset and the path that it has, or had.

    Attributes:
        since_now: It left its bytes in this run, not in an earlier one.
    """

    asset_id: int
    source_id: int
    path: str
    since_now: bool = True


@dataclass(slots=True, eq=False)
class View:
    """What one lane gets of one file.

    Attributes:
        number: The lane's.
        stored: Segments that an interrupted run had stored already.
        segments: All that were decoded.
        encoded: Those whose vectors are not stored yet.
        waiting: How many of them wait for the encoder.
        ended: The file was read to its end for the lane.
        closed: That, and what the lane has of it, is stored.
        failure: Why the lane cannot use the file.
    """

    job: Job
    number: int
    lane: Lane
    stored: frozenset[Segment] = frozenset()
    segments: list[Segment] = field(default_factory=list)
    encoded: list[tuple[Segment, np.ndarray]] = field(default_factory=list)
    waiting: int = 0
    ended: bool = False
    closed: bool = False
    failure: Broken | None = None

    @property
    def complete(self) -> bool:
        """Whether the lane has all that there is for it, be it nothing."""
        return self.ended and not self.waiting and self.refusal is None

    @property
    def refusal(self) -> Broken | None:
        """The failure, unless it says no more than that there is nothing for the lane: a film's silence, say."""
        return None if self.failure is None or self.failure.code is FailureCode.NO_CONTENT else self.failure

    def fail(self, failure: Broken) -> None:
        """Give the file up for this lane; the first reason stands."""
        self.failure = self.failure or failure
        self.encoded.clear()


@dataclass(slots=True, eq=False)
class Job:
    """One file.

    Attributes:
        outcome: NEW or CHANGED, as the comparison found it.
        before: The asset that its path has, if any, and the content of that.
        digest: Its content hash, once it was read.
        views: What the lanes get of it that have not all of it yet, by the number of the lane.
        from_elsewhere: Its bytes are known, though not from its path: it was moved or copied.
        served: Another lane has something of it already.
        settled: What becomes of it is decided; nothing more is expected of its process.
        content_id: Its content, once that is known.
        info: What it says about itself.
        lasts_ms: How much of it could really be read, by the lane that got furthest.
        ended: It was read for all lanes.
        broken: It turned out to be unusable before it was read for all.
    """

    source: SourceRow
    relative: str
    found: Found
    outcome: Outcome
    before: tuple[Place, int] | None = None
    digest: bytes = b""
    views: dict[int, View] = field(default_factory=dict)
    from_elsewhere: bool = False
    served: bool = False
    settled: bool = False
    content_id: int = 0
    info: MediaInfo | None = None
    lasts_ms: int = 0
    ended: bool = False
    broken: bool = False

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.source.root / self.relative

    @property
    def finished(self) -> bool:
        """Whether nothing of it is waited for any more."""
        return self.ended and not any(view.waiting for view in self.views.values())

    @property
    def verdict(self) -> Broken | None:
        """Why a finished file cannot be used; None where any lane has something of it, now or since an earlier run."""
        if self.served or self.filled:
            return None
        failures = [view.failure for view in self.views.values() if view.failure is not None]
        return next((failure for failure in failures if failure.code is not FailureCode.NO_CONTENT), [*failures, NOTHING][0])

    @property
    def filled(self) -> list[Lane]:
        """The lanes that have something of it now and had not all of it before."""
        return [view.lane for view in self.views.values() if view.complete and view.segments]

    def learn(self, info: MediaInfo | None, *, read_to_its_end: bool) -> None:
        """Take note of what the file says about itself; a lane that has read something to its end knows better how long it lasts."""
        if info is None:
            return
        if read_to_its_end:
            self.lasts_ms = max(self.lasts_ms, info.duration_ms or 0)
        if self.info is None or read_to_its_end:
            self.info = replace(info, duration_ms=self.lasts_ms or info.duration_ms)
