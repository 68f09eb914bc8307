"""From files to stored vectors: read, decode, batch, encode, store. The encoder is the only thing that is waited for.

Decoding runs in processes of its own (`pool`), encoding in a thread (`batches`), storing here. Each batch is one transaction, and is
stored before the next one is encoded, so that an interruption at any instant loses at most the batch in flight; what a half-read film
has already got is kept and used when it is read again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..encoders.protocol import Encoder
from ..errors import FailureCode
from ..storage.catalog import Catalog, ContentRow, SourceRow, SpaceRow, Writer
from ..types import MediaInfo, Segment
from .batches import Batches
from .messages import Digest, Ended, Failed, Piece, Read
from .pool import DecodePool, Said
from .report import Outcome
from .scan import Found

__all__ = ["Broken", "Job", "Movable", "Pipeline", "Place"]

COMMIT_SECONDS = 1.0
COMMIT_FILES = 256
IDLE_SECONDS = 0.1
ENCODING_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a file could not be indexed."""

    code: FailureCode
    reason: str


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
class Job:
    """One file on its way.

    Attributes:
        outcome: NEW or CHANGED, as the comparison found it.
        before: The asset that its path has, if any, and the content of that.
        digest: Its content hash, once it was read.
        settled: Its hash decided what becomes of it; nothing more is expected of its process.
        content_id: Its content, once something of it was stored.
        info: What it says about itself; final when `ended`.
        segments: All that were decoded.
        stored: Those that an interrupted run had stored already.
        encoded: Those whose vectors are not stored yet.
        waiting: How many of its segments wait for the encoder.
        ended: It was read to its end.
        broken: It turned out to be unusable.
    """

    source: SourceRow
    relative: str
    found: Found
    outcome: Outcome
    before: tuple[Place, int] | None = None
    digest: bytes = b""
    settled: bool = False
    content_id: int = 0
    info: MediaInfo | None = None
    segments: list[Segment] = field(default_factory=list)
    stored: set[Segment] = field(default_factory=set)
    encoded: list[tuple[Segment, np.ndarray]] = field(default_factory=list)
    waiting: int = 0
    ended: bool = False
    broken: bool = False

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.source.root / self.relative

    @property
    def finished(self) -> bool:
        """Whether nothing of it is waited for any more."""
        return self.ended and not self.waiting


@dataclass(slots=True)
class Movable:
    """What tells a moved file from a copied one.

    Attributes:
        gone: Assets by the content that is not at their paths any more: a file elsewhere with these bytes is the same asset, moved.
        moved: Assets that were found again.
        displaced: Assets whose paths were taken by moved ones, and that were not found again so far.
        present: Contents of which some file is still there.
    """

    gone: dict[int, list[Place]] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    displaced: set[int] = field(default_factory=set)
    present: set[int] = field(default_factory=set)

    def leave(self, place: Place, content_id: int) -> None:
        """Note that a path does not have these bytes any more."""
        self.gone.setdefault(content_id, []).append(place)

    def claim(self, job: Job, content_id: int) -> Place | None:
        """The asset that a file with these bytes is: the one that was at its path, else one that left them and may be moved there.

        An asset that is still at a path only gives way to one that moved just now.
        """
        places = self.gone.get(content_id, [])
        here = (job.source.id, job.relative)
        candidates = [place for place in places if place.since_now or job.outcome is Outcome.NEW]
        place = next((place for place in candidates if (place.source_id, place.path) == here), candidates[0] if candidates else None)
        if place is not None:
            places.remove(place)
        return place

    def stay(self, place: Place, content_id: int) -> None:
        """Note that an asset keeps its path although its bytes are others now, so that nobody may claim it."""
        self.gone[content_id] = [other for other in self.gone.get(content_id, []) if other.asset_id != place.asset_id]


class Pipeline:
    """Brings jobs to their end. For one run."""

    def __init__(
        self,
        catalog: Catalog,
        space: SpaceRow,
        encoder: Encoder,
        movable: Movable,
        on_done: Callable[[Job, Outcome, Broken | None], None],
        *,
        retry: bool = False,
        batch_size: int = 16,
    ) -> None:
        self.catalog = catalog
        self.space = space
        self.movable = movable
        self.on_done = on_done
        self.retry = retry
        self.embedded = 0
        self._batches: Batches[Job] = Batches(encoder, batch_size)
        self._twins: dict[bytes, list[Job]] = {}
        self._again: deque[Job] = deque()
        self._undecided: set[Job] = set()
        self._touched: set[Job] = set()
        self._known: list[tuple[Job, int]] = []
        self._broken: list[tuple[Job, Broken]] = []
        self._committed_at = time.monotonic()

    def run(self, jobs: Sequence[Job], pool: DecodePool[Job], stopped: Callable[[], bool]) -> None:
        """Bring all jobs to their end, or leave off when `stopped` says so; what was encoded by then is stored.

        Raises:
            StorageFull: The disk is full; what was committed is safe.
            EncoderFailed: The encoder takes nothing.
        """
        self._undecided = {job for job in jobs if job.before is not None}
        waiting = iter(sorted(jobs, key=lambda job: job.before is None))  # see `_decide`
        heard_at = time.monotonic()
        with closing(self._batches):
            while not stopped():
                while pool.has_room and (job := self._again.popleft() if self._again else next(waiting, None)):
                    pool.submit(job, Read(str(job.path), job.found.size, job.found.mtime_ns))
                if not pool.busy:
                    break
                if self._batches.is_crowded:
                    self._encode(timeout_s=IDLE_SECONDS)
                    continue
                said = pool.next(ENCODING_SECONDS if self._batches.is_encoding else IDLE_SECONDS)
                if said is not None:
                    heard_at = time.monotonic()
                    self._take(said)
                self._encode(partial=time.monotonic() - heard_at >= IDLE_SECONDS)
            while self._batches.is_encoding or (self._batches and not stopped()):
                self._encode(partial=not stopped(), timeout_s=None)
        self._commit()

    def _take(self, said: Said[Job]) -> None:
        job = said.job
        if job.settled:
            return
        match said.message:
            case Digest(digest):
                job.digest = digest
                wanted = self._is_wanted(job)
                job.settled = not wanted
                said.answer(wanted=wanted)
            case Piece(info, decoded):
                job.info = info
                job.segments.append(decoded.segment)
                if decoded.segment not in job.stored:
                    job.waiting += 1
                    self._batches.add(job, decoded)
            case Ended(info) if info is not None and not job.segments:
                self._fail(job, Broken(FailureCode.NO_CONTENT, "it holds nothing that this library's encoder understands"))
            case Ended(info) if info is not None:
                job.info, job.ended = info, True
                if job.finished:
                    self._touched.add(job)
            case Failed(code, reason):
                self._fail(job, Broken(code, reason))

    def _is_wanted(self, job: Job) -> bool:
        """Decide by its hash what becomes of a file; True when it has to be decoded."""
        content = self.catalog.content_by_hash(job.digest, self.space.id)
        self._decide(job, content)
        if job.digest in self._twins:
            self._twins[job.digest].append(job)
            return False
        if content is not None and content.failure_code is not None and not self.retry:
            self._broken.append((job, Broken(FailureCode(content.failure_code), content.failure_reason or "")))
            return False
        if content is not None and content.failure_code is None and content.coverage == "complete":
            self._known.append((job, content.id))
            return False
        self._twins[job.digest] = []
        if content is not None:
            job.stored = self.catalog.segments_in(content.id, self.space.id)
        return True

    def _decide(self, job: Job, content: ContentRow | None) -> None:
        """Note whether the bytes that a path had are still there.

        Who is moved and who is copied can only be told when this is known of all paths that had something before: their files are read
        first, and files with known bytes wait for it.
        """
        self._undecided.discard(job)
        if job.before is None:
            return
        place, content_id = job.before
        if content is not None and content.id == content_id:
            self.movable.present.add(content_id)
        else:
            self.movable.leave(place, content_id)

    def _fail(self, job: Job, broken: Broken) -> None:
        """Give a file up, with those that turned out to have the same bytes if the bytes are at fault."""
        job.broken = job.settled = True
        self._undecided.discard(job)
        self._batches.drop(job)
        self._touched.discard(job)
        self._broken.append((job, broken))
        for twin in self._twins.pop(job.digest, []):
            if broken.code.lies_in_content:
                self._broken.append((twin, broken))
            else:
                twin.settled = False
                self._again.append(twin)

    def _encode(self, *, partial: bool = False, timeout_s: float | None = 0.0) -> None:
        """Take the batch that was encoded, if it is done, store what is due, and only then begin with the next."""
        for item in self._batches.take(timeout_s):
            self.embedded += item.vector is not None
            item.owner.waiting -= 1
            if item.owner.broken:
                continue
            if item.vector is None:
                self._fail(item.owner, Broken(FailureCode.NOT_ENCODED, f"the encoder does not take it: {item.refusal}"))
                continue
            item.owner.encoded.append((item.segment, item.vector))
            self._touched.add(item.owner)
        if self._is_due():
            self._commit()
        self._batches.start(partial=partial)

    def _is_due(self) -> bool:
        """A batch was encoded, or files that need no encoding have waited for long enough."""
        if any(job.encoded for job in self._touched):
            return True
        settled = len(self._broken) + len(self._touched) + (0 if self._undecided else len(self._known))
        return settled >= COMMIT_FILES or (settled > 0 and time.monotonic() - self._committed_at > COMMIT_SECONDS)

    def _commit(self) -> None:
        """Store all that is settled in one transaction, and only then say that it is done."""
        done: list[tuple[Job, Outcome, Broken | None]] = []
        with self.catalog.transaction() as writer:
            for job in self._touched:
                self._store(writer, job)
            fresh = [(twin, job.content_id) for job in self._touched if job.finished for twin in [job, *self._twins.pop(job.digest)]]
            known = [] if self._undecided else self._known
            done.extend((job, self._place(writer, job, content_id), None) for job, content_id in fresh + known)
            for job, broken in self._broken:
                self._place_broken(writer, job, broken)
                done.append((job, Outcome.FAILED, broken))
        self._touched.clear()
        self._broken.clear()
        if known:
            self._known = []
        self._committed_at = time.monotonic()
        for job, outcome, reason in done:
            self.on_done(job, outcome, reason)

    def _store(self, writer: Writer, job: Job) -> None:
        assert job.info is not None  # a file is touched by its pieces or its end, and both bring it
        if not job.content_id:
            job.content_id = writer.begin_content(job.digest, job.found.size, job.info)
        writer.add_embeddings(job.content_id, self.space.id, job.encoded)
        job.encoded = []
        if job.finished:
            writer.finish_content(job.content_id, self.space.id, job.info, job.segments)

    def _place(self, writer: Writer, job: Job, content_id: int) -> Outcome:
        """Tie a path to its content: as the asset that was moved there, or as an asset of its own."""
        source, found = job.source.id, job.found
        was_present = content_id in self.movable.present
        self.movable.present.add(content_id)
        claimed = self.movable.claim(job, content_id)
        if claimed is not None:
            self.movable.moved.add(claimed.asset_id)
            self.movable.displaced.discard(claimed.asset_id)
            if (claimed.source_id, claimed.path) != (source, job.relative):
                if job.before is not None and job.before[0].asset_id not in self.movable.moved:
                    self.movable.displaced.add(job.before[0].asset_id)
                writer.move_asset(claimed.asset_id, source, job.relative, found.size, found.mtime_ns)
                return Outcome.MOVED
        writer.put_asset(source, job.relative, found.size, found.mtime_ns, content_id)
        if job.before is not None and job.before[1] == content_id:
            return Outcome.UNCHANGED
        if job.before is not None:
            self.movable.stay(*job.before)
        return Outcome.COPIED if job.outcome is Outcome.NEW and was_present else job.outcome

    def _place_broken(self, writer: Writer, job: Job, broken: Broken) -> None:
        """Record a failure, with the content whose bytes are at fault, or that was at the path before its place failed."""
        if broken.code.lies_in_content and job.digest:
            content_id: int | None = writer.fail_content(job.digest, job.found.size, job.info, broken.code, broken.reason)
        else:
            content_id = job.before[1] if job.before else None
            if job.content_id:  # what was stored may come from bytes that are not those of the hash
                writer.drop_embeddings(job.content_id, self.space.id)
        writer.fail_asset(
            job.source.id, job.relative, job.found.size, job.found.mtime_ns, broken.code, broken.reason, content_id=content_id
        )
