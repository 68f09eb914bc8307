"""An exact index in plain NumPy, for machines without FAISS and for small numbers of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from .protocol import Floats, Halves, Ids
from .ranking import checked_queries
from .scan import search_rows
from .slots import Slots, checked_addition

__all__ = ["NumpyIndex"]

COMPACT_SHARE = 0.5


class NumpyIndex:
    """Rows of halves, multiplied chunk by chunk in single precision. Adding does not disturb searches under way either."""

    backend: ClassVar[str] = "numpy"

    def __init__(self, dim: int) -> None:
        self._rows: tuple[Slots, Halves] = (Slots.of(np.empty(0, np.int64)), np.empty((0, dim), "<f2"))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._rows[1].shape[1])

    @property
    def device(self) -> str:
        """Where it is searched."""
        return "cpu"

    def __len__(self) -> int:
        return self._rows[0].count

    def ids(self) -> Ids:
        """The ids that can be found, ascending."""
        return self._rows[0].ids()

    def vectors(self, ids: Ids) -> Halves:
        """The vectors of some ids as they are kept."""
        slots, halves = self._rows
        found: Halves = halves[slots.rows_in_order(ids)]
        return found

    def add(self, ids: Ids, vectors: npt.NDArray[np.floating]) -> None:
        """Add vectors under new ids."""
        slots, halves = self._rows
        ids, added = checked_addition(slots, self.dim, ids, vectors)
        self._rows = slots.plus(ids), np.concatenate([halves, added])

    def remove(self, ids: Ids) -> int:
        """Remove vectors."""
        slots, halves = self._rows
        rows = slots.rows_of(np.asarray(ids, np.int64))
        slots = slots.minus(rows)
        if slots.count < COMPACT_SHARE * len(halves):
            slots, halves = Slots.of(slots.row_ids[slots.alive]), halves[slots.alive]
        self._rows = slots, halves
        return len(rows)

    def search(self, queries: Floats, k: int, *, allowed: Ids | None = None) -> tuple[Floats, Ids]:
        """Find the nearest vectors."""
        slots, halves = self._rows
        queries = checked_queries(queries, halves.shape[1], k)
        rows = np.flatnonzero(slots.alive) if allowed is None else slots.rows_of(np.asarray(allowed, np.int64))
        return search_rows(queries, halves, slots.row_ids, rows, k)

    def save(self, path: Path) -> None:
        """Write ids and vectors as two arrays in NumPy's own format, one behind the other."""
        slots, halves = self._rows
        with path.open("wb") as file:
            _write_array(file, slots.row_ids[slots.alive])
            _write_array(file, halves[slots.alive])

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with path.open("rb") as file:
            try:
                ids, halves = np.load(file, allow_pickle=False), np.load(file, allow_pickle=False)
            except (EOFError, ValueError) as exc:
                raise ValueError(f"{path} is no index, or a part of one ({exc})") from exc
        if ids.dtype != np.int64 or halves.dtype != np.dtype("<f2") or halves.ndim != 2 or ids.shape != halves.shape[:1]:
            raise ValueError(f"{path} does not hold ids and vectors")
        index = cls(halves.shape[1])
        index._rows = Slots.of(ids), halves
        return index


def _write_array(file: IO[bytes], array: npt.NDArray[Any]) -> None:
    """As `np.save`, which loses the reason when the disk is full (tests/e2e/test_full_disk.py)."""
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    file.write(np.ascontiguousarray(array).data)
