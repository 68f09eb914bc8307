"""The loaded model: the one place that calls Sentence Transformers."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelUnavailable
from ..protocol import EncoderSettings
from ..torch_runtime import Batcher, pick_device
from .checkpoint import Checkpoint

__all__ = ["Network", "processing"]

LOGGERS = ("sentence_transformers", "transformers", "huggingface_hub")
_loading = threading.Lock()


class Network:
    """A model on its device. Whatever it is given goes through as it is: texts stay texts, and media are arrays.

    Args:
        spec: The encoder's name, for the texts of errors.
        folder: Where the model's files lie.
        checkpoint: What its configuration says.
        settings: `device`, `batch_size`, `threads` and `trust_remote_code` count.

    Raises:
        ModelUnavailable: The files cannot be loaded.
        BadInput: There is no such device.
    """

    def __init__(self, spec: str, folder: Path, checkpoint: Checkpoint, settings: EncoderSettings) -> None:
        self._checkpoint = checkpoint
        device = pick_device(settings.device)
        _use_threads(settings.threads)
        self._batcher = Batcher(spec, device, 1 if checkpoint.family.one_by_one else settings.batch_size)
        with _loading, _quiet():
            try:
                self._model = _loaded(folder, checkpoint, device, trust_remote_code=settings.trust_remote_code)
            except (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, ImportError, _safetensors_error()) as error:
                reason = f"{folder} cannot be loaded: {type(error).__name__}: {str(error).strip().splitlines()[:1]}"
                raise ModelUnavailable(spec, reason, "fetch or save the model again") from error
        self._processing = processing(checkpoint)
        self._special = sorted((token for token in self._model.tokenizer.all_special_tokens if len(token) > 2), key=len, reverse=True)

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
            return self._model.encode(
                list(batch),
                batch_size=len(batch),
                prompt=prompt,
                task=task,
                processing_kwargs=self._processing,
                convert_to_tensor=True,
                show_progress_bar=False,
            )

        return self._batcher.run(inputs, encode, dim)

    def plain(self, text: str) -> str:
        """A text without the marks that stand for pictures, sounds or ends: a blank breaks each of them up."""
        for token in self._special:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text

    def word_pieces(self, text: str, prompt: str) -> int:
        """How many a text has, with the prompt and all that the model puts around it."""
        uncut = {**self._processing, "text": {"padding": False, "truncation": False}}
        features = self._model[0].preprocess([{"text": text}], prompt=prompt, processing_kwargs=uncut, task="query")
        return int(features["input_ids"].shape[-1])


def processing(checkpoint: Checkpoint) -> dict[str, dict[str, Any]]:
    """The arguments of the processor. Nothing is cut: what is too long was refused before."""
    limit = checkpoint.max_tokens
    text = {"padding": "max_length", "max_length": limit, "truncation": True} if checkpoint.family.fills_up else {"truncation": False}
    given: Mapping[str, Mapping[str, Any]] = checkpoint.family.processing
    return {"text": text, **{kind: dict(values) for kind, values in given.items()}}


def _loaded(folder: Path, checkpoint: Checkpoint, device: str, *, trust_remote_code: bool) -> Any:
    """Load from the folder alone. Half precision is used where a GPU has it and the weights are stored in it; never float16."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    half = checkpoint.bfloat16 and device.startswith("cuda") and torch.cuda.is_bf16_supported()
    model = SentenceTransformer(
        str(folder),
        device=device,
        local_files_only=True,
        trust_remote_code=trust_remote_code,
        model_kwargs={"dtype": torch.bfloat16 if half else torch.float32},
    )
    if checkpoint.plain and checkpoint.family.pooling:
        model[-1] = Pooling(checkpoint.dim, checkpoint.family.pooling)
    model.eval()
    return model


def _use_threads(threads: int | None) -> None:
    """Torch has one number of threads for the whole process; the encoder that was loaded last sets it."""
    if threads:
        import torch

        torch.set_num_threads(threads)


def _safetensors_error() -> type[Exception]:
    from safetensors import SafetensorError

    error: type[Exception] = SafetensorError
    return error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loaders' progress bars and remarks from the screen; of the libraries' logging only errors are let through from now on."""
    theirs: Any = import_module("transformers.utils.logging")
    shown = theirs.is_progress_bar_enabled()
    theirs.disable_progress_bar()
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if shown:
            theirs.enable_progress_bar()
