"""The decoding processes as their parent sees them: start, feed, listen, and replace those that crash, hang or grow too large."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ..errors import AnyseekError, FailureCode
from ..media.protocol import DecodeOptions
from .messages import Configure, Decode, Digest, Ended, Failed, Message, Piece, Read, bytes_of, receive, send

__all__ = ["DecodePool", "PoolLimits", "Said"]

Job = TypeVar("Job")

QUEUED_MESSAGES = 48
QUEUED_UNIT = 1024**2
WATCH_SECONDS = 0.5
EXIT_SECONDS = 2.0
AWAY_SECONDS = 5.0
"""When the parent has not looked for so long, it was asleep or busy itself, and the silence proves nothing."""

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
# -P and an appended path: nothing in the current folder, and no package beside ours, may stand in for a module of Python's own
COMMAND = "import sys; sys.path.append(sys.argv.pop()); from anyseek.indexer.worker import main; main()"


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What one file may cost.

    Attributes:
        silence_s: Longest time in seconds without a sign of life.
        max_memory: Bytes of memory that decoding may take.
    """

    silence_s: float = 60.0
    max_memory: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Said(Generic[Job]):
    """One message about one job."""

    job: Job
    message: Message
    _process: _Process[Job]

    def answer(self, lanes: tuple[int, ...]) -> None:
        """Answer a `Digest`: decode the file for these lanes."""
        self._process.say(Decode(lanes))


_Event = tuple["_Process[Any]", Message | None]


class _Events(Queue[_Event]):
    """A queue that a few large messages fill as well as many small ones do: each counts for its MiB, and for 1 at least."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._units = 0

    def _qsize(self) -> int:
        return self._units

    def _put(self, item: _Event) -> None:
        super()._put(item)
        self._units += _units_of(item[1])

    def _get(self) -> _Event:
        item: _Event = super()._get()
        self._units -= _units_of(item[1])
        return item


def _units_of(message: Message | None) -> int:
    return max(1, bytes_of(message.decoded) // QUEUED_UNIT) if isinstance(message, Piece) else 1


class DecodePool(Generic[Job]):
    """A fixed number of decoding processes, started when there is something to do.

    The results of all come through one bounded queue: when the reader is slow, the processes wait.

    Args:
        options: How to decode for each lane, which `Said.answer` names by its number.
        size: Most processes.
        limits: What one file may cost.
    """

    def __init__(self, options: tuple[DecodeOptions, ...], size: int, limits: PoolLimits) -> None:
        self.options = options
        self.size = size
        self.limits = limits
        self._events: _Events = _Events(QUEUED_MESSAGES)
        self._processes: list[_Process[Job]] = []
        self._watched_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            process.kill()
        stopped = threading.Event()
        drain = threading.Thread(target=self._drain, args=(stopped,), daemon=True)
        drain.start()
        for process in self._processes:
            process.close()
        stopped.set()
        drain.join()
        self._processes.clear()

    @property
    def busy(self) -> int:
        """How many jobs are under way."""
        return sum(process.job is not None for process in self._processes)

    @property
    def has_room(self) -> bool:
        """Whether `submit` may be called."""
        return self.busy < self.size

    def submit(self, job: Job, request: Read) -> None:
        """Give a file to a process that has none."""
        process = next((process for process in self._processes if process.is_idle), None) or self._start()
        process.start_job(job, request)

    def _start(self) -> _Process[Job]:
        process: _Process[Job] = _Process(self._events, self.options, self.limits)
        self._processes.append(process)
        return process

    def next(self, timeout_s: float) -> Said[Job] | None:
        """The next message of any process; None when there is none in time.

        A process that died, hung or grew too large is replaced, and its job gets a `Failed`.

        Raises:
            AnyseekError: A process ended before it was able to do anything.
        """
        self._watch()
        try:
            process, message = self._events.get(timeout=timeout_s)
        except Empty:
            return None
        if message is None:
            return self._bury(process)
        job = process.job
        process.heard(message)
        return None if job is None else Said(job, message, process)

    def _bury(self, process: _Process[Job]) -> Said[Job] | None:
        if process in self._processes:
            self._processes.remove(process)
        process.close()
        if not process.started:
            raise AnyseekError(
                "the decoding process does not start, so nothing can be read: see what  "
                f"{sys.executable} -m anyseek.indexer.worker </dev/null  says"
            )
        if process.job is None:
            return None
        if process.was_killed_idle:  # by somebody else, before it began with the file
            self._start().start_job(process.job, process.request, is_second_try=True)
            return None
        return Said(process.job, process.verdict(), process)

    def _watch(self) -> None:
        now = time.monotonic()
        away = now - self._watched_at
        if away < WATCH_SECONDS:
            return
        self._watched_at = now
        for process in self._processes:
            if away > AWAY_SECONDS:
                process.forgive(now)
            process.check(now)

    def _drain(self, stopped: threading.Event) -> None:
        """Make room in the queue, so that the listening threads see the end of their process."""
        while not stopped.is_set():
            try:
                self._events.get(timeout=0.05)
            except Empty:
                continue


class _Process(Generic[Job]):
    """One decoding process, and the thread that listens to it."""

    def __init__(self, events: _Events, options: tuple[DecodeOptions, ...], limits: PoolLimits) -> None:
        self.limits = limits
        self.job: Job | None = None
        self.request = Read("", 0, 0)
        self.started = False
        self._is_second_try = False
        self._spoke_of_job = False
        self._owes_an_answer = False
        self._resident_idle = 0
        self._killed_for: Failed | None = None
        self._heard_at = time.monotonic()
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-c", COMMAND, os.fspath(PACKAGE_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the parent's to handle, from the very start
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._events = events
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.say(Configure(options, limits.max_memory))

    @property
    def is_idle(self) -> bool:
        """Whether it can be given a file."""
        return self.job is None and self._killed_for is None and self._child.poll() is None

    @property
    def was_killed_idle(self) -> bool:
        """Whether it ended before it said anything about its job, and not by our hand."""
        return not self._spoke_of_job and self._killed_for is None and not self._is_second_try

    def start_job(self, job: Job, request: Read, *, is_second_try: bool = False) -> None:
        self.job = job
        self.request = request
        self._is_second_try = is_second_try
        self._spoke_of_job = False
        self.say(request)

    def say(self, request: Configure | Read | Decode) -> None:
        stdin = self._child.stdin
        assert stdin is not None
        self._heard_at = time.monotonic()
        self._owes_an_answer = True
        try:
            send(stdin, request)
        except OSError:
            return  # it is gone: its listener tells

    def heard(self, message: Message) -> None:
        """Take note of a message that has come through the queue."""
        if not self.started:
            self.started = True
            self._resident_idle = self._resident()
        elif self.job is not None:
            self._spoke_of_job = True
        if isinstance(message, Ended | Failed):
            self.job = None

    def forgive(self, now: float) -> None:
        """Begin to count the silence anew."""
        self._heard_at = now

    def check(self, now: float) -> None:
        """Kill the process when it is silent for too long or holds too much memory."""
        if self._killed_for is not None or self.job is None:
            return
        if self._owes_an_answer and now - self._heard_at > self.limits.silence_s:
            self._killed_for = Failed(FailureCode.TIMEOUT, f"decoding it gave no sign of life for {self.limits.silence_s:g} s")
            self.kill()
        elif self._resident() - self._resident_idle > self.limits.max_memory:
            self._killed_for = Failed(FailureCode.MEMORY, f"decoding it took more than {self.limits.max_memory / 2**20:,.0f} MiB")
            self.kill()

    def _resident(self) -> int:
        import psutil

        try:
            return int(psutil.Process(self._child.pid).memory_info().rss)
        except psutil.Error:
            return 0  # it is gone: its listener tells

    def verdict(self) -> Failed:
        """Why the process ended in the middle of a job."""
        if self._killed_for is not None:
            return self._killed_for
        status = self._child.returncode
        how = f"signal {signal.Signals(-status).name}" if status is not None and status < 0 else f"exit status {status}"
        return Failed(FailureCode.CRASHED, f"the decoder crashed on it ({how})")

    def kill(self) -> None:
        self._child.kill()

    def close(self) -> None:
        """Wait for the end of the process and release its pipes."""
        try:
            self._child.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._listener.join()
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue  # a request that could not be delivered was still in its buffer

    def _listen(self) -> None:
        """Hand on what the process says. It owes nothing while its words wait in the queue, nor while it waits for ours."""
        stdout = self._child.stdout
        assert stdout is not None
        while True:
            message = receive(stdout)
            self._owes_an_answer = False
            self._events.put((self, message))  # type: ignore[arg-type]
            if message is None:
                return
            if not isinstance(message, Digest | Ended | Failed):
                self._heard_at = time.monotonic()
                self._owes_an_answer = True
