"""Fingerprints on demand: those that are stored, and those that have to be taken first, several at a time and stored batch by batch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path

from ..errors import LibraryLocked, MediaError
from ..media.fingerprint import VERSION, fingerprint
from ..storage.catalog import LocatedAsset
from ..storage.fingerprints import Fingerprints, LiveContent
from ..types import Kind
from .findings import OnLook

__all__ = ["Taking", "is_unchanged"]

ASKED_AT_ONCE = 1_000
STORED_AT_ONCE = 256
STORED_AFTER_SECONDS = 5.0


class Taking:
    """Takes fingerprints, and remembers what went wrong.

    Args:
        stored: Where they are kept.
        on_look: Told how it goes on.
        stop: Set it to leave off; what was taken until then is kept.

    Attributes:
        unread: The files that could not be read, or have changed since they were indexed.
        not_kept: How many fingerprints could not be stored.
        because: Why, for a person.
    """

    def __init__(self, stored: Fingerprints, on_look: OnLook, stop: threading.Event) -> None:
        self.stored = stored
        self.on_look = on_look
        self.stop = stop
        self.unread: list[Path] = []
        self.not_kept = 0
        self.because = ""
        self._waiting: dict[int, bytes] = {}
        self._stored_at = time.monotonic()

    def of(self, contents: Sequence[LiveContent], what: str) -> dict[int, bytes]:
        """The fingerprints of some contents by their ids; those that cannot be had are left out.

        Args:
            contents: Of any kinds.
            what: What is told to be done.
        """
        known = self.stored.read((content.id for content in contents), VERSION)
        missing = [content for content in contents if content.id not in known]
        for done, (content, taken) in enumerate(self._take(missing), start=1):
            if taken is not None:
                known[content.id] = self._waiting[content.id] = taken
                self._keep()
            self.on_look(what, done, len(missing))
        self._keep(last=True)
        return known

    def _take(self, contents: Sequence[LiveContent]) -> Iterator[tuple[LiveContent, bytes | None]]:
        """Threads will do: these files were decoded before, by processes that nothing could harm, and decoders let other threads run."""
        places = self._with_places(contents)
        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers, thread_name_prefix="fingerprint") as pool:
            running: dict[Future[bytes | None], LiveContent] = {}
            while not self.stop.is_set():
                for content, assets in islice(places, 2 * workers - len(running)):
                    running[pool.submit(_take_one, content.kind, assets, self.stop)] = content
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    content, taken = running.pop(done), done.result()
                    if taken is None and not self.stop.is_set():
                        self.unread.append(Path(content.path))
                    yield content, taken
            for future in running:
                future.cancel()

    def _with_places(self, contents: Sequence[LiveContent]) -> Iterator[tuple[LiveContent, list[LocatedAsset]]]:
        for start in range(0, len(contents), ASKED_AT_ONCE):
            part = contents[start : start + ASKED_AT_ONCE]
            assets = self.stored.catalog.assets_of(content.id for content in part)
            yield from ((content, assets.get(content.id, [])) for content in part)

    def _keep(self, *, last: bool = False) -> None:
        """Store what waits, when it is enough or has waited for long; where others write, it waits on."""
        late = time.monotonic() - self._stored_at > STORED_AFTER_SECONDS
        enough = len(self._waiting) >= STORED_AT_ONCE and not self.because
        if not self._waiting or not (enough or late or last):
            return
        self._stored_at = time.monotonic()
        try:
            if self.stored.readonly:
                self.because = "it was opened for reading only"
            else:
                self.stored.store(self._waiting)
                self.because = ""
                self._waiting.clear()
        except LibraryLocked as error:
            self.because = f"it is being written by {error.holder}"
        self.not_kept = len(self._waiting)


class _LeftOff(Exception):
    """The work on a file was left off."""


def _take_one(kind: Kind, assets: Sequence[LocatedAsset], stop: threading.Event) -> bytes | None:
    """The fingerprint of a content, from the first of its places where its bytes still are."""

    def tick() -> None:
        if stop.is_set():
            raise _LeftOff

    for asset in assets:
        try:
            tick()  # one that waited its turn is not begun after the stop
            if is_unchanged(asset):
                taken = fingerprint(asset.path, kind, tick=tick)
                if is_unchanged(asset):
                    return taken
        except MediaError:
            continue
        except _LeftOff:
            return None
    return None


def is_unchanged(asset: LocatedAsset) -> bool:
    """Whether a file lies where it did, as it was when it was indexed."""
    try:
        status = asset.path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (asset.size, asset.mtime_ns)
