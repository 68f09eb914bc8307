"""Sentence Transformers' models behind the encoder protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import BadInput, UnsupportedModality
from ...types import Clip, Modality, Space
from ..fingerprint import fingerprint
from ..inputs import check_uncut, checked_pictures, checked_texts, checked_windows
from ..protocol import EncoderSettings
from ..source import folder_or_repository
from ..torch_runtime import Once, require, suitable_batch
from . import media
from .checkpoint import read_checkpoint
from .families import MAX_FRAMES, WINDOW_MS
from .network import load_network, processing

__all__ = ["SentenceEncoder"]

VERSION = "1"
"""Raise this whenever code changes a vector: it is part of the space's fingerprint."""

PACKAGES = ("torch", "torchvision", "transformers", "sentence_transformers")
EXTRA = "sentence-transformers"
FILES = ("*.json", "*.jinja", "*.txt", "*.model", "*.py", "*.safetensors", "*.bin")


class SentenceEncoder:
    """A model that Sentence Transformers can load; see `anyseek.encoders.protocol.VideoEncoder` and `CuttableEncoder`.

    What it can do is read from its configuration; torch and the weights are loaded by the first input. Texts are encoded as queries and
    media as documents, each with the prompt of the checkpoint or, where it has none, of its authors' recipe. On CUDA a model whose weights
    are stored in bfloat16 is computed in it; such a vector and the one in full precision have a cosine of 0.999 or more
    (`test_in_bfloat16_a_vector_stays_nearly_the_same`).

    Args:
        model: A repository of the Hugging Face hub (``google/embeddinggemma-2``), or a folder.
        settings: How it is to be loaded.

    Raises:
        MissingExtra: Sentence Transformers is not installed.
        ModelUnavailable: The model's files are not on this machine, or are of no use.
        BadInput: The model was not trained for the length of vector that the settings ask for.
    """

    max_frames = MAX_FRAMES

    def __init__(self, model: str, settings: EncoderSettings | None = None) -> None:
        settings = settings or EncoderSettings()
        spec = f"st:{model}"
        require(PACKAGES, EXTRA)
        snapshot = folder_or_repository(spec, model, settings, FILES)
        self._checkpoint = known = read_checkpoint(spec, snapshot.path, trust_remote_code=settings.trust_remote_code)
        self.modalities = known.modalities
        self.image_size = known.image_size
        self.sample_rate = known.sample_rate
        self.max_audio_ms = known.max_audio_ms
        self.window_ms = min(WINDOW_MS, known.max_audio_ms)
        self.matryoshka_dims = known.cuts
        dim = settings.dim or known.dim
        if not known.cuts:
            check_uncut(settings.dim, known.dim, spec)
        elif dim not in (known.dim, *known.cuts):
            raise BadInput(f"{spec} was not trained to be cut to {dim} dimensions: {_allowed(known.dim, known.cuts)}")
        self.space = Space(spec, dim, self._fingerprint(snapshot.revision, dim), snapshot.revision)
        self._settings = settings
        self._network = Once(lambda: load_network(spec, snapshot.path, known, settings))

    @property
    def batch_size(self) -> int:
        """As many inputs are best handed over at once; asking imports torch, which finds the device out."""
        return suitable_batch(self._settings.device, self._settings.batch_size)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts as queries; see `Encoder.encode_text`."""
        self._check(Modality.TEXT)
        readable = checked_texts(texts)
        if not readable:
            return self._none()
        network, prompt = self._network(), self._checkpoint.prompts[Modality.TEXT]
        return network.rows(network.words(readable, prompt), prompt, "query", self.space.dim)

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Encode pictures; see `Encoder.encode_images`. Of one more than a hundred times as long as wide the middle is what counts."""
        self._check(Modality.IMAGE)
        return self._rows(Modality.IMAGE, [media.image_input(pixels) for pixels in checked_pictures(pictures)])

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Encode windows of sound; see `Encoder.encode_audio`. One shorter than a tenth of a second is followed by silence."""
        self._check(Modality.AUDIO)
        checked = checked_windows(windows, self.sample_rate, self.max_audio_ms)
        return self._rows(Modality.AUDIO, [media.audio_input(samples, self.sample_rate) for samples in checked])

    def encode_video(self, clips: Sequence[Clip]) -> np.ndarray:
        """Encode clips; see `VideoEncoder.encode_video`."""
        self._check(Modality.VIDEO)
        checked = [media.checked_clip(clip, self.max_frames) for clip in clips]
        return self._rows(Modality.VIDEO, [media.video_input(clip, self._checkpoint.family.fewest_frames) for clip in checked])

    def _rows(self, kind: Modality, inputs: Sequence[dict[str, Any]]) -> np.ndarray:
        if not inputs:
            return self._none()
        return self._network().rows(inputs, self._checkpoint.prompts[kind], "document", self.space.dim)

    def _check(self, kind: Modality) -> None:
        if kind not in self.modalities:
            raise UnsupportedModality(self.space.spec, kind)

    def _none(self) -> np.ndarray:
        return np.zeros((0, self.space.dim), np.float32)

    def _fingerprint(self, revision: str, dim: int) -> str:
        known = self._checkpoint
        return fingerprint(
            "sentence",
            VERSION,
            revision=revision,
            towers=sorted(self.modalities),
            dim=dim,
            prompts=dict(known.prompts),
            lowers=known.family.lowers,
            pooling=known.family.pooling if known.plain else None,
            window_ms=self.window_ms,
            max_audio_ms=self.max_audio_ms,
            max_frames=self.max_frames,
            fewest_frames=known.family.fewest_frames,
            image_size=self.image_size,
            processing=processing(known),
        )


def _allowed(dim: int, cuts: Sequence[int]) -> str:
    lowest, highest = min(cuts), max(cuts)
    every = len(cuts) > 2 and len(cuts) == highest - lowest + 1
    return f"use {dim} or {f'any from {lowest} to {highest}' if every else ', '.join(map(str, cuts))}"
