"""How long a vector index takes to answer once it is loaded, with FAISS and with NumPy alone, with and without a filter."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np

from anyseek.storage.vectors.choose import BACKENDS
from anyseek.storage.vectors.protocol import Ids, VectorIndex

from .libraries import fill_library, made_up_files, unit_vectors
from .measure import Row

__all__ = ["measure"]

DIM = 384
K = 80
QUERIES = 21
ONE_IN = 4
ASSETS = 10_000


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Time the median of single queries on indexes of two sizes, and of the library's whole `search`.

    Args:
        folder: For the library; emptied by the caller.
        quick: The smaller size alone.
    """
    rows = [_whole_search(folder)]
    for count in (10_000,) if quick else (10_000, 200_000):
        ids, vectors = np.arange(1, count + 1), unit_vectors(count, DIM)
        queries = unit_vectors(QUERIES, DIM, seed=1)
        allowed = {"all": None, f"a filter that lets 1 in {ONE_IN} pass": ids[::ONE_IN]}
        indexes = {name: _filled(backend(DIM), ids, vectors) for name, backend in BACKENDS.items()}
        for name, passed in allowed.items():
            took = {backend: _milliseconds(index, queries, passed) for backend, index in indexes.items()}
            rows.append(
                Row(
                    f"best {K} of {count:,} × {DIM}, {name}",
                    f"FAISS {took['faiss']:.1f} ms",
                    f"NumPy {took['numpy']:.1f} ms",
                    f"{took['faiss'] / took['numpy']:.2f}",
                )
            )
    return rows


def _whole_search(folder: Path) -> Row:
    from anyseek import Library

    place = folder / "library"
    fill_library(place, folder / "media", made_up_files(ASSETS))
    with Library.open(place, readonly=True) as library:
        times = {kinds: [library.search(f"a rooster {n}", kinds=kinds).took_ms for n in range(QUERIES)] for kinds in ((), ("audio",))}
    every, sounds = (median(values[1:]) for values in times.values())
    return Row(
        f"`Library.search(text)` in a running process, {ASSETS:,} assets", f"{every:.1f} ms", f"kinds=audio: {sounds:.1f} ms", "", ""
    )


def _filled(index: VectorIndex, ids: Ids, vectors: np.ndarray) -> VectorIndex:
    index.add(ids, vectors)
    return index


def _milliseconds(index: VectorIndex, queries: np.ndarray, allowed: Ids | None) -> float:
    times = []
    for query in queries:
        started = time.perf_counter()
        index.search(query[None], K, allowed=allowed)
        times.append((time.perf_counter() - started) * 1000)
    return median(times)
