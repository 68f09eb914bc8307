"""The encoder of a space that was made of another one by an adapter: the other's encoder, and the map after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..encoders.protocol import BatchingEncoder, Encoder, VideoEncoder
from ..errors import UnsupportedModality
from ..types import Clip, Modality
from .adapter import Adapter

__all__ = ["AdaptedEncoder"]


class AdaptedEncoder:
    """Encodes as the encoder that it wraps, and maps what comes out. What that can do, this can, and nothing else.

    What media give is rounded to half precision before it is mapped, as it is where vectors are stored: so a picture gets the same vector
    whether it is embedded here or was mapped from the one that is stored.

    Args:
        base: The encoder of the space that the adapter was trained on.
        adapter: Maps stored vectors, too.

    Raises:
        AdapterMismatch: The encoder is of another space.
    """

    def __init__(self, base: Encoder, adapter: Adapter) -> None:
        adapter.fit_for(base.space)
        self.base = base
        self.adapter = adapter
        self.space = adapter.adapted_space
        self.modalities = base.modalities
        self.image_size = base.image_size
        self.sample_rate = base.sample_rate
        self.max_audio_ms = base.max_audio_ms
        self.window_ms = base.window_ms
        if isinstance(base, BatchingEncoder):  # an attribute that is not there says that it cannot
            self.batch_size = base.batch_size
        if isinstance(base, VideoEncoder):
            self.max_frames = base.max_frames

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts; see `Encoder.encode_text`."""
        return self.adapter.apply(self.base.encode_text(texts), Modality.TEXT)

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Encode pictures; see `Encoder.encode_images`."""
        return self._mapped(self.base.encode_images(pictures), Modality.IMAGE)

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Encode windows of sound; see `Encoder.encode_audio`."""
        return self._mapped(self.base.encode_audio(windows), Modality.AUDIO)

    def encode_video(self, clips: Sequence[Clip]) -> np.ndarray:
        """Encode shots as a whole; see `VideoEncoder.encode_video`.

        Raises:
            UnsupportedModality: The wrapped encoder does not.
        """
        if not isinstance(self.base, VideoEncoder):
            raise UnsupportedModality(self.space.spec, Modality.VIDEO)
        return self._mapped(self.base.encode_video(clips), Modality.VIDEO)

    def _mapped(self, vectors: np.ndarray, modality: Modality) -> np.ndarray:
        if modality not in self.adapter.maps:
            return vectors
        return self.adapter.apply(vectors.astype(np.float16).astype(np.float32), modality)
