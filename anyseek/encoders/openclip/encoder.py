"""OpenCLIP's models behind the encoder protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...errors import UnsupportedModality
from ...types import Modality, Space
from ..fingerprint import fingerprint
from ..inputs import check_uncut, checked_pictures, checked_texts
from ..protocol import EncoderSettings
from ..torch_runtime import Batcher, Once, require, suitable_batch
from .recipe import Recipe, find_recipe

if TYPE_CHECKING:
    from .network import Network

__all__ = ["OpenClipEncoder"]

VERSION = "1"
"""Raise this whenever code changes a vector: it is part of the space's fingerprint."""

PACKAGES = ("torch", "torchvision", "timm", "transformers", "open_clip")
EXTRA = "open-clip"


class OpenClipEncoder:
    """A model of OpenCLIP for pictures and text; see `anyseek.encoders.protocol.Encoder`.

    Pictures are prepared as the checkpoint asks for. On CUDA the model is computed in half precision (see `Batcher`); such a vector and
    the one that a CPU computes have a cosine of 0.999 or more (`test_a_gpu_gives_nearly_the_same_rows`).

    Args:
        model: ``NAME/TAG`` as OpenCLIP lists them, ``NAME/FILE`` with a file of weights, ``hf-hub:ORGANISATION/REPOSITORY`` or
            ``local-dir:FOLDER``.
        settings: How it is to be loaded.

    Raises:
        MissingExtra: OpenCLIP is not installed.
        UnknownEncoder: OpenCLIP does not know the name or the tag.
        ModelUnavailable: The model's files are not on this machine, or are no model.
        BadInput: Name and tag do not go with each other, or the settings ask for another dimension than the model's own.
    """

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    sample_rate, max_audio_ms, window_ms = 48_000, 10_000, 5_000  # it hears nothing

    def __init__(self, model: str, settings: EncoderSettings | None = None) -> None:
        settings = settings or EncoderSettings()
        spec = f"open_clip:{model}"
        require(PACKAGES, EXTRA)
        recipe = find_recipe(spec, model, settings)
        check_uncut(settings.dim, recipe.dim, spec)
        self.image_size = recipe.image_size
        self.space = Space(spec, recipe.dim, _fingerprint(recipe), recipe.revision)
        self._recipe = recipe
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
        return batches.run(network.words(readable), network.texts, self.space.dim)

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Encode pictures; see `Encoder.encode_images`."""
        checked = checked_pictures(pictures)
        if not checked:
            return np.zeros((0, self.space.dim), np.float32)
        network, _, batches = self._network()
        return batches.run(checked, network.images, self.space.dim)

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Refuse: it hears nothing.

        Raises:
            UnsupportedModality: Always.
        """
        raise UnsupportedModality(self.space.spec, Modality.AUDIO)

    def _load(self) -> tuple[Network, Batcher, Batcher]:
        """The network, and batches of texts and of pictures."""
        from .network import load_network

        wanted, spec = self._settings, self.space.spec
        network = load_network(spec, self._recipe, wanted.device)
        texts, pictures = (
            Batcher(spec, network.device, wanted.batch_size, threads=wanted.threads, half=True, apart=True) for _ in range(2)
        )
        return network, texts, pictures


def _fingerprint(recipe: Recipe) -> str:
    return fingerprint(
        "open_clip",
        VERSION,
        revision=recipe.revision,
        weights=recipe.weights.name,
        towers=dict(recipe.model),
        dim=recipe.dim,
        prompts=[],
        preprocessing=dict(recipe.preprocess),
        companions=dict(recipe.companions or {}),
    )
