"""One indexing run: walk the sources, compare with the catalog, sweep what is gone, read what is new."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..encoders.protocol import Encoder
from ..errors import FailureCode
from ..media.kinds import kind_by_suffix
from ..media.protocol import DecodeOptions
from ..storage.catalog import AssetRow, Catalog, SourceRow, SpaceRow
from ..types import Kind
from .diff import Diff, compare
from .pipeline import Broken, Job, Movable, Pipeline
from .pool import DecodePool, PoolLimits
from .report import Failure, FileDone, IndexReport, OnEvent, Outcome, ScanProgress, Skipped, WorkFound
from .scan import Scan, ScanRules, scan
from .targets import targets

__all__ = ["IndexOptions", "Indexer"]


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How a run goes about it.

    Attributes:
        exclude: Globs of names or paths to pass over; what the library has of them is removed from it.
        kinds: Only these kinds are looked for, and what the library has of others stays; all when empty.
        jobs: Decoding processes; as many as there are cores when None.
        retry: Read failed files again, whatever the reason was.
        prune: Believe a source that is missing or empty, and forget for good what is not there any more.
        batch_size: Segments that are encoded at a time.
        decode: See `DecodeOptions`.
        limits: See `PoolLimits`.
    """

    exclude: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    jobs: int | None = None
    retry: bool = False
    prune: bool = False
    batch_size: int = 16
    decode: DecodeOptions = field(default_factory=DecodeOptions)
    limits: PoolLimits = field(default_factory=PoolLimits)


@dataclass(slots=True)
class _Plan:
    """What one source needs."""

    source: SourceRow
    below: str
    known: dict[str, AssetRow]
    scan: Scan
    diff: Diff


class _Stopped(Exception):
    """A walk was left off."""


class Indexer:
    """Brings the catalog in line with the disk. For one run; it leaves off after the batch in flight once `stop` is set."""

    def __init__(
        self,
        catalog: Catalog,
        space: SpaceRow,
        encoder: Encoder,
        options: IndexOptions,
        on_event: OnEvent,
        stop: threading.Event,
    ) -> None:
        self.catalog = catalog
        self.space = space
        self.encoder = encoder
        self.options = options
        self.on_event = on_event
        self.report = IndexReport()
        self._stopped = stop

    def run(self, paths: Sequence[Path]) -> IndexReport:
        """Index files and folders; all known sources when there are none.

        Raises:
            BadInput: A path does not exist, or nothing was named and the library has no source yet.
            StorageFull: The disk is full; what was committed is safe.
        """
        started = time.monotonic()
        with suppress(_Stopped):  # in the middle of a walk, of which nothing may be concluded
            with _collector_paused():
                plans = [self._plan(source, below) for source, below in targets(self.catalog, paths)]
            self._run(plans)
        self.report.interrupted = self._stopped.is_set()
        self.report.seconds = time.monotonic() - started
        return self.report

    def _run(self, plans: list[_Plan]) -> None:
        gone = self._sweep(plans)
        jobs = [job for plan in plans for job in self._jobs(plan)]
        self.on_event(WorkFound(len(jobs)))
        if jobs and not self._stopped.is_set():
            movable = self._movable(plans, gone)
            self._read(jobs, movable)
            gone -= movable.moved
        self.report.removed = len(gone)
        if self.options.prune and not self._stopped.is_set():
            with self.catalog.transaction() as writer:
                self.report.purged = writer.purge().assets

    def _plan(self, source: SourceRow, below: str) -> _Plan:
        rules = ScanRules(kind_by_suffix, self.options.exclude, self.options.kinds)
        on_event = self.on_event
        seen = scan(
            source.root,
            rules,
            below=below,
            on_skip=lambda path, rule: on_event(Skipped(source.root / path, rule)),
            on_found=lambda found: self._scanned(source, found),
        )
        known = self.catalog.assets(source.id)
        diff = compare(seen, known, below=below, reread=self._to_reread(known), unfinished=self.catalog.unfinished_contents(self.space.id))
        place = source.root / below
        if not seen.found and not self.options.prune and (place.is_dir() or not source.root.is_dir()):
            if diff.gone or seen.missing_root:
                self.report.unavailable.append(place)
            self.report.kept += len(diff.gone)
            diff.gone.clear()
        self.report.unchanged += diff.unchanged
        self.report.still_failed += diff.still_failed
        self.report.kept += diff.kept
        self.report.skipped += seen.skipped
        return _Plan(source, below, known, seen, diff)

    def _scanned(self, source: SourceRow, found: int) -> None:
        if self._stopped.is_set():
            raise _Stopped
        self.on_event(ScanProgress(source.root, found))

    def _to_reread(self, known: dict[str, AssetRow]) -> set[str]:
        """Failures that are tried again: all on request, else those that another moment may cure."""
        return {
            path
            for path, asset in known.items()
            if asset.failure_code is not None and (self.options.retry or not FailureCode(asset.failure_code).lies_in_content)
        }

    def _sweep(self, plans: Sequence[_Plan]) -> set[int]:
        """Mark what is gone and record what could not be looked at, in one transaction; gives the ids of what is gone."""
        gone = {asset_id for plan in plans for asset_id in plan.diff.gone.values()}
        unreadable = [
            (plan.source, path, Broken(*_why_unreadable(error))) for plan in plans for path, error in plan.scan.unreadable.items()
        ]
        whole = [plan.source for plan in plans if not plan.below and not plan.scan.missing_root]
        if gone or unreadable or whole:
            with self.catalog.transaction() as writer:
                for source in whole:
                    writer.mark_scanned(source.id)
                writer.delete_assets(sorted(gone))
                for source, path, broken in unreadable:
                    writer.fail_asset(source.id, path, 0, 0, broken.code, broken.reason)
        for source, path, broken in unreadable:
            self._failed(source.root / path, broken)
        return gone

    def _movable(self, plans: Sequence[_Plan], gone: set[int]) -> Movable:
        """What the library knows of the contents that new files may turn out to have."""
        movable = Movable()
        planned = {plan.source.id: plan.known for plan in plans}
        for source in self.catalog.sources():
            for asset in (planned.get(source.id) or self.catalog.assets(source.id)).values():
                if asset.content_id is None:
                    continue
                if asset.id in gone or asset.state == "deleted":
                    movable.gone.setdefault(asset.content_id, []).append(asset.id)
                elif asset.state == "indexed":
                    movable.present.add(asset.content_id)
        return movable

    def _jobs(self, plan: _Plan) -> list[Job]:
        new = [Job(plan.source, path, found, Outcome.NEW) for path, found in plan.diff.new.items()]
        changed = [
            Job(plan.source, path, found, Outcome.CHANGED, content_before=_content_of(plan.known[path]))
            for path, found in plan.diff.changed.items()
        ]
        return sorted(new + changed, key=lambda job: job.relative)

    def _read(self, jobs: list[Job], movable: Movable) -> None:
        pipeline = Pipeline(
            self.catalog, self.space, self.encoder, movable, self._done, retry=self.options.retry, batch_size=self.options.batch_size
        )
        size = min(self.options.jobs or os.cpu_count() or 1, len(jobs))
        try:
            with DecodePool[Job](self.options.decode, size, self.options.limits) as pool:
                pipeline.run(jobs, pool, self._stopped.is_set)
        finally:
            self.report.embedded = pipeline.embedded

    def _done(self, job: Job, outcome: Outcome, broken: Broken | None) -> None:
        if broken is not None:
            self._failed(job.path, broken)
            return
        self.report.count(outcome)
        self.on_event(FileDone(job.path, outcome))

    def _failed(self, path: Path, broken: Broken) -> None:
        self.report.count(Outcome.FAILED)
        self.report.failures.append(Failure(path, broken.code, broken.reason))
        self.on_event(FileDone(path, Outcome.FAILED, broken.reason))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Spare the garbage collector the rows of a large library: they come by the hundred thousand, and no cycle is among them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _content_of(asset: AssetRow) -> int | None:
    return asset.content_id if asset.state == "indexed" else None


def _why_unreadable(error: OSError) -> tuple[FailureCode, str]:
    if isinstance(error, PermissionError):
        return FailureCode.PERMISSION, "no permission to read it"
    if isinstance(error, FileNotFoundError):
        return FailureCode.VANISHED, "it is not there, or a link that leads nowhere"
    return FailureCode.READ_ERROR, error.strerror or str(error)
