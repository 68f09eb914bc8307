"""The decoding process: it reads and decodes one file after the other.

A process of its own, because a decoder that crashes, hangs or explodes must cost one file and nothing else. `pool` starts it by itself
rather than through multiprocessing, so that a script which calls `Library.index` at its top level needs no ``__main__`` guard.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from ..errors import FailureCode, MediaError
from ..media.image import silence_pillow
from ..media.open import open_media
from ..media.protocol import DecodeOptions
from ..types import Kind, MediaInfo, Modality
from .hashing import digest_of
from .messages import Alive, Configure, Decode, Digest, Ended, Failed, LaneEnded, Message, Piece, Read, Request, receive, send
from .scan import Found

__all__ = ["main"]

TICK_SECONDS = 1.0

HOLDS = {
    Kind.IMAGE: {Modality.IMAGE},
    Kind.AUDIO: {Modality.AUDIO},
    Kind.VIDEO: {Modality.IMAGE, Modality.AUDIO, Modality.VIDEO},
}
"""What there may be in a file of a kind."""


def main() -> None:
    """Serve requests until the parent goes away."""
    results = _private_stdout()
    requests: SimpleQueue[Request] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    configuration = requests.get()
    if not isinstance(configuration, Configure):
        raise TypeError("the first request must be Configure")
    _limit_memory(configuration.max_memory)
    silence_pillow()
    worker = _Worker(requests, results, configuration.options)
    worker.say(Alive())
    while True:
        request = requests.get()
        if isinstance(request, Read):
            worker.serve(request)


def _private_stdout() -> IO[bytes]:
    """Take stdout for the messages and lead whatever a C library prints there to stderr."""
    results = os.fdopen(os.dup(1), "wb", buffering=1024 * 1024)
    os.dup2(2, 1)
    return results


def _listen(requests: SimpleQueue[Request]) -> None:
    """Hand on what the parent says; when it is gone, end at once, even in the middle of a decode."""
    while (request := receive(sys.stdin.buffer)) is not None:
        requests.put(request)  # type: ignore[arg-type]
    os._exit(0)


def _limit_memory(max_memory: int) -> None:
    """Let an allocation beyond the limit fail inside this process. Windows has no such limit: there the parent watches alone."""
    try:
        import resource
    except ImportError:
        return
    import psutil

    limit = psutil.Process().memory_info().vms + max_memory
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (ValueError, OSError):  # macOS refuses it: the parent's watch stays
        return


class _Worker:
    """Serves one `Read` at a time."""

    def __init__(self, requests: SimpleQueue[Request], results: IO[bytes], options: tuple[DecodeOptions, ...]) -> None:
        self.requests = requests
        self.results = results
        self.options = options
        self.spoke_at = 0.0

    def serve(self, request: Read) -> None:
        try:
            self.read(request, Path(request.path))
        except MediaError as error:
            self.say(Failed(error.code, error.reason))
        except MemoryError:
            self.say(Failed(FailureCode.MEMORY, "decoding it needs more memory than is allowed"))
        except BrokenPipeError:
            os._exit(0)  # the parent is gone
        except OSError as error:
            self.say(_failure_of(error))
        except ImportError as error:  # not the file's fault, and gone with the next installation
            self.say(Failed(FailureCode.READ_ERROR, f"the decoder is not installed properly: {error}"))
        except Exception as error:  # noqa: BLE001 - a fault of ours or of a library in one file must not cost the others
            self.say(Failed(FailureCode.CRASHED, f"the decoder failed on it: {type(error).__name__}: {error}"))

    def read(self, request: Read, path: Path) -> None:
        _check_unchanged(request, path)
        if request.size == 0:
            raise MediaError(FailureCode.EMPTY, "the file is empty")
        max_bytes = self.options[0].limits.max_bytes  # the lanes differ in what they take, not in what a file may cost
        if request.size > max_bytes:
            raise MediaError(FailureCode.TOO_LARGE, f"{request.size:,} bytes are more than the limit of {max_bytes:,}")
        digest = digest_of(path, self.tick)
        _check_unchanged(request, path)
        self.say(Digest(digest))
        answer = self.requests.get()
        if not isinstance(answer, Decode):
            raise TypeError("a digest must be answered by Decode")
        info: MediaInfo | None = None
        for lane in answer.lanes:
            info = self.read_for(lane, request, path, info)
        self.say(Ended())

    def read_for(self, lane: int, request: Read, path: Path, info: MediaInfo | None) -> MediaInfo | None:
        """Decode the file for a lane; a fault of its bytes ends it for this lane alone. `info` is what another lane found, if any."""
        options, failure = self.options[lane], None
        if info is None or options.modalities & HOLDS[info.kind]:
            try:
                with open_media(path, options) as media:
                    info = media.info
                    for decoded in media.segments(self.tick):
                        self.say(Piece(lane, media.info, decoded))
                    info = media.info
            except MediaError as error:
                failure = Failed(error.code, error.reason)
            _check_unchanged(request, path)
        self.say(LaneEnded(lane, info, failure))
        return info

    def say(self, message: Message) -> None:
        send(self.results, message)
        self.spoke_at = time.monotonic()

    def tick(self) -> None:
        if time.monotonic() - self.spoke_at >= TICK_SECONDS:
            self.say(Alive())


def _check_unchanged(request: Read, path: Path) -> None:
    if Found.of(path.stat()) != (request.size, request.mtime_ns):
        raise MediaError(FailureCode.CHANGED, "it changed while it was being read: it is read anew by the next run")


def _failure_of(error: OSError) -> Failed:
    if isinstance(error, FileNotFoundError):
        return Failed(FailureCode.VANISHED, "it vanished before it could be read")
    if isinstance(error, PermissionError):
        return Failed(FailureCode.PERMISSION, "no permission to read it")
    return Failed(FailureCode.READ_ERROR, error.strerror or str(error))


if __name__ == "__main__":
    main()
