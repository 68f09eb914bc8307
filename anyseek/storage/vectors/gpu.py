"""The GPU as FAISS sees it: the narrow seam between our indexes and CUDA, behind which tests put a stand-in."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, suppress
from functools import cache
from typing import Any, Protocol

from ...errors import AnyseekError, BadInput, MissingExtra
from .faiss_index import import_faiss
from .protocol import Floats, Ids

__all__ = ["MAX_K", "WORKING_BYTES", "Gpu", "GpuFlat", "failed", "find_gpu", "is_memory_short"]

MAX_K = 2048
"""FAISS selects no more rows than this on a GPU."""

WORKING_BYTES = 256 << 20
"""Device memory set aside for the products of a search; FAISS's own default is 1.5 GiB."""

DEVICE = 0
REINSTALL = "run  pip uninstall -y faiss-cpu faiss-gpu  and then  pip install 'anyseek[gpu]'"
CUDA_RUNTIMES = ("libcudart.so.12", "libcudart.so.13")


class GpuFlat(Protocol):
    """Rows of halves in the memory of a GPU. Numbers of rows count up from 0 in the order in which they were added."""

    def add(self, rows: Floats) -> None:
        """Append (n, dim) rows; a RuntimeError where memory is short, see `is_memory_short`."""

    def search(self, queries: Floats, k: int) -> tuple[Floats, Ids]:
        """Find the rows with the highest inner products, best first, k of at most `MAX_K` and of the rows there are.

        Scores (q, k) are those of the queries rounded to halves, summed in single precision; and the numbers of rows (q, k).
        """


class Gpu(Protocol):
    """A GPU to keep flat indexes on.

    Attributes:
        lock: Hold it for every call, and to let go of a `GpuFlat`: FAISS's GPU indexes share working memory, not even two searches
            may run at a time. Its holder may take it again, for garbage is collected at any moment.
    """

    @property
    def lock(self) -> AbstractContextManager[object]:
        """See above."""
        ...

    def free_bytes(self) -> int | None:
        """Device memory that nobody uses; None where it cannot be told."""

    def make_flat(self, dim: int) -> GpuFlat:
        """Make an empty index; a RuntimeError where memory is short."""


class _FaissGpu:
    """The first GPU that CUDA shows; ``CUDA_VISIBLE_DEVICES`` says which that is."""

    def __init__(self, faiss: Any) -> None:
        self.lock = threading.RLock()
        self._faiss = faiss
        self._resources = faiss.StandardGpuResources()
        self._resources.setTempMemory(WORKING_BYTES)
        self._resources.setPinnedMemory(0)  # 256 MiB of ours that only thousands of queries at a time would use

    def free_bytes(self) -> int | None:
        """Ask CUDA, for FAISS tells only of what it took itself."""
        import ctypes

        for name in CUDA_RUNTIMES:
            with suppress(OSError, AttributeError):
                cuda = ctypes.CDLL(name, mode=os.RTLD_NOLOAD)  # the one that FAISS has loaded, never another
                free, total = ctypes.c_size_t(), ctypes.c_size_t()
                if cuda.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total)) == 0:
                    return free.value
        return None

    def make_flat(self, dim: int) -> GpuFlat:
        """Make an index that keeps halves, as the scalar quantizer on the CPU does."""
        config = self._faiss.GpuIndexFlatConfig()
        config.device = DEVICE
        config.useFloat16 = True
        flat: GpuFlat = self._faiss.GpuIndexFlatIP(self._resources, dim, config)
        return flat


def find_gpu() -> Gpu:
    """Give the GPU that FAISS can use, the same for all indexes of this process.

    Raises:
        BadInput: There is none; the text says why.
        AnyseekError: FAISS is installed but broken.
    """
    try:
        faiss = import_faiss()
    except MissingExtra as exc:
        raise BadInput("the index cannot be searched on a GPU, for FAISS is not installed: run  pip install 'anyseek[gpu]'") from exc
    if not hasattr(faiss, "StandardGpuResources"):
        raise BadInput(f"the index cannot be searched on a GPU, for the FAISS that is installed is the one for the CPU: {REINSTALL}")
    if not faiss.get_num_gpus():
        raise BadInput(
            "the index cannot be searched on a GPU, for FAISS sees none: see whether  nvidia-smi  does and whether CUDA_VISIBLE_DEVICES "
            "hides it, or leave --index-device out"
        )
    return _the_gpu()


@cache
def _the_gpu() -> Gpu:
    return _FaissGpu(import_faiss())


def is_memory_short(error: RuntimeError) -> bool:
    """Whether FAISS or CUDA could not get memory; anything else that they raise is a fault of ours or of the machine's."""
    text = str(error).lower()
    return "alloc fail" in text or "out of memory" in text


def failed(error: RuntimeError) -> AnyseekError:
    """What to raise for an error of the GPU that is not for want of memory."""
    return AnyseekError(f"the GPU failed while the index was searched ({error}): search with  --index-device cpu")
