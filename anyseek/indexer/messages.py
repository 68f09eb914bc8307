"""What the indexer and its decoding processes say to each other, and how it travels: pickled values over the child's stdin and stdout.

Both ends are our own processes and nothing of this is ever stored.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import IO

from ..errors import FailureCode
from ..media.protocol import DecodeOptions
from ..types import Clip, Decoded, MediaInfo, Picture

__all__ = [
    "Alive",
    "Configure",
    "Decode",
    "Digest",
    "Ended",
    "Failed",
    "LaneEnded",
    "Message",
    "Piece",
    "Read",
    "Request",
    "bytes_of",
    "receive",
    "send",
]


@dataclass(frozen=True, slots=True)
class Configure:
    """The first request: how to decode for each lane, and how much address space in bytes decoding may add."""

    options: tuple[DecodeOptions, ...]
    max_memory: int


@dataclass(frozen=True, slots=True)
class Read:
    """Read a file and tell its digest. `size` and `mtime_ns` are what the walk saw; the file must still look like that."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Decode:
    """The answer to a `Digest`: decode the file for these lanes, one after the other; leave it if there are none."""

    lanes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """The file's content hash."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment decoded for a lane, with what is known of the whole so far."""

    lane: int
    info: MediaInfo
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Alive:
    """Still at work."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The file cannot be used, and why."""

    code: FailureCode
    reason: str


@dataclass(frozen=True, slots=True)
class LaneEnded:
    """The file was read to its end for a lane.

    Attributes:
        info: What it says about itself, final as far as this lane looks; None when it could not even be opened.
        failure: Why the lane cannot use it; None where it got all that there is for it, which may be nothing.
    """

    lane: int
    info: MediaInfo | None
    failure: Failed | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The file was read for all lanes that wanted it."""


Request = Configure | Read | Decode
Message = Digest | Piece | LaneEnded | Alive | Ended | Failed


def bytes_of(decoded: Decoded) -> int:
    """How much memory a segment takes."""
    if isinstance(decoded, Picture):
        return decoded.pixels.nbytes
    return decoded.frames.nbytes if isinstance(decoded, Clip) else decoded.samples.nbytes


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
