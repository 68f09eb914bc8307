"""The loaded model: the one module here that imports torch and calls Sentence Transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from ..inputs import check_word_pieces
from ..protocol import EncoderSettings
from ..quiet import quiet
from ..torch_runtime import Batcher, loading, pick_device
from .checkpoint import Checkpoint

__all__ = ["Network", "load_network", "processing"]


class Network:
    """A model on its device. Whatever it is given goes through as it is: texts stay texts, and media are arrays.

    Its tokenizer keeps settings between calls, so that one thread at a time may use it.

    Args:
        spec: The encoder's name, for the texts of errors.
        model: As Sentence Transformers has loaded it.
        checkpoint: What its configuration says.
        batches: Those of its device.
    """

    def __init__(self, spec: str, model: Any, checkpoint: Checkpoint, batches: Batcher) -> None:
        self._spec = spec
        self._model = model
        self._checkpoint = checkpoint
        self._batches = batches
        self._processing = processing(checkpoint)
        self._special = sorted((token for token in model.tokenizer.all_special_tokens if len(token) > 2), key=len, reverse=True)
        self._lock = threading.Lock()
        self._nothing: dict[str, int] = {}

    def rows(self, inputs: Sequence[dict[str, Any]], prompt: str, task: str, dim: int) -> np.ndarray:
        """Encode inputs of one kind.

        Args:
            inputs: Each ``{"text": …}``, ``{"image": …}``, ``{"audio": …}`` or ``{"video": …}``.
            prompt: Put before each.
            task: ``query`` or ``document``.
            dim: What vectors are cut to.

        Returns:
            (n, dim) float32 unit rows.
        """

        def encode(batch: Sequence[dict[str, Any]]) -> Any:
            with self._lock, self._hushed():
                return self._model.encode(
                    list(batch),
                    batch_size=len(batch),
                    prompt=prompt,
                    task=task,
                    processing_kwargs=self._processing,
                    convert_to_tensor=True,
                    show_progress_bar=False,
                )

        return self._batches.run(inputs, encode, dim)

    def words(self, texts: Sequence[str], prompt: str) -> list[dict[str, Any]]:
        """Make inputs of texts. A mark in them that stands for a picture, a sound or an end is broken up by a blank.

        Raises:
            BadQuery: A text has more word pieces than the model takes, with the prompt and all that is put around it, or none.
        """
        plain = [self._plain(text) for text in texts]
        with self._lock, self._hushed():
            if prompt not in self._nothing:
                self._nothing[prompt] = self._pieces("", prompt)
            for text in plain:
                check_word_pieces(self._pieces(text, prompt), self._checkpoint.max_tokens, self._spec, empty=self._nothing[prompt])
        return [{"text": text} for text in plain]

    def _pieces(self, text: str, prompt: str) -> int:
        uncut = {**self._processing, "text": {"padding": False, "truncation": False, "verbose": False}}
        features = self._model[0].preprocess([{"text": text}], prompt=prompt, processing_kwargs=uncut, task="query")
        return int(features["input_ids"].shape[-1])

    def _plain(self, text: str) -> str:
        for token in self._special:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text.lower() if self._checkpoint.family.lowers else text

    def _hushed(self) -> AbstractContextManager[None]:
        """Models that nobody has checked may have something to say about every input."""
        return quiet() if self._checkpoint.family.one_by_one else nullcontext()


def load_network(spec: str, folder: Path, checkpoint: Checkpoint, settings: EncoderSettings) -> Network:
    """Load a model from its folder alone.

    It is computed in bfloat16 where its weights are stored in that and the device is CUDA and has it, else in float32. Never in float16:
    EmbeddingGemma 2 gives no numbers in that.

    Args:
        spec: The encoder's name.
        folder: Where the model's files lie.
        checkpoint: What its configuration says.
        settings: `device`, `batch_size`, `threads` and `trust_remote_code` count.

    Raises:
        ModelUnavailable: The files are damaged, or do not go with each other or with the installed libraries.
        BadInput: There is no such device.
        EncoderFailed: There is not enough memory for it.
    """
    device, family = pick_device(settings.device), checkpoint.family
    with loading(spec, folder):
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling

        half = checkpoint.bfloat16 and device.startswith("cuda") and torch.cuda.is_bf16_supported()
        model = SentenceTransformer(
            str(folder),
            device=device,
            local_files_only=True,
            trust_remote_code=settings.trust_remote_code,
            model_kwargs={"dtype": torch.bfloat16 if half else torch.float32},
        )
        if checkpoint.plain and family.pooling:
            model[-1] = Pooling(checkpoint.dim, family.pooling)
        model.eval().requires_grad_(requires_grad=False)
        size = 1 if family.one_by_one else settings.batch_size
        return Network(spec, model, checkpoint, Batcher(spec, device, size, threads=settings.threads))


def processing(checkpoint: Checkpoint) -> dict[str, dict[str, Any]]:
    """The arguments of the processor. Nothing is cut: what is too long was refused before."""
    limit = checkpoint.max_tokens
    text = {"padding": "max_length", "max_length": limit, "truncation": True} if checkpoint.family.fills_up else {"truncation": False}
    return {"text": text, **{kind: dict(values) for kind, values in checkpoint.family.processing.items()}}
