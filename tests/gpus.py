"""A GPU for machines without one: flat indexes of FAISS on the CPU, as clumsy and as touchy as those on a GPU are."""

from __future__ import annotations

import threading
from functools import cache
from importlib import import_module

import numpy as np

from anyseek.storage.vectors.gpu import MAX_K

__all__ = ["StandInGpu", "how_many_gpus"]

ENOUGH = 1 << 40


class StandInGpu:
    """Rounds queries and rows to halves, selects no more than FAISS can, takes nobody who has not locked it, and has so much memory.

    Attributes:
        budget: Bytes, of which a flat index takes two for each value and twice as many while it grows.
        taken: Bytes that its indexes hold.
        searches: How many queries came here.
        broken: The text of an error that every search raises.
    """

    def __init__(self, budget: int = ENOUGH, *, tells: bool = True) -> None:
        self.lock = threading.RLock()
        self.budget = budget
        self.taken = 0
        self.searches = 0
        self.broken = ""
        self._tells = tells

    def free_bytes(self) -> int | None:
        return self.budget - self.taken if self._tells else None

    def make_flat(self, dim: int) -> _Flat:
        self.must_be_locked()
        return _Flat(self, dim)

    def must_be_locked(self) -> None:
        assert self.lock._is_owned(), "the GPU was used without its lock"

    def allocate(self, size: int) -> None:
        if self.taken + size > self.budget:
            raise RuntimeError(
                "Error in virtual void* faiss::gpu::StandardGpuResourcesImpl::allocMemory(const AllocRequest&) at faiss/gpu/"
                "StandardGpuResources.cpp:560: Error: 'err == cudaSuccess' failed: StandardGpuResources: alloc fail type FlatData dev 0 "
                f"space Device stream 0x1 size {size} bytes (cudaMalloc error out of memory [2])"
            )
        self.taken += size


class _Flat:
    def __init__(self, gpu: StandInGpu, dim: int) -> None:
        import faiss

        self._gpu = gpu
        self._flat = faiss.IndexFlatIP(dim)
        self._size = 0

    def add(self, rows: np.ndarray) -> None:
        self._gpu.must_be_locked()
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        grown = self._size + 2 * rows.size
        self._gpu.allocate(grown)  # the new place, while the old one is still there
        self._gpu.taken -= self._size
        self._size = grown
        self._flat.add(rows.astype(np.float16).astype(np.float32))

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        self._gpu.must_be_locked()
        if self._gpu.broken:
            raise RuntimeError(self._gpu.broken)
        if k > MAX_K:
            raise RuntimeError(f"Error: 'k <= maxK' failed: GPU index only supports min/max-K selection up to {MAX_K} (requested {k})")
        assert 0 < k <= self._flat.ntotal
        self._gpu.allocate(4 * len(queries) * self._flat.ntotal)
        self._gpu.taken -= 4 * len(queries) * self._flat.ntotal
        self._gpu.searches += len(queries)
        return self._flat.search(queries.astype(np.float16).astype(np.float32), k)

    def __del__(self) -> None:
        self._gpu.must_be_locked()
        self._gpu.taken -= self._size


@cache
def how_many_gpus(package: str) -> int:
    """The GPUs that the installed FAISS, or torch, can use."""
    try:
        library = import_module(package)
    except ImportError:
        return 0
    return library.get_num_gpus() if package == "faiss" else library.cuda.device_count()
