"""What decoding promises: the limits it keeps, the size it decodes to, and the two seams (`MediaFile`, `FrameReader`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import numpy as np

from ..types import Decoded, MediaInfo, Modality

__all__ = ["DecodeOptions", "Frame", "FrameReader", "Limits", "MediaFile", "Tick"]

Tick = Callable[[], None]
"""Called at least once a second of work while a file is decoded: a sign of life for whoever watches the clock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps that are checked before anything is decoded, so that a bomb costs one file and no memory.

    Attributes:
        max_bytes: Largest file that is opened.
        max_pixels: Largest picture (width x height) that is decoded as a whole.
        max_draft_pixels: Largest JPEG, which is decoded at a fraction of its size.
        max_duration_ms: Longest sound or film.
    """

    max_bytes: int = 64 * 1024**3
    max_pixels: int = 120_000_000
    max_draft_pixels: int = 300_000_000
    max_duration_ms: int = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How a file is cut into segments.

    Attributes:
        modalities: What the encoder can take: without IMAGE there are no pictures, without AUDIO no sound, and only with VIDEO shots as
            a whole.
        image_size: Short side in pixels to which larger pictures and frames are shrunk.
        sample_rate: Rate in Hz of the sound handed out.
        window_ms: Length of a window of sound; the last may be shorter.
        frame_interval_ms: Time between the frames of a film that are looked at.
        min_shot_ms: Shots shorter than this are joined to their neighbour.
        max_shot_ms: Shots longer than this are cut.
        max_clip_frames: Most frames of a shot as a whole; of a shot with more, as many are taken evenly, the first and last among them.
        silence_db: Windows whose RMS lies below this many dB of full scale get no segment.
        video_backend: ``pyav`` or ``decord``.
        limits: See `Limits`.
    """

    modalities: frozenset[Modality] = frozenset({Modality.IMAGE, Modality.AUDIO})
    image_size: int = 320
    sample_rate: int = 16_000
    window_ms: int = 3_000
    frame_interval_ms: int = 1_000
    min_shot_ms: int = 1_000
    max_shot_ms: int = 30_000
    max_clip_frames: int = 32
    silence_db: float = -60.0
    video_backend: str = "pyav"
    limits: Limits = field(default_factory=Limits)


class Frame(NamedTuple):
    """A frame of film: when it is shown, in ms from the first frame by its own timestamp, and its (height, width, 3) uint8 RGB."""

    at_ms: int
    pixels: np.ndarray


class FrameReader(Protocol):
    """Samples the frames of a film. Implementations: PyAV (every file) and decord (constant-rate MP4 and MKV).

    Attributes:
        name: ``pyav`` or ``decord``.
        end_ms: Where the pictures of the film read last ended, in ms from its first frame; final once `frames` has run to its end.
    """

    name: str
    end_ms: int

    def frames(self, path: Path, *, interval_ms: int, image_size: int, limits: Limits, tick: Tick) -> Iterator[Frame]:
        """Yield about one frame every `interval_ms`, in the order in which they are shown, upright, short side `image_size` at most.

        Raises:
            MediaError: There is no picture track, or nothing of it can be decoded.
        """


class MediaFile(Protocol):
    """One opened file. Use it in a ``with`` block.

    Attributes:
        info: What is known so far; final once `segments` has run to its end (a truncated film says more than it holds).
    """

    info: MediaInfo

    def segments(self, tick: Tick = ...) -> Iterator[Decoded]:
        """Decode piece by piece in bounded memory: first what is seen in order of time, each shot after its pictures, then the sound.

        Raises:
            MediaError: With the reason for which the file cannot be used.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
