"""What an encoder is: numpy in, unit vectors out. It knows no files; `anyseek.media` knows no models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from ..errors import BadInput
from ..types import Clip, Modality, Space

__all__ = ["BatchingEncoder", "CuttableEncoder", "Encoder", "EncoderSettings", "OnDownload", "VideoEncoder", "check_encoder"]

OnDownload = Callable[[str, int, int], None]
"""Hears of a download: the repository, the bytes that are here, the bytes it has in all."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How an encoder is to be loaded. Only `dim` and `revision` may shape a vector, and both are part of its space.

    Attributes:
        dim: Length of the vectors, for models that were trained to be cut (Matryoshka); None for the model's own.
        revision: The version of the model's files, see `Space.revision`; None for the newest that is on this machine.
        device: ``auto`` (CUDA, else MPS, else CPU), ``cpu``, ``mps``, ``cuda`` or ``cuda:N``.
        batch_size: Inputs that are computed at a time; None leaves that to the encoder. Either way it takes fewer when memory is short.
        threads: How many threads it may compute with; None leaves that to the encoder.
        download: Whether files that are not on this machine may be fetched. Nothing else ever opens a connection.
        trust_remote_code: Whether program code that comes with a model may be run.
        on_download: Called again and again while files are fetched; None where nobody looks.
    """

    dim: int | None = None
    revision: str | None = None
    device: str = "auto"
    batch_size: int | None = None
    threads: int | None = None
    download: bool = False
    trust_remote_code: bool = False
    on_download: OnDownload | None = field(default=None, compare=False)


@runtime_checkable
class Encoder(Protocol):
    """Turns text, pictures and sounds into vectors of one space.

    Every `encode_…` returns an (n, dim) float32 array of finite unit rows, in the order of its input; an empty input gives (0, dim).
    A row depends on its own input alone, never on the batch it came in, and is the same on every call. Methods may be called from
    several threads. Making one reads a configuration at most: weights are loaded by the first call that needs them.

    Attributes:
        space: Where the vectors lie.
        modalities: What it understands. Known without loading any weights; check it before any work.
        image_size: The longest useful short side of a picture in pixels; larger ones may be shrunk to it before they are handed over.
        sample_rate: The rate in Hz that sound must have.
        max_audio_ms: The longest window it hears as a whole; longer ones are refused, never cut in silence.
        window_ms: The length of window that suits it best, no longer than `max_audio_ms`.
    """

    space: Space
    modalities: frozenset[Modality]
    image_size: int
    sample_rate: int
    max_audio_ms: int
    window_ms: int

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts as queries, each as it is: never a path, never an address.

        Raises:
            BadQuery: A text is empty or longer than the encoder takes.
        """

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Encode pictures, each (height, width, 3) uint8 RGB of any size.

        Raises:
            BadInput: A picture has another shape or type.
        """

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Encode windows of sound, each (n,) float32 mono at `sample_rate`, n of at least 1.

        Raises:
            BadInput: A window is longer than `max_audio_ms`, empty, or has another shape or type.
        """


def check_encoder(candidate: object) -> None:
    """Refuse what is no `Encoder`, before any work.

    Raises:
        BadInput: Naming what it lacks.
    """
    promised = (*Encoder.__annotations__, "encode_text", "encode_images", "encode_audio")
    lacking = [name for name in promised if not hasattr(candidate, name)]
    if lacking:
        raise BadInput(f"{candidate!r} is no encoder: it lacks {', '.join(lacking)}; see anyseek.encoders.protocol, or name one as text")


@runtime_checkable
class CuttableEncoder(Encoder, Protocol):
    """An encoder that was trained so that the first numbers of a vector are a vector by themselves (Matryoshka, Kusupati et al. 2022).

    Attributes:
        matryoshka_dims: The shorter lengths that `EncoderSettings.dim` may ask for; none for a model without them.
    """

    matryoshka_dims: tuple[int, ...]


@runtime_checkable
class BatchingEncoder(Encoder, Protocol):
    """An encoder that says how many inputs it computes at a time.

    Attributes:
        batch_size: As many are best handed over at once.
    """

    batch_size: int


@runtime_checkable
class VideoEncoder(Encoder, Protocol):
    """An encoder whose `modalities` have VIDEO: it looks at the frames of a shot together.

    Attributes:
        max_frames: Most frames of a clip that it looks at; longer ones are refused, never thinned out in silence.
    """

    max_frames: int

    def encode_video(self, clips: Sequence[Clip]) -> np.ndarray:
        """Encode clips.

        Raises:
            BadInput: A clip has no frames, more than `max_frames`, or frames of another shape or type.
        """
