"""CLAP behind the encoder protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from ...errors import UnsupportedModality
from ...types import Modality, Space
from ..fingerprint import fingerprint
from ..inputs import check_uncut, checked_texts, checked_windows
from ..protocol import EncoderSettings
from ..source import TOKENIZER_FILES, folder_or_repository
from ..torch_runtime import Batcher, Once, require, suitable_batch
from .checkpoint import read_checkpoint

if TYPE_CHECKING:
    from .network import Network

__all__ = ["ClapEncoder"]

VERSION = "1"
"""Raise this whenever code changes a vector: it is part of the space's fingerprint."""

WINDOW_MS = 5_000
"""The length of ESC-50's clips, on which CLAP's zero-shot figures were published. It hears 10 s and repeats what is shorter:
a longer window costs no more, but blurs where in a recording a sound is."""

PACKAGES = ("torch", "transformers")
EXTRA = "clap"
CONFIGURATION = ("config.json", "preprocessor_config.json", "processor_config.json")
WEIGHTS = ("model*.safetensors", "model.safetensors.index.json", "pytorch_model*.bin", "pytorch_model.bin.index.json")


class ClapEncoder:
    """A model of CLAP for sounds and text; see `anyseek.encoders.protocol.Encoder`.

    On CUDA the model is computed in half precision (see `Batcher`); such a vector and the one that a CPU computes have a cosine of 0.999 or
    more (`test_a_gpu_gives_nearly_the_same_rows`).

    Args:
        model: A repository of the Hugging Face hub (``laion/clap-htsat-unfused``), or a folder.
        settings: How it is to be loaded.

    Raises:
        MissingExtra: transformers is not installed.
        ModelUnavailable: The model's files are not on this machine, or are no CLAP.
        BadInput: The settings ask for another dimension than the model's own.
    """

    modalities = frozenset({Modality.TEXT, Modality.AUDIO})
    image_size = 224  # it sees nothing

    def __init__(self, model: str, settings: EncoderSettings | None = None) -> None:
        settings = settings or EncoderSettings()
        spec = f"clap:{model}"
        require(PACKAGES, EXTRA)
        snapshot = folder_or_repository(spec, model, settings, [*CONFIGURATION, *WEIGHTS, *TOKENIZER_FILES])
        checkpoint = read_checkpoint(spec, snapshot.path)
        check_uncut(settings.dim, checkpoint.dim, spec)
        self.sample_rate = checkpoint.sample_rate
        self.max_audio_ms = checkpoint.max_audio_ms
        self.window_ms = min(WINDOW_MS, checkpoint.max_audio_ms)
        digest = fingerprint(
            "clap",
            VERSION,
            revision=snapshot.revision,
            towers=sorted(self.modalities),
            prompts=[],
            window_ms=self.window_ms,
            **asdict(checkpoint),
        )
        self.space = Space(spec, checkpoint.dim, digest, snapshot.revision)
        self._checkpoint = checkpoint
        self._folder = snapshot.path
        self._settings = settings
        self._network = Once(self._load)

    @property
    def batch_size(self) -> int:
        """As many inputs are best handed over at once; asking imports torch, which finds the device out."""
        return suitable_batch(self._settings.device, self._settings.batch_size)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts; see `Encoder.encode_text`."""
        readable = checked_texts(texts)
        if not readable:
            return np.zeros((0, self.space.dim), np.float32)
        network, batches, _ = self._network()
        return batches.run(network.word_pieces(readable), network.texts, self.space.dim)

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Refuse: it sees nothing.

        Raises:
            UnsupportedModality: Always.
        """
        raise UnsupportedModality(self.space.spec, Modality.IMAGE)

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Encode windows of sound; see `Encoder.encode_audio`."""
        checked = checked_windows(windows, self.sample_rate, self.max_audio_ms)
        if not checked:
            return np.zeros((0, self.space.dim), np.float32)
        network, _, batches = self._network()
        return batches.run(checked, network.sounds, self.space.dim)

    def _load(self) -> tuple[Network, Batcher, Batcher]:
        """The network, and batches of texts and of sounds."""
        from .network import load_network

        wanted, spec = self._settings, self.space.spec
        network = load_network(spec, self._folder, self._checkpoint, wanted.device, wanted.threads)
        texts, sounds = (Batcher(spec, network.device, wanted.batch_size, threads=wanted.threads, half=True) for _ in range(2))
        return network, texts, sounds
