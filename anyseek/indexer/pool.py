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
from typing import Generic, Self, TypeVar

from ..errors import AnyseekError, FailureCode
from ..media.protocol import DecodeOptions
from .messages import Configure, Decode, Ended, Failed, Message, Read, receive, send

__all__ = ["DecodePool", "PoolLimits", "Said"]

Job = TypeVar("Job")

QUEUED_MESSAGES = 48
WATCH_SECONDS = 0.5


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


class DecodePool(Generic[Job]):
    """A fixed number of decoding processes, started when there is something to do.

    The results of all come through one bounded queue: when the reader is slow, the processes wait.
    """

    def __init__(self, options: DecodeOptions, size: int, limits: PoolLimits) -> None:
        self.options = options
        self.size = size
        self.limits = limits
        self._events: Queue[tuple[_Process[Job], Message | None]] = Queue(QUEUED_MESSAGES)
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
        process = next((process for process in self._processes if process.job is None and not process.doomed), None)
        if process is None:
            process = _Process(self._events, self.options, self.limits)
            self._processes.append(process)
        process.start_job(job, request)

    def answer(self, job: Job, *, wanted: bool) -> None:
        """Answer the `Digest` of a job."""
        process = next(process for process in self._processes if process.job is job)
        process.say(Decode(wanted))

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
        process.greet()
        job = process.job
        if job is None:
            return None
        if isinstance(message, Ended | Failed):
            process.job = None
        return Said(job, message)

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
        return Said(process.job, process.verdict())

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._watched_at < WATCH_SECONDS:
            return
        self._watched_at = now
        for process in self._processes:
            if process.job is not None:
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

    def __init__(self, events: Queue[tuple[_Process[Job], Message | None]], options: DecodeOptions, limits: PoolLimits) -> None:
        self.limits = limits
        self.job: Job | None = None
        self.started = False
        self._resident_idle = 0
        self._killed_for: Failed | None = None
        self._heard_at = time.monotonic()
        self._reading = True
        package_root = Path(__file__).resolve().parents[2]
        search_path = os.pathsep.join(filter(None, [os.fspath(package_root), os.environ.get("PYTHONPATH")]))
        self._child = subprocess.Popen(
            [sys.executable, "-m", "anyseek.indexer.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": search_path},
        )
        self._events = events
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.say(Configure(options, limits.max_memory))

    @property
    def doomed(self) -> bool:
        """Whether it was killed and only its end has not been heard of yet."""
        return self._killed_for is not None

    def start_job(self, job: Job, request: Read) -> None:
        self.job = job
        self._heard_at = time.monotonic()
        self.say(request)

    def say(self, request: Configure | Read | Decode) -> None:
        stdin = self._child.stdin
        assert stdin is not None
        try:
            send(stdin, request)
        except OSError:
            return  # it is gone: its listener tells

    def check(self, now: float) -> None:
        """Kill the process when it is silent for too long or holds too much memory."""
        if self._killed_for is not None:
            return
        if self._reading and now - self._heard_at > self.limits.silence_s:
            self._killed_for = Failed(FailureCode.TIMEOUT, f"decoding it gave no sign of life for {self.limits.silence_s:g} s")
            self.kill()
            return
        if self._resident() - self._resident_idle > self.limits.max_memory:
            self._killed_for = Failed(FailureCode.MEMORY, f"decoding it took more than {self.limits.max_memory / 2**20:,.0f} MiB")
            self.kill()

    def greet(self) -> None:
        """Note at its first message that it runs, and what it holds before it decodes anything."""
        if not self.started:
            self.started = True
            self._resident_idle = self._resident()

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
        stdout = self._child.stdout
        assert stdout is not None
        while True:
            message = receive(stdout)
            self._reading = False
            self._events.put((self, message))  # type: ignore[arg-type]
            self._heard_at = time.monotonic()
            self._reading = True
            if message is None:
                return
