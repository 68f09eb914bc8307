"""The starter encoder: pictures, sounds and text in the space of all-MiniLM-L6-v2, with three small networks.

A picture or a sound is classified (EfficientNet-Lite2, YAMNet) and becomes the weighted mean of its labels' sentence embeddings; a text
is embedded as it is. `docs/starter.md` says how the weights were made, what was measured and what the encoder is bad at.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ...types import Modality, Space
from ..inputs import check_uncut, check_word_pieces, checked_pictures, checked_texts, checked_windows
from ..protocol import EncoderSettings
from . import audio, conse, image, weights

__all__ = ["MAX_TOKENS", "StarterEncoder"]

DIM = 384
MAX_TOKENS = 256
"""Word pieces of a text, with the two that mark its ends; what the text tower was trained on."""

PREPROCESSING = "1"
"""Raise this whenever code changes a vector: it is part of the space's fingerprint."""

WINDOW_MS = 3_000
"""On the judged demo queries moments overlap the truth better than with 5 or 10 s, at the same recall."""

IMAGE_LABELS, IMAGE_POWER = 10, 0.75
AUDIO_LABELS, AUDIO_POWER = 30, 0.7


class StarterEncoder:
    """Encodes text, pictures and sounds offline on the CPU; see `anyseek.encoders.protocol.Encoder`.

    Each network is loaded by the first call that needs it, so that a search by text never reads the other two. Inputs are run one at a
    time: on a CPU that is no slower than batches, and it makes a row independent of its batch to the last bit.

    Args:
        settings: Its `threads` say how many inputs are computed side by side; None for as many as there are cores.

    Raises:
        BadInput: The settings ask for another dimension than its own.
    """

    modalities = frozenset({Modality.TEXT, Modality.IMAGE, Modality.AUDIO})
    image_size = image.SMALLEST_USEFUL
    sample_rate = audio.SAMPLE_RATE
    max_audio_ms = audio.MAX_AUDIO_MS
    window_ms = WINDOW_MS

    def __init__(self, settings: EncoderSettings | None = None) -> None:
        settings = settings or EncoderSettings()
        check_uncut(settings.dim, DIM, "the starter encoder")
        self.space = Space("starter", DIM, weights.fingerprint(f"{PREPROCESSING} {DIM}"))
        self._threads = settings.threads or os.cpu_count() or 1
        self._loaded: dict[str, Any] = {}
        self._lock = threading.Lock()

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts.

        Raises:
            BadQuery: A text is blank or has more than `MAX_TOKENS` word pieces.
        """
        checked = checked_texts(texts)
        if not checked:
            return _stack([])
        tokenizer, network = self._load("tokenizer", _tokenizer), self._network("text")
        batches = []
        for encoding in tokenizer.encode_batch(checked):
            check_word_pieces(len(encoding.ids), MAX_TOKENS, "the starter encoder", empty=2)
            batches.append(np.array([encoding.ids], np.int64))
        return _stack([conse.unit(network.run(None, {"tokens": tokens})[0][0]) for tokens in batches])

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Encode pictures, each (height, width, 3) uint8 RGB; the middle of a long one is what counts.

        Raises:
            BadInput: A picture has another shape or type.
        """
        checked = checked_pictures(pictures)
        if not checked:
            return _stack([])
        network, labels = self._network("image"), self._labels("image")

        def row(pixels: np.ndarray) -> np.ndarray:
            logits = network.run(None, {"pixels": image.network_input(pixels)})[0][0]
            return conse.combine(conse.softmax(logits), labels, top=IMAGE_LABELS, power=IMAGE_POWER)

        return _stack(self._each(row, checked))

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Encode windows of sound, each (n,) float32 mono at 16 kHz.

        Raises:
            BadInput: A window is longer than `max_audio_ms`, empty, or has another shape or type.
        """
        checked = checked_windows(windows, self.sample_rate, self.max_audio_ms)
        if not checked:
            return _stack([])
        network, labels = self._network("audio"), self._labels("audio")

        def row(samples: np.ndarray) -> np.ndarray:
            logits = np.concatenate([network.run(None, {"patches": patch[None]})[0] for patch in audio.patches(samples)])
            return conse.combine(conse.pool(conse.sigmoid(logits)), labels, top=AUDIO_LABELS, power=AUDIO_POWER)

        return _stack(self._each(row, checked))

    def _each(self, row: Callable[[np.ndarray], np.ndarray], inputs: list[np.ndarray]) -> list[np.ndarray]:
        """Compute the rows side by side: a network gains little from threads of its own on one input."""
        if len(inputs) == 1 or self._threads == 1:
            return list(map(row, inputs))
        pool: ThreadPoolExecutor = self._load("pool", lambda: ThreadPoolExecutor(self._threads, "anyseek-starter"))
        return list(pool.map(row, inputs))

    def _network(self, name: str) -> Any:
        return self._load(name, lambda: weights.session(name))

    def _labels(self, name: str) -> np.ndarray:
        labels: np.ndarray = self._load(f"{name} labels", lambda: weights.label_vectors(name))
        return labels

    def _load(self, key: str, make: Callable[[], Any]) -> Any:
        """Load a part once, whichever thread asks first."""
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = make()
            return self._loaded[key]


def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(weights.FOLDER / "tokenizer.json"))


def _stack(rows: list[np.ndarray]) -> np.ndarray:
    return np.stack(rows) if rows else np.zeros((0, DIM), np.float32)
