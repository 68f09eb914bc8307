"""What the indexer and its decoding processes say to each other, and how it travels: pickled values over the child's stdin and stdout.

Both ends are our own processes and nothing of this is ever stored.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import IO

from ..errors import FailureCode
from ..media.protocol import DecodeOptions
from ..types import Decoded, MediaInfo

__all__ = ["Alive", "Configure", "Decode", "Digest", "Ended", "Failed", "Message", "Piece", "Read", "Request", "receive", "send"]


@dataclass(frozen=True, slots=True)
class Configure:
    """The first request: how to decode, and how much address space in bytes decoding may add."""

    options: DecodeOptions
    max_memory: int


@dataclass(frozen=True, slots=True)
class Read:
    """Read a file and tell its digest. `size` and `mtime_ns` are what the walk saw; the file must still look like that."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Decode:
    """The answer to a `Digest`: go on and decode, or leave it."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class Digest:
    """The file's content hash."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """One decoded segment, with what is known of the whole so far."""

    info: MediaInfo
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Alive:
    """Still at work."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The file was read to its end; `info` is final, None when decoding was not wanted."""

    info: MediaInfo | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The file cannot be used, and why."""

    code: FailureCode
    reason: str


Request = Configure | Read | Decode
Message = Digest | Piece | Alive | Ended | Failed


def send(stream: IO[bytes], value: Request | Message) -> None:
    """Write one value.

    Raises:
        OSError: The other end is gone.
    """
    pickle.dump(value, stream, protocol=5)
    stream.flush()


def receive(stream: IO[bytes]) -> Request | Message | None:
    """Read one value; None when the other end is gone."""
    try:
        value: Request | Message = pickle.load(stream)  # noqa: S301 - our own child or parent, see above
    except (EOFError, pickle.UnpicklingError, OSError):
        return None
    return value
