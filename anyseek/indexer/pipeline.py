"""From files to stored vectors: read, decode, batch, encode, store. The encoders are all that is waited for.

Decoding runs in processes of its own (`pool`), encoding in a thread (`batches`), storing here. Each batch is one transaction, and is
stored before the next one is encoded, so that an interruption at any instant loses at most the batch in flight; what a half-read film
has already got is kept and used when it is read again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing

from ..errors import FailureCode
from ..storage.catalog import Catalog, ContentRow, Writer
from .batches import Batches
from .job import Broken, Job, View
from .lanes import Lane
from .messages import Digest, Ended, Failed, LaneEnded, Piece, Read
from .movable import Movable
from .pool import DecodePool, Said
from .report import Outcome

__all__ = ["Pipeline"]

COMMIT_SECONDS = 1.0
COMMIT_FILES = 256
IDLE_SECONDS = 0.1
ENCODING_SECONDS = 0.01


class Pipeline:
    """Brings jobs to their end. For one run."""

    def __init__(
        self,
        catalog: Catalog,
        lanes: Sequence[Lane],
        movable: Movable,
        on_done: Callable[[Job, Outcome, Broken | None], None],
        *,
        retry: bool = False,
        batch_size: int | None = None,
    ) -> None:
        self.catalog = catalog
        self.lanes = lanes
        self.movable = movable
        self.on_done = on_done
        self.retry = retry
        self.embedded = 0
        self._batches: Batches[View] = Batches(lanes, batch_size)
        self._twins: dict[bytes, list[Job]] = {}
        self._again: deque[Job] = deque()
        self._undecided: set[Job] = set()
        self._touched: set[Job] = set()
        self._placeable: list[tuple[Job, int]] = []
        self._known: list[tuple[Job, int]] = []
        self._broken: list[tuple[Job, Broken]] = []
        self._committed_at = time.monotonic()

    def run(self, jobs: Sequence[Job], pool: DecodePool[Job], stopped: Callable[[], bool]) -> None:
        """Bring all jobs to their end, or leave off when `stopped` says so; what was encoded by then is stored.

        Raises:
            StorageFull: The disk is full; what was committed is safe.
            EncoderFailed: An encoder takes nothing.
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
                lanes = self._wanted_by(job)
                job.settled = not lanes
                said.answer(lanes)
            case Piece(lane, info, decoded):
                view = job.views[lane]
                job.learn(info, read_to_its_end=False)
                view.segments.append(decoded.segment)
                if view.failure is None and decoded.segment not in view.stored:
                    view.waiting += 1
                    self._batches.add(lane, view, decoded)
            case LaneEnded(lane, info, failure):
                view = job.views[lane]
                job.learn(info, read_to_its_end=bool(view.segments) and failure is None)
                self._end(view, failure)
            case Ended():
                job.ended = True
                self._touched.add(job)
            case Failed() as failure if failure.code.lies_in_content and job.views:
                for view in job.views.values():
                    if not view.ended:
                        self._end(view, failure)
                job.ended = True
                self._touched.add(job)
            case Failed(code, reason):
                self._fail(job, Broken(code, reason))

    def _wanted_by(self, job: Job) -> tuple[int, ...]:
        """Decide by its hash what becomes of a file, and give the numbers of the lanes for which it has to be decoded."""
        content = self.catalog.content_by_hash(job.digest)
        self._decide(job, content)
        at_home = job.before is not None and content is not None and job.before[1] == content.id
        job.from_elsewhere = content is not None and content.failure_code is None and not at_home
        if job.digest in self._twins:
            self._twins[job.digest].append(job)
            return ()
        wanted = tuple(range(len(self.lanes))) if content is None else self._lacking(job, content)
        if wanted:
            self._twins[job.digest] = []
            job.content_id = 0 if content is None else content.id
            job.views = {number: self._view(job, number, content) for number in wanted}
        elif content is not None and content.failure_code is not None:
            self._broken.append((job, Broken(FailureCode(content.failure_code), content.failure_reason or "")))
        elif content is not None:
            self._settle(job, content.id)
        return wanted

    def _settle(self, job: Job, content_id: int) -> None:
        """Let a file be placed with the next commit, or if its bytes are known from elsewhere when that can be decided."""
        (self._known if job.from_elsewhere else self._placeable).append((job, content_id))

    def _lacking(self, job: Job, content: ContentRow) -> tuple[int, ...]:
        """The lanes that want bytes that are known: those that lack them, and all of them again where that may show what can be done."""
        everyone = tuple(range(len(self.lanes)))
        covered = [content.coverage.get(lane.space.id) for lane in self.lanes]
        lacking = tuple(
            number for number in everyone if covered[number] in (None, "partial") or (self.retry and covered[number] == "refused")
        )
        if content.failure_code is not None:
            untried = lacking if Broken(FailureCode(content.failure_code), "").depends_on_encoder else ()
            return everyone if self.retry else untried
        complete = [lane.space.id for lane, state in zip(self.lanes, covered, strict=True) if state == "complete"]
        job.served = any(self.catalog.segments_in(content.id, space_id) for space_id in complete)
        if job.served and lacking:
            job.lasts_ms = self.catalog.content_info([content.id])[content.id].duration_ms or 0
        return lacking if lacking or job.served else everyone

    def _view(self, job: Job, number: int, content: ContentRow | None) -> View:
        lane = self.lanes[number]
        is_stored = content is not None and content.coverage.get(lane.space.id) in ("partial", "complete")
        stored = self.catalog.segments_in(content.id, lane.space.id) if content is not None and is_stored else ()
        return View(job, number, lane, frozenset(stored))

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

    def _end(self, view: View, failure: Failed | None) -> None:
        """Note that a file was read to its end for a lane, or how far it can be read for it."""
        view.ended = True
        if failure is not None:
            self._give_up(view, Broken(failure.code, failure.reason))
        if not view.waiting:
            self._touched.add(view.job)

    def _give_up(self, view: View, failure: Broken) -> None:
        """Give a file up for one lane; whether that costs the file is seen when it was read for all."""
        view.fail(failure)
        view.waiting -= self._batches.drop(view)

    def _fail(self, job: Job, broken: Broken) -> None:
        """Give a file up, with those that turned out to have the same bytes if the bytes are at fault."""
        job.broken = job.settled = True
        self._undecided.discard(job)
        for view in job.views.values():
            view.waiting -= self._batches.drop(view)
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
            view = item.owner
            self.embedded += item.vector is not None
            view.waiting -= 1
            if view.job.broken:
                continue
            if item.vector is None:
                self._give_up(view, Broken(FailureCode.NOT_ENCODED, f"the encoder does not take it: {item.refusal}"))
            elif view.failure is None:
                view.encoded.append((item.segment, item.vector))
            self._touched.add(view.job)
        if self._is_due():
            self._commit()
        self._batches.start(partial=partial)

    def _is_due(self) -> bool:
        """A batch was encoded, or files that need no encoding have waited for long enough."""
        if any(view.encoded for job in self._touched for view in job.views.values()):
            return True
        settled = len(self._broken) + len(self._touched) + len(self._placeable) + (0 if self._undecided else len(self._known))
        return settled >= COMMIT_FILES or (settled > 0 and time.monotonic() - self._committed_at > COMMIT_SECONDS)

    def _commit(self) -> None:
        """Store all that is settled in one transaction, and only then say that it is done."""
        done: list[tuple[Job, Outcome, Broken | None]] = []
        with self.catalog.transaction() as writer:
            for job in self._touched:
                self._store(writer, job)
                if job.finished:
                    alike = [job, *self._twins.pop(job.digest)]
                    self._conclude(alike, job.verdict, job.content_id)
            placed = self._placeable + ([] if self._undecided else self._known)
            done.extend((job, self._place(writer, job, content_id), None) for job, content_id in placed)
            for job, broken in self._broken:
                self._place_broken(writer, job, broken)
                done.append((job, Outcome.FAILED, broken))
        self._touched.clear()
        self._broken.clear()
        self._placeable.clear()
        if not self._undecided:
            self._known.clear()
        self._committed_at = time.monotonic()
        for job, outcome, reason in done:
            self.on_done(job, outcome, reason)

    def _conclude(self, alike: Sequence[Job], verdict: Broken | None, content_id: int) -> None:
        """Say what becomes of files with the same bytes, now that these were read."""
        for job in alike:
            if verdict is None:
                self._settle(job, content_id)
            else:
                self._broken.append((job, verdict))

    def _store(self, writer: Writer, job: Job) -> None:
        """Store what the lanes have got of a file since the last time, and what they have come to an end with."""
        verdict = job.verdict if job.finished else None
        is_sound = job.finished and verdict is None and not job.served  # a former failure stands until then: a run may end before
        if job.info is not None and (is_sound or not job.content_id):
            job.content_id = writer.begin_content(job.digest, job.found.size, job.info)
        elif not job.content_id and verdict is not None:
            job.content_id = writer.fail_content(job.digest, job.found.size, None, verdict.code, verdict.reason)
        for view in job.views.values():
            space_id = view.lane.space.id
            writer.add_embeddings(job.content_id, space_id, view.encoded)
            view.encoded = []
            if view.closed:
                continue
            if view.complete and job.info is not None:
                writer.finish_content(job.content_id, space_id, job.info, view.segments)
                view.closed = True
            elif job.finished and view.failure is not None and (verdict is None or view.failure.depends_on_encoder):
                writer.refuse_content(job.content_id, space_id, view.failure.reason)
                view.closed = True

    def _place(self, writer: Writer, job: Job, content_id: int) -> Outcome:
        """Tie a path to its content: as the asset that was moved there, or as an asset of its own."""
        source, found = job.source.id, job.found
        was_present = content_id in self.movable.present
        self.movable.present.add(content_id)
        if job.before is not None and job.before[1] == content_id:
            writer.put_asset(source, job.relative, found.size, found.mtime_ns, content_id)
            return Outcome.FILLED if job.filled else Outcome.UNCHANGED
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
        if job.before is not None:
            self.movable.stay(*job.before)
        return Outcome.COPIED if job.outcome is Outcome.NEW and was_present else job.outcome

    def _place_broken(self, writer: Writer, job: Job, broken: Broken) -> None:
        """Record a failure, with the content whose bytes are at fault, or that was at the path before its place failed."""
        if broken.code.lies_in_content and job.digest:
            content_id: int | None = writer.fail_content(job.digest, job.found.size, job.info, broken.code, broken.reason)
        else:
            content_id = job.before[1] if job.before else None
            for view in job.views.values():
                if job.content_id and not view.closed:  # what was stored may come from bytes that are not those of the hash
                    writer.drop_embeddings(job.content_id, view.lane.space.id)
        writer.fail_asset(
            job.source.id, job.relative, job.found.size, job.found.mtime_ns, broken.code, broken.reason, content_id=content_id
        )
