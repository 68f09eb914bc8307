"""Searching under a filter that lets few pass: gathering the rows that do, against FAISS with a mask over all rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

from anyseek.storage.vectors import faiss_index

from .libraries import unit_vectors
from .measure import Row

__all__ = ["measure"]

DIM = 384
K = 80
ROUNDS = 25
ONE_IN = (10_000, 1_000, 512, 256, 128, 64, 10)
NEVER = 10**12


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Time the same queries by both, in turns, for filters of several selectivities.

    Args:
        folder: Not used.
        quick: The smaller size alone.
    """
    rows = []
    for count in (100_000,) if quick else (100_000, 1_000_000):
        ids = np.arange(1, count + 1)
        index = faiss_index.FaissIndex(DIM)
        index.add(ids, unit_vectors(count, DIM).astype(np.float16))
        for one_in in ONE_IN:
            allowed = np.sort(np.random.default_rng(one_in).permutation(ids)[: count // one_in])
            gathered, masked = _in_turns(index, allowed)
            rows.append(
                Row(
                    f"best {K} of {count:,} × {DIM}, 1 in {one_in:,} allowed, by {'gathering' if _gathers(one_in) else 'a mask'}",
                    f"gathered {gathered:.2f} ms",
                    f"FAISS with a mask {masked:.2f} ms",
                    f"{gathered / masked:.2f}",
                )
            )
    return rows


def _gathers(one_in: int) -> bool:
    return one_in >= faiss_index.GATHER_BELOW


def _in_turns(index: faiss_index.FaissIndex, allowed: np.ndarray) -> tuple[float, float]:
    """Medians in milliseconds: gathered, masked."""
    times: dict[int, list[float]] = {1: [], NEVER: []}
    for query in unit_vectors(ROUNDS, DIM, seed=1):
        for below, taken in times.items():
            with _gathering(below):
                started = time.perf_counter()
                index.search(query[None], K, allowed=allowed)
                taken.append((time.perf_counter() - started) * 1000)
    return median(times[1]), median(times[NEVER])


@contextmanager
def _gathering(below: int) -> Iterator[None]:
    usual = faiss_index.GATHER_BELOW
    faiss_index.GATHER_BELOW = below
    try:
        yield
    finally:
        faiss_index.GATHER_BELOW = usual
