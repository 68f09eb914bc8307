"""The loaded model: sounds and words to tensors, and these through the network. The one module here that imports torch and transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelUnavailable
from ..inputs import check_word_pieces
from ..torch_runtime import loading, pick_device, side_by_side
from .checkpoint import Checkpoint

__all__ = ["Network", "load_network"]


@dataclass(frozen=True, slots=True)
class Network:
    """A model on its device.

    Attributes:
        spec: The encoder's name, for the texts of errors.
        checkpoint: What it can do.
        device: As torch names it.
        model: transformers' `ClapModel`, in evaluation mode.
        processor: transformers' `ClapProcessor`.
        threads: How many threads compute spectrograms; None for as many as there are cores.
    """

    spec: str
    checkpoint: Checkpoint
    device: str
    model: Any
    processor: Any
    threads: int | None
    _tokenizing: threading.Lock = field(default_factory=threading.Lock)

    def sounds(self, windows: Sequence[np.ndarray]) -> Any:
        """Encode windows of sound, each (n,) float32, to a tensor of (n, dim)."""
        import torch

        spectrograms = torch.cat(side_by_side(self._spectrogram, windows, self.threads)).to(self.device)
        # Where no window is longer than the model hears, as here always, the feature extractor of a fused model marks one of them at random
        # as if it were. The mark changes its vector.
        longer = torch.zeros((len(windows), 1), dtype=torch.bool, device=self.device)
        return self.model.get_audio_features(input_features=spectrograms, is_longer=longer).pooler_output

    def texts(self, pieces: Sequence[Sequence[int]]) -> Any:
        """Encode the word pieces of texts to a tensor of (n, dim)."""
        import torch

        longest = max(map(len, pieces))
        ids = torch.full((len(pieces), longest), self.processor.tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(pieces):
            ids[row, : len(text)] = torch.tensor(text)
            mask[row, : len(text)] = 1
        return self.model.get_text_features(input_ids=ids.to(self.device), attention_mask=mask.to(self.device)).pooler_output

    def word_pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Cut texts into word pieces. The tokenizer keeps settings between calls, so that one thread at a time may use it.

        Raises:
            BadQuery: A text has more of them than the model takes, or none.
        """
        pieces: list[list[int]]
        with self._tokenizing:
            none, *pieces = self.processor.tokenizer(["", *texts], truncation=False, verbose=False).input_ids
        for text in pieces:
            check_word_pieces(len(text), self.checkpoint.max_tokens, self.spec, empty=len(none))
        return pieces

    def _spectrogram(self, samples: np.ndarray) -> Any:
        """The features of one window; what is shorter than the model hears is repeated until it fills that, as in training."""
        extract = self.processor.feature_extractor
        return extract([samples], sampling_rate=self.checkpoint.sample_rate, return_tensors="pt").input_features


def load_network(spec: str, folder: Path, checkpoint: Checkpoint, device: str, threads: int | None) -> Network:
    """Load the model.

    Raises:
        ModelUnavailable: Its files are damaged, or do not go with each other.
        BadInput: There is no such device.
        EncoderFailed: There is not enough memory for it.
    """
    device = pick_device(device)
    with loading(spec, folder):
        import torch
        from transformers import ClapModel, ClapProcessor

        load: Any = ClapModel.from_pretrained
        model, found = load(folder, dtype=torch.float32, local_files_only=True, output_loading_info=True)
        missing = sorted(set(found["missing_keys"]).intersection(name for name, _ in model.named_parameters()))
        if missing:
            raise ModelUnavailable(spec, f"{folder} lacks weights, {missing[0]} among them", "delete it and get the model anew")
        processor = ClapProcessor.from_pretrained(folder, local_files_only=True)
        model.eval().requires_grad_(requires_grad=False).to(device)
    return Network(spec, checkpoint, device, model, processor, threads)
