"""What an encoder is: numpy in, unit vectors out. It knows no files; `anyseek.media` knows no models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from ..types import Modality, Space

__all__ = ["Encoder"]


@runtime_checkable
class Encoder(Protocol):
    """Turns text, pictures and sounds into vectors of one space.

    Every `encode_…` returns an (n, dim) float32 array of finite unit rows, in the order of its input; an empty input gives (0, dim).
    A row depends on its own input alone, never on the batch it came in, and is the same on every call. Methods may be called from
    several threads.

    Attributes:
        space: Where the vectors lie.
        modalities: What it understands. Known without loading any weights; check it before any work.
        image_size: The longest useful short side of a picture in pixels; larger ones may be shrunk to it before they are handed over.
        sample_rate: The rate in Hz that sound must have.
        max_audio_ms: The longest window it hears as a whole; longer ones are refused, never cut in silence.
    """

    space: Space
    modalities: frozenset[Modality]
    image_size: int
    sample_rate: int
    max_audio_ms: int

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts, each as it is: never a path, never an address.

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
