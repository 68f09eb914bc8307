"""One writer at a time. The kernel holds the lock, so that it is free again however its holder ended."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..errors import LibraryError, LibraryLocked
from .engine import translated
from .layout import LibraryFolder

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["WriterLock"]

_held: Counter[Path] = Counter()
_held_guard = threading.Lock()


class WriterLock:
    """Held by the process that writes to a library.

    Args:
        folder: The library; made if it is not there yet.
        purpose: What the writer does, for those who find the lock taken: ``indexing``.
    """

    def __init__(self, folder: LibraryFolder, purpose: str) -> None:
        self.folder = folder
        self.purpose = purpose
        self._lock: FileLock | None = None

    @staticmethod
    def held_here(folder: LibraryFolder) -> bool:
        """Whether this very process holds the lock of a library."""
        return _held[folder.path] > 0

    def __enter__(self) -> Self:
        """Take the lock, or raise LibraryLocked at once; StorageFull where there is no room to write down who holds it."""
        from filelock import FileLock, Timeout  # 0.04 s that a search has no use for

        lock = FileLock(self.folder.lock, timeout=0, thread_local=False)
        try:
            with translated(self.folder.lock):
                self.folder.path.mkdir(parents=True, exist_ok=True)
                lock.acquire()
        except Timeout as exc:
            raise LibraryLocked(self.folder.path, _describe(self.folder.holder)) from exc
        except OSError as exc:
            if exc.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            raise LibraryError(
                f"the library at {self.folder.path} cannot be written: make it writable, or name another with --library"
            ) from exc
        self._lock = lock
        with _held_guard:
            _held[self.folder.path] += 1
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "purpose": self.purpose,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            with translated(self.folder.holder):
                self.folder.holder.write_text(json.dumps(holder), encoding="utf-8")
        except OSError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go."""
        assert self._lock is not None
        with _held_guard:
            _held[self.folder.path] -= 1
        self.folder.holder.unlink(missing_ok=True)
        self._lock.release()
        self._lock = None


def _describe(holder: Path) -> str:
    """Name the holder; the note may be missing or half written for the instant after the lock was taken."""
    try:
        note = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {note['pid']} on {note['host']} ({note['purpose']}, since {note['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
