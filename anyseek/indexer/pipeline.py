"""From files to stored vectors: read, decode, batch, encode, store. The encoder is the only thing that is waited for.

Decoding runs in processes of its own (`pool`), encoding in a thread (`batches`), storing here. Each batch is one transaction, and is
stored before the next one is encoded, so that an interruption at any instant loses at most the batch in flight; what a half-read film
has already got is kept and used when it is read again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..encoders.protocol import Encoder
from ..errors import FailureCode
from ..storage.catalog import Catalog, SourceRow, SpaceRow, Writer
from ..types import MediaInfo, Segment
from .batches import Batches
from .messages import Digest, Ended, Failed, Message, Piece, Read
from .pool import DecodePool
from .report import Outcome
from .scan import Found

__all__ = ["Broken", "Job", "Movable", "Pipeline"]

COMMIT_SECONDS = 1.0
COMMIT_FILES = 256
IDLE_SECONDS = 0.1
ENCODING_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a file could not be indexed."""

    code: FailureCode
    reason: str


@dataclass(slots=True, eq=False)
class Job:
    """One file on its way.

    Attributes:
        outcome: NEW or CHANGED, as the comparison found it.
        content_before: The content that its path had, if any.
        digest: Its content hash, once it was read.
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
    content_before: int | None = None
    digest: bytes = b""
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
        gone: Assets whose files are not there any more, by content: a new file with these bytes is the same asset, moved.
        moved: Those of them that were found again.
        present: Contents of which some file is still there.
    """

    gone: dict[int, list[int]] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    present: set[int] = field(default_factory=set)


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
        self._touched: set[Job] = set()
        self._known: list[tuple[Job, int]] = []
        self._broken: list[tuple[Job, Broken]] = []
        self._committed_at = time.monotonic()

    def run(self, jobs: Iterable[Job], pool: DecodePool[Job], stopped: Callable[[], bool]) -> None:
        """Bring all jobs to their end, or leave off when `stopped` says so; what was encoded by then is stored.

        Raises:
            StorageFull: The disk is full; what was committed is safe.
        """
        waiting = iter(jobs)
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
                    self._take(said.job, said.message, pool)
                self._encode(partial=time.monotonic() - heard_at >= IDLE_SECONDS)
            while self._batches.is_encoding or self._batches:
                self._encode(partial=True, timeout_s=None)
        self._commit()

    def _take(self, job: Job, message: Message, pool: DecodePool[Job]) -> None:
        match message:
            case Digest(digest):
                job.digest = digest
                pool.answer(job, wanted=self._is_wanted(job))
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
        if job.digest in self._twins:
            self._twins[job.digest].append(job)
            return False
        content = self.catalog.content_by_hash(job.digest, self.space.id)
        if content is None:
            self._twins[job.digest] = []
            return True
        if content.failure_code is not None and not self.retry:
            self._broken.append((job, Broken(FailureCode(content.failure_code), content.failure_reason or "")))
            return False
        if content.failure_code is None and content.coverage == "complete":
            self._known.append((job, content.id))
            return False
        self._twins[job.digest] = []
        job.stored = self.catalog.segments_in(content.id, self.space.id)
        return True

    def _fail(self, job: Job, broken: Broken) -> None:
        job.broken = True
        self._batches.drop(job)
        self._touched.discard(job)
        twins = self._twins.pop(job.digest, [])
        self._broken.append((job, broken))
        if broken.code.lies_in_content:
            self._broken.extend((twin, broken) for twin in twins)
        else:
            self._again.extend(twins)

    def _encode(self, *, partial: bool = False, timeout_s: float | None = 0.0) -> None:
        """Take the batch that was encoded, if it is done, store what is due, and only then begin with the next."""
        for item in self._batches.take(timeout_s):
            self.embedded += 1
            item.owner.waiting -= 1
            if not item.owner.broken:
                item.owner.encoded.append((item.segment, item.vector))
                self._touched.add(item.owner)
        if self._is_due():
            self._commit()
        self._batches.start(partial=partial)

    def _is_due(self) -> bool:
        """A batch was encoded, or files that need no encoding have waited for long enough."""
        if any(job.encoded for job in self._touched):
            return True
        settled = len(self._known) + len(self._broken) + len(self._touched)
        return settled >= COMMIT_FILES or (settled > 0 and time.monotonic() - self._committed_at > COMMIT_SECONDS)

    def _commit(self) -> None:
        """Store all that is settled in one transaction, and only then say that it is done."""
        done: list[tuple[Job, Outcome, Broken | None]] = []
        with self.catalog.transaction() as writer:
            for job in self._touched:
                self._store(writer, job)
            for job in [job for job in self._touched if job.finished]:
                self._known.extend((twin, job.content_id) for twin in [job, *self._twins.pop(job.digest)])
            done.extend((job, self._place(writer, job, content_id), None) for job, content_id in self._known)
            for job, broken in self._broken:
                self._place_broken(writer, job, broken)
                done.append((job, Outcome.FAILED, broken))
        self._touched.clear()
        self._known.clear()
        self._broken.clear()
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
        gone = self.movable.gone.get(content_id)
        was_present = content_id in self.movable.present
        self.movable.present.add(content_id)
        if job.outcome is Outcome.NEW and gone:
            asset_id = gone.pop(0)
            self.movable.moved.add(asset_id)
            writer.move_asset(asset_id, source, job.relative, found.size, found.mtime_ns)
            return Outcome.MOVED
        writer.put_asset(source, job.relative, found.size, found.mtime_ns, content_id)
        if job.content_before == content_id:
            return Outcome.UNCHANGED
        return Outcome.COPIED if job.outcome is Outcome.NEW and was_present else job.outcome

    def _place_broken(self, writer: Writer, job: Job, broken: Broken) -> None:
        content_id = None
        if broken.code.lies_in_content and job.digest:
            content_id = writer.fail_content(job.digest, job.found.size, job.info, broken.code, broken.reason)
        writer.fail_asset(
            job.source.id, job.relative, job.found.size, job.found.mtime_ns, broken.code, broken.reason, content_id=content_id
        )
