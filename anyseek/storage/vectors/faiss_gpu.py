"""The rows of a flat index once more in the memory of a GPU: a cache that finds candidates, while the CPU's rows stay the truth.

A GPU index can neither be saved nor filtered, and rounds the queries to halves. So it only names rows that may be among the best, with
slack for its rounding; they are scored anew in double precision from the rows on the CPU, which makes the answers equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import ceil, sqrt
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from .gpu import MAX_K, WORKING_BYTES, Gpu, GpuFlat, failed, is_memory_short
from .protocol import Floats, Halves, Ids

__all__ = ["GpuCopy", "needed_bytes"]

CHUNK_BYTES = 256 << 20
"""Rows in single precision that are handed over at a time; FAISS splits what is larger into small pieces."""

SPARE_CANDIDATES = 32
MARGIN = 1.25  # a filter may let through fewer of the best rows than of all

REMEDY = "free some, or ask for the CPU with  --index-device cpu"

Note = Callable[[str], None]
Result = TypeVar("Result")


def needed_bytes(rows: int, dim: int) -> int:
    """How much device memory an index takes while it is filled.

    FAISS keeps two bytes for each value and four for the norm of each row, and makes room for more rows by a copy of all; the last chunk
    passes through in single precision and as halves.
    """
    chunk = min(rows * dim * 4, CHUNK_BYTES)
    return 2 * rows * (2 * dim + 4) + chunk + chunk // 2 + WORKING_BYTES


def gpu_slack(dim: int) -> float:
    """How far two scores of a unit query rounded to halves may be off together.

    Rounding moves the query by at most 2^-11 of its length, and by 2^-25 in each value too small for that; sums in single precision, in
    which tensor cores truncate instead of rounding, add dim * 2^-23 (Higham 2002, sections 2.1 and 3.1).
    """
    return 2 * (2**-11 + sqrt(dim) * 2**-25 + (dim + 2) * 2**-23)


class GpuCopy:
    """The rows of one flat index. Once memory was short it is gone for good, and the CPU answers."""

    def __init__(self, gpu: Gpu, dim: int, note: Note) -> None:
        self.gpu = gpu
        self.dim = dim
        self.note = note
        self._flat: GpuFlat | None = None

    @classmethod
    def of(cls, rows: Halves, gpu: Gpu, note: Note) -> Self:
        """Take rows over, (n, dim), if there is room for them; see `is_there`.

        Args:
            rows: In the order of their numbers.
            gpu: Where to.
            note: Told when memory is short, then or later.
        """
        copy = cls(gpu, rows.shape[1], note)
        needed, free = needed_bytes(*rows.shape), gpu.free_bytes()
        if free is not None and free < needed:
            note(f"the index is searched on the CPU, for it needs {_gib(needed)} of GPU memory and {_gib(free)} are free: {REMEDY}")
            return copy
        copy._flat = copy._on_gpu(lambda: gpu.make_flat(copy.dim))
        copy.add(rows)
        return copy

    @property
    def is_there(self) -> bool:
        """Whether it can be searched."""
        return self._flat is not None

    def add(self, rows: Halves) -> None:
        """Append rows, (n, dim)."""
        chunk = max(1, CHUNK_BYTES // (4 * self.dim))
        for start in range(0, len(rows), chunk):
            if self.is_there:
                self._on_gpu(partial(self._add, np.ascontiguousarray(rows[start : start + chunk], np.float32)))

    def drop(self) -> None:
        """Give its memory back."""
        with self.gpu.lock:
            self._flat = None

    def __del__(self) -> None:
        self.drop()

    def candidates(self, queries: Floats, k: int, mask: npt.NDArray[np.bool_], matching: int) -> list[Ids] | None:
        """Collect for each query the rows that may be among its best k.

        Args:
            queries: (q, dim) float32.
            k: How many are wanted, at least 1.
            mask: (n,) the rows that may be found.
            matching: How many those are, at least 1.

        Returns:
            Rows for each query; None where the CPU has to look: when the copy is gone, or so many rows would have to be fetched that the
            GPU cannot, because much is wanted or little passes the filter.
        """
        units = _unit_queries(queries)
        if units is None:
            return None
        total, slack = len(mask), gpu_slack(self.dim)
        wanted = k + SPARE_CANDIDATES
        if matching < total:
            wanted = ceil(MARGIN * wanted * total / matching)
        while True:
            wanted = min(wanted, total)
            answer = self._search(units, wanted)
            if answer is None:
                return None
            found = [_complete(scores, rows, k, mask, slack, is_all=wanted == total) for scores, rows in zip(*answer, strict=True)]
            complete = [rows for rows in found if rows is not None]
            if len(complete) == len(found):
                return complete
            wanted *= 4

    def _add(self, rows: Floats) -> None:
        if self._flat is not None:
            self._flat.add(rows)

    def _search(self, queries: Floats, wanted: int) -> tuple[Floats, Ids] | None:
        if wanted > MAX_K:
            return None
        return self._on_gpu(lambda: self._flat.search(queries, wanted) if self._flat else None)

    def _on_gpu(self, work: Callable[[], Result]) -> Result | None:
        """Do something while nobody else uses the GPU; None when memory was short."""
        with self.gpu.lock:
            try:
                return work()
            except RuntimeError as exc:
                if not is_memory_short(exc):
                    raise failed(exc) from exc
            self._flat = None  # outside the handler, which holds on to it, but still under the lock
        self.note(f"the index is searched on the CPU, for the GPU ran out of memory: {REMEDY}")
        return None


def _unit_queries(queries: Floats) -> Floats | None:
    """Scale queries to unit length, which changes no order and keeps their values within the range of halves; None where that cannot be."""
    lengths = np.linalg.norm(queries.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        return None
    return (queries / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _complete(scores: Floats, rows: Ids, k: int, mask: npt.NDArray[np.bool_], slack: float, *, is_all: bool) -> Ids | None:
    """The rows of one query that may be among its best k; None when a row that was not fetched may be one of them."""
    passing = mask[rows]
    good = scores[passing]
    if len(good) >= k:
        floor = good[k - 1] - slack
        if is_all or scores[-1] < floor:
            passing[passing] = good >= floor
            return np.asarray(rows[passing])
    return np.asarray(rows[passing]) if is_all else None


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
