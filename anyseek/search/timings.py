"""Where the time of a search goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["STAGES", "Stopwatch"]

STAGES = {
    "example": "files asked by decoded",
    "load": "encoders made from their configurations",
    "first encode": "imports, weights and the first query of each encoder",
    "encode": "queries encoded",
    "bridge": "queries carried into spaces that do not understand them",
    "index": "vector indexes loaded and brought up to date",
    "lookup": "nearest segments looked up",
    "score": "scores made comparable",
    "merge": "segments merged into moments and hits",
}


class Stopwatch:
    """Adds up how long the stages of one search take; see `STAGES`. A stage within another one counts for itself alone."""

    def __init__(self) -> None:
        self._taken: dict[str, float] = {}
        self._inner: list[float] = []

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Count what happens inside to a stage."""
        started = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            taken = time.perf_counter() - started
            self._taken[stage] = self._taken.get(stage, 0.0) + taken - self._inner.pop()
            if self._inner:
                self._inner[-1] += taken

    @property
    def taken_ms(self) -> dict[str, float]:
        """Milliseconds by stage, in the order in which they come; stages that were not reached are left out."""
        return {stage: self._taken[stage] * 1000 for stage in STAGES if stage in self._taken}
