"""What the encoders that run on torch have in common: device, precision, batches that give way when memory is short, unit rows."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from ..errors import BadInput, EncoderFailed, MissingExtra

__all__ = ["Batcher", "pick_device", "require", "unit_rows"]

Item = TypeVar("Item")

CPU_BATCH, GPU_BATCH = 16, 64


def require(packages: Sequence[str], extra: str) -> None:
    """Refuse before any work when a package is not installed; nothing is imported.

    Raises:
        MissingExtra: Naming the first one that is missing and the extra that brings it.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, extra)


def pick_device(wanted: str) -> str:
    """The torch device that a setting means.

    Raises:
        BadInput: There is no such device on this machine.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = wanted.partition(":")
    there = {
        "cpu": not number,
        "mps": torch.backends.mps.is_available() and not number,
        "cuda": torch.cuda.is_available() and (not number or (number.isdigit() and int(number) < torch.cuda.device_count())),
    }
    if kind not in there:
        raise BadInput(f"no device is called {wanted!r}: use auto, cpu, mps, cuda or cuda:N")
    if not there[kind]:
        raise BadInput(f"this machine has no device {wanted!r} that torch can use: leave it out, or use cpu")
    return wanted


class Batcher:
    """Runs inputs through a model a batch at a time; one thread at a time, and with smaller batches once memory was short."""

    def __init__(self, spec: str, device: str, size: int | None = None) -> None:
        self.spec = spec
        self.size = size or (CPU_BATCH if device == "cpu" else GPU_BATCH)
        self._lock = threading.Lock()

    def run(self, items: Sequence[Item], encode: Callable[[Sequence[Item]], Any], dim: int) -> np.ndarray:
        """Encode all items.

        Args:
            items: Any number of inputs.
            encode: Turns a batch into a tensor of (batch, at least dim).
            dim: Length of a vector; what a model gives beyond it is cut off.

        Returns:
            (len(items), dim) float32 unit rows.

        Raises:
            EncoderFailed: Not even one input at a time fits into memory.
        """
        rows: list[np.ndarray] = []
        with self._lock:
            start = 0
            while start < len(items):
                try:
                    rows.append(unit_rows(encode(items[start : start + self.size]), dim))
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                    if self.size == 1:
                        raise EncoderFailed(self.spec, "one input at a time is more than its device has memory for") from error
                    failed = True
                else:
                    failed = False
                    start += self.size
                if failed:  # outside the handler, which holds on to the tensors of the batch
                    self.size = max(1, self.size // 2)
                    _free_memory()
        return np.concatenate(rows) if rows else np.zeros((0, dim), np.float32)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch means that memory was short."""
    import torch

    # on the CPU there is no class of its own for it
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def unit_rows(tensor: Any, dim: int) -> np.ndarray:
    """Bring a model's output to the CPU, cut it to `dim` and only then make its rows unit length, in float32."""
    matrix = np.asarray(tensor.detach().float().cpu().numpy() if hasattr(tensor, "detach") else tensor, np.float32)[:, :dim]
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(matrix / lengths, np.float32)


def _free_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
