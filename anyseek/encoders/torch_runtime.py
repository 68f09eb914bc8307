"""What the encoders that run on torch have in common: device, precision, batches that give way when memory is short, unit rows."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from ..errors import AnyseekError, BadInput, EncoderFailed, MissingExtra, ModelUnavailable
from .onednn import linear_by_onednn
from .quiet import quiet

__all__ = ["Batcher", "Once", "loading", "pick_device", "require", "side_by_side", "suitable_batch", "unit_rows"]

Item = TypeVar("Item")
Made = TypeVar("Made")

CPU_BATCH, GPU_BATCH = 16, 64

PART = 4
"""Inputs that a thread is given at least: matrices of fewer rows are slower for each."""


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
    kind, colon, number = wanted.partition(":")
    there = {
        "cpu": not colon,
        "mps": torch.backends.mps.is_available() and not colon,
        "cuda": torch.cuda.is_available() and (not colon or (number.isdecimal() and int(number) < torch.cuda.device_count())),
    }
    if kind not in there:
        raise BadInput(f"no device is called {wanted!r}: use auto, cpu, mps, cuda or cuda:N")
    if not there[kind]:
        raise BadInput(f"this machine has no device {wanted!r} that torch can use: leave it out, or use cpu")
    return wanted


def suitable_batch(device: str, wanted: int | None) -> int:
    """How many inputs are computed at a time: as many as are wanted, else what suits the device.

    Args:
        device: What a setting says, or `pick_device` gave.
        wanted: The setting; None where it leaves that open.
    """
    if wanted:
        return wanted
    return CPU_BATCH if (pick_device(device) if device == "auto" else device) == "cpu" else GPU_BATCH


class Once(Generic[Made]):
    """Makes a thing when it is first asked for, whichever thread asks first; what could not be made is tried again by the next call."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._made: list[Made] = []
        self._lock = threading.Lock()

    def __call__(self) -> Made:
        """Give the thing."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


class Batcher:
    """Runs inputs through a model a batch at a time; one thread at a time, and with smaller batches once memory was short.

    Args:
        spec: The encoder's name, for the texts of errors.
        device: What `pick_device` gave.
        size: Inputs that are computed at a time; None for what suits the device.
        threads: How many threads torch computes with; None leaves that to torch.
        half: Whether the model may be computed in half precision (float16, by autocast) on CUDA. On other devices it is computed as it
            is: there float16 saves nothing. A model that has numbers beyond its range is computed in full from then on.
        apart: Whether a batch may be computed on the CPU in parts, side by side, each by a thread of its own. Threads that share every
            operator wait for each other, busily, after each: beside decoding that takes up to twice the time. The model must not mind.
    """

    def __init__(
        self, spec: str, device: str, size: int | None = None, *, threads: int | None = None, half: bool = False, apart: bool = False
    ) -> None:
        for name, number in (("batch size", size), ("number of threads", threads)):
            if number is not None and number < 1:
                raise BadInput(f"a {name} of {number} computes nothing: use 1 or more")
        self.spec = spec
        self.size = suitable_batch(device, size)
        self._device = device
        self._threads = threads
        self._half = half and device.startswith("cuda")
        self._apart = apart and device == "cpu"
        self._lock = threading.Lock()

    def run(self, items: Sequence[Item], encode: Callable[[Sequence[Item]], Any], dim: int) -> np.ndarray:
        """Encode all items. Between two batches another thread gets its turn, so that a search need not wait for a whole run of indexing.

        Args:
            items: Any number of inputs.
            encode: Turns a batch into a tensor of (batch, at least dim); called without gradients.
            dim: Length of a vector; what a model gives beyond it is cut off.

        Returns:
            (len(items), dim) float32 unit rows.

        Raises:
            BadInput: The model gives no finite vector for one of the items.
            EncoderFailed: Not even one input at a time fits into memory.
        """
        rows: list[np.ndarray] = []
        start = 0
        while start < len(items):
            with self._lock:
                batch = items[start : start + self.size]
                computed = self._attempt(batch, encode, dim)
            if computed is not None:
                rows.append(computed)
                start += len(batch)
        return np.concatenate(rows) if rows else np.zeros((0, dim), np.float32)

    def _attempt(self, batch: Sequence[Item], encode: Callable[[Sequence[Item]], Any], dim: int) -> np.ndarray | None:
        """The rows of a batch; None when it was too large, and smaller ones are to be tried."""
        try:
            return self._compute(batch, encode, dim)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise EncoderFailed(self.spec, "one input at a time is more than its device has memory for") from error
        # Outside the handler, which holds on to the tensors of the batch.
        self.size = len(batch) // 2
        _free_memory()
        return None

    def _compute(self, batch: Sequence[Item], encode: Callable[[Sequence[Item]], Any], dim: int) -> np.ndarray:
        import torch

        def rows_of(part: Sequence[Item]) -> np.ndarray:
            with torch.inference_mode(), linear_by_onednn(self._device):
                return unit_rows(encode(part), dim)

        with _computing_threads(self._threads):
            if self._half:
                with torch.autocast("cuda", torch.float16):
                    rows = rows_of(batch)
                if np.isfinite(rows).all():
                    return rows
            rows = np.concatenate(side_by_side(rows_of, self._parts(batch)))
        if not np.isfinite(rows).all():
            raise BadInput(f"{self.spec} gives no finite vector for an input: leave it out")
        self._half = False
        return rows

    def _parts(self, batch: Sequence[Item]) -> list[Sequence[Item]]:
        import torch

        size = max(PART, -(-len(batch) // torch.get_num_threads())) if self._apart else len(batch)
        return [batch[start : start + size] for start in range(0, len(batch), size)]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch means that memory was short."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # On the CPU and on MPS there is no class of its own for it, nor for what fails inside of CUDA's libraries.
    return isinstance(error, RuntimeError) and any(
        sign in str(error) for sign in ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
    )


def unit_rows(tensor: Any, dim: int) -> np.ndarray:
    """Bring a model's output to the CPU, cut it to `dim` and only then make its rows unit length, in float32."""
    matrix = np.asarray(tensor.detach().float().cpu().numpy() if hasattr(tensor, "detach") else tensor, np.float32)[:, :dim]
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(matrix / lengths, np.float32)


def side_by_side(work: Callable[[Item], Made], items: Sequence[Item], threads: int | None = None) -> list[Made]:
    """Do on the CPU what every item needs, in threads; in the order of the items.

    Torch's own threads are shared out among these: were each to start as many as there are cores, they would spend most of their time in
    waiting for each other.

    Args:
        work: For one item, and safe to be called from several threads.
        items: Any number of them.
        threads: How many; None for as many as torch computes with here.
    """
    import torch

    before = torch.get_num_threads()
    count = min(threads or before, len(items))
    if count <= 1:
        return list(map(work, items))
    try:
        with ThreadPoolExecutor(count, "anyseek-compute", torch.set_num_threads, (max(1, before // count),)) as pool:
            return list(pool.map(work, items))
    finally:
        torch.set_num_threads(before)  # what they set is the default of all threads that come later


@contextmanager
def loading(spec: str, path: Path) -> Iterator[None]:
    """Load quietly, and say in one line what goes wrong.

    Args:
        spec: The encoder's name.
        path: What is loaded.

    Raises:
        ModelUnavailable: The files are damaged, or do not go with each other or with the installed library.
        EncoderFailed: There is not enough memory for them.
    """
    with quiet():
        try:
            yield
        except AnyseekError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise EncoderFailed(spec, "its weights are more than there is memory for") from error
            reason = next((line for line in map(str.strip, str(error).splitlines()) if line), type(error).__name__)
            raise ModelUnavailable(spec, f"{path} cannot be loaded: {reason}", "delete it and get the model anew") from error


@contextmanager
def _computing_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with so many threads.

    The setting belongs to the calling thread and is the default of all that come later, so it is put back after each batch: neither another
    encoder nor the program around us may notice (`test_threads_are_set_for_the_batch_alone`).
    """
    if count is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _free_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
