"""One indexing run: walk the sources, compare with the catalog, sweep what is gone, read what is new."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadInput, FailureCode
from ..fusion.named import EARLY
from ..media.kinds import kind_by_suffix
from ..media.protocol import DecodeOptions
from ..media.video import frame_reader
from ..storage.catalog import AssetRow, Catalog, SourceRow
from ..types import Kind
from .diff import Diff, compare
from .exclusion import Exclusion
from .job import DEPENDS_ON_ENCODER, Broken, Job, Place
from .lanes import Lane
from .movable import Movable
from .pipeline import Pipeline
from .pool import DecodePool, PoolLimits
from .report import Failure, FileDone, IndexReport, OnEvent, Outcome, Refusal, ScanProgress, Skipped, WorkFound
from .scan import Rule, Scan, ScanRules, look_at, scan
from .targets import targets

__all__ = ["OFF", "IndexOptions", "Indexer"]

OFF = "off"
"""What belongs together is not joined."""


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How a run goes about it.

    Attributes:
        exclude: What to pass over, see `Exclusion`; what the library has of it is removed from it. A whole folder remembers it for later
            runs, until one is given another; None takes what is remembered.
        kinds: Only these kinds are looked for, and what the library has of others stays; all when empty.
        jobs: Decoding processes; as many as there are cores when None.
        retry: Read the files that failed before, whatever the reason was, and those that a space has nothing of; nothing else.
        prune: Forget for good what is not there any more. Where a path is named, believe that it is missing or empty on purpose.
        batch_size: Segments that are encoded at a time; as many as suit each encoder when None.
        fuse: How what belongs together (what is seen, heard and said of one moment) is joined to one vector more, by the name of an
            `anyseek.fusion.early.EarlyFusion`; ``off`` removes such vectors, and None does what the run before did.
        decode: See `DecodeOptions`; the encoders decide on modalities, sizes, rates and windows.
        limits: See `PoolLimits`.
    """

    exclude: tuple[str, ...] | None = None
    kinds: frozenset[Kind] = frozenset()
    jobs: int | None = None
    retry: bool = False
    prune: bool = False
    batch_size: int | None = None
    fuse: str | None = None
    decode: DecodeOptions = field(default_factory=DecodeOptions)
    limits: PoolLimits = field(default_factory=PoolLimits)

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise BadInput(f"{self.jobs} decoding processes can read nothing: use 1 or more, or None for one per core")
        if self.batch_size is not None and self.batch_size < 1:
            raise BadInput(f"a batch of {self.batch_size} segments holds nothing: use 1 or more")
        if self.fuse is not None and self.fuse not in (*EARLY, OFF):
            raise BadInput(f"nothing joins vectors that is called {self.fuse!r}: use {', '.join(EARLY)} or {OFF}")


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
    """Brings the catalog in line with the disk. For one run; it leaves off after the batch in flight once `stop` is set.

    Args:
        catalog: Of the library.
        lanes: The spaces to be filled, each with its encoder; one at least. Files that are in the library already are read for those that
            lack them, so that a new space is built beside an old one.
        options: See `IndexOptions`.
        on_event: Told of everything that happens.
        stop: Ends the run early.
    """

    def __init__(self, catalog: Catalog, lanes: Sequence[Lane], options: IndexOptions, on_event: OnEvent, stop: threading.Event) -> None:
        self.catalog = catalog
        self.lanes = lanes
        self.options = options
        self.on_event = on_event
        self.report = IndexReport()
        self._stopped = stop
        self._believes = False
        self._lacking: set[int] = set()
        self._refused: set[int] = set()

    def run(self, paths: Sequence[Path]) -> IndexReport:
        """Index files and folders; all known sources when there are none.

        Raises:
            BadInput: A path does not exist, or nothing was named and the library has no source yet.
            MissingExtra: The video backend is not installed.
            StorageFull: The disk is full; what was committed is safe.
            EncoderFailed: An encoder takes nothing.
        """
        frame_reader(self.options.decode.video_backend)
        self._believes = self.options.prune and bool(paths)
        started = time.monotonic()
        for lane in self.lanes:
            space_id = lane.space.id
            self._lacking |= self.catalog.unfinished_contents(space_id) | self.catalog.untried_contents(space_id, DEPENDS_ON_ENCODER)
            self._refused |= self.catalog.refused_contents(space_id) if self.options.retry else set()
        with suppress(_Stopped):  # in the middle of a walk, of which nothing may be concluded
            self._run([self._plan(source, below) for source, below in targets(self.catalog, paths)])
        self.report.interrupted = self._stopped.is_set()
        self.report.seconds = time.monotonic() - started
        return self.report

    def _run(self, plans: list[_Plan]) -> None:
        gone = self._sweep(plans)
        jobs = [job for plan in plans for job in self._jobs(plan)]
        known = sum(job.before is not None and job.before[1] in self._lacking for job in jobs)
        self.on_event(WorkFound(len(jobs), known))
        if jobs and not self._stopped.is_set():
            movable = self._movable(plans, gone, jobs)
            self._read(jobs, movable)
            gone = (gone | movable.displaced) - movable.moved
        self.report.removed = len(gone)
        if self.options.prune and not self._stopped.is_set():
            self._prune(plans)

    def _plan(self, source: SourceRow, below: str) -> _Plan:
        known = self.catalog.assets(source.id)
        if self.options.retry:
            known = {path: asset for path, asset in known.items() if self._is_to_retry(asset)}
        seen = self._look(source, below, known)
        diff = compare(seen, known, below=below, reread=self._to_reread(known), unfinished=self._lacking)
        suspicious = not source.root.is_dir() if self.options.retry else _is_suspicious(seen, source.root, below)
        if suspicious and not self._believes:
            if diff.gone or seen.missing_root:
                self.report.unavailable.append(source.root / below)
            self.report.kept += len(diff.gone)
            diff.gone.clear()
        self.report.unchanged += diff.unchanged
        self.report.still_failed += diff.still_failed
        self.report.kept += diff.kept
        self.report.skipped += seen.skipped
        return _Plan(source, below, known, seen, diff)

    def _look(self, source: SourceRow, below: str, known: Iterable[str]) -> Scan:
        """Walk a source, or look only at what is `known` when failures are read again."""
        patterns = source.exclude if self.options.exclude is None else self.options.exclude
        exclude = Exclusion(patterns, source.root, below) if patterns else None
        rules = ScanRules(kind_by_suffix, exclude, self.options.kinds)
        if self.options.retry:
            return look_at(source.root, rules, known)
        on_event = self.on_event
        seen = scan(
            source.root,
            rules,
            below=below,
            on_skip=lambda path, rule: on_event(Skipped(source.root / path, rule)),
            on_found=lambda found: self._scanned(source, found),
        )
        if exclude is not None and self.options.exclude is not None:
            self.report.notes += [f"nothing below {source.root / below} is like the excluded {pattern!r}" for pattern in exclude.idle]
        return seen

    def _scanned(self, source: SourceRow, found: int) -> None:
        if self._stopped.is_set():
            raise _Stopped
        self.on_event(ScanProgress(source.root, found))

    def _to_reread(self, known: dict[str, AssetRow]) -> set[str]:
        """What is tried again: all that `retry` means, else failures that another moment may cure."""
        if self.options.retry:
            return set(known)
        return {
            path for path, asset in known.items() if asset.failure_code is not None and not FailureCode(asset.failure_code).lies_in_content
        }

    def _is_to_retry(self, asset: AssetRow) -> bool:
        return asset.state == "failed" or (asset.state == "indexed" and asset.content_id in self._refused)

    def _sweep(self, plans: Sequence[_Plan]) -> set[int]:
        """Mark what is gone and record what could not be looked at, in one transaction; gives the ids of the files that are gone."""
        unreadable = [(plan, path, Broken(*_why_unreadable(error))) for plan in plans for path, error in plan.scan.unreadable.items()]
        gone = [(plan.known[path], asset_id) for plan in plans for path, asset_id in plan.diff.gone.items()]
        whole = [plan.source for plan in plans if not plan.below and not plan.scan.missing_root and not self.options.retry]
        if gone or unreadable or whole:
            with self.catalog.transaction() as writer:
                for source in whole:
                    writer.describe_source(source.id, whole=None if source.whole else True, exclude=self.options.exclude)
                writer.delete_assets(sorted(asset_id for _, asset_id in gone))
                for plan, path, broken in unreadable:
                    content_id = plan.known[path].content_id if path in plan.known else None
                    writer.fail_asset(plan.source.id, path, 0, 0, broken.code, broken.reason, content_id=content_id)
        for plan, path, broken in unreadable:
            self._failed(plan.source.root / path, broken)
        return {asset_id for asset, asset_id in gone if asset.state == "indexed" or asset.mtime_ns}  # a folder's failure has no time

    def _movable(self, plans: Sequence[_Plan], gone: set[int], jobs: Sequence[Job]) -> Movable:
        """What the library knows of the contents that files may turn out to have."""
        movable = Movable()
        planned = {plan.source.id: plan.known for plan in plans} if not self.options.retry else {}
        read_again = {job.before[0].asset_id for job in jobs if job.before}
        for source in self.catalog.sources():
            for path, asset in (planned.get(source.id) or self.catalog.assets(source.id)).items():
                if asset.content_id is None or asset.id in read_again:
                    continue
                if asset.id in gone or asset.state == "deleted":
                    movable.leave(Place(asset.id, source.id, path, since_now=asset.id in gone), asset.content_id)
                elif asset.state == "indexed":
                    movable.present.add(asset.content_id)
        return movable

    def _jobs(self, plan: _Plan) -> list[Job]:
        new = [Job(plan.source, path, found, Outcome.NEW) for path, found in plan.diff.new.items()]
        changed = [
            Job(plan.source, path, found, Outcome.CHANGED, before=_before(plan.source, path, plan.known[path]))
            for path, found in plan.diff.changed.items()
        ]
        return sorted(new + changed, key=lambda job: job.relative)

    def _read(self, jobs: list[Job], movable: Movable) -> None:
        pipeline = Pipeline(self.catalog, self.lanes, movable, self._done, retry=self.options.retry, batch_size=self.options.batch_size)
        size = min(self.options.jobs or os.cpu_count() or 1, len(jobs))
        try:
            options = tuple(lane.decode(self.options.decode) for lane in self.lanes)
            with DecodePool[Job](options, size, self.options.limits) as pool:
                pipeline.run(jobs, pool, self._stopped.is_set)
        finally:
            self.report.embedded = pipeline.embedded

    def _prune(self, plans: Sequence[_Plan]) -> None:
        """Forget what is gone for good, and sources that are gone with it."""
        with self.catalog.transaction() as writer:
            self.report.purged = writer.purge().assets
            for plan in plans:
                if self._believes and plan.scan.missing_root and not plan.below:
                    writer.forget_source(plan.source.id)

    def _done(self, job: Job, outcome: Outcome, broken: Broken | None) -> None:
        if broken is not None:
            self._failed(job.path, broken)
            return
        self.report.count(outcome)
        if outcome in (Outcome.FILLED, Outcome.MOVED, Outcome.COPIED):
            self.report.filled_in.update(lane.spec for lane in job.filled)
        for view in job.views.values():
            if view.refusal is not None:
                self.report.refused.append(Refusal(job.path, view.lane.spec, view.refusal.code, view.refusal.reason))
        self.on_event(FileDone(job.path, outcome))

    def _failed(self, path: Path, broken: Broken) -> None:
        self.report.count(Outcome.FAILED)
        self.report.failures.append(Failure(path, broken.code, broken.reason))
        self.on_event(FileDone(path, Outcome.FAILED, broken.reason))


def _is_suspicious(seen: Scan, root: Path, below: str) -> bool:
    """Whether a walk saw so little that a disk may not be plugged in: no root, or a folder with nothing in it but junk."""
    if seen.missing_root:
        return not below or not root.is_dir()
    passed = seen.skipped.total() - seen.skipped[Rule.JUNK] - seen.skipped[Rule.HIDDEN]
    return not (seen.found or seen.unreadable or passed)


def _before(source: SourceRow, path: str, asset: AssetRow) -> tuple[Place, int] | None:
    """What a path had; nothing where its bytes could not be used."""
    if asset.content_id is None:
        return None
    if asset.failure_code is not None and FailureCode(asset.failure_code).lies_in_content:
        return None
    return Place(asset.id, source.id, path), asset.content_id


def _why_unreadable(error: OSError) -> tuple[FailureCode, str]:
    if isinstance(error, PermissionError):
        return FailureCode.PERMISSION, "no permission to read it"
    if isinstance(error, FileNotFoundError):
        return FailureCode.VANISHED, "it is not there, or a link that leads nowhere"
    return FailureCode.READ_ERROR, error.strerror or str(error)
