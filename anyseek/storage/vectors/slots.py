"""Which id lies in which row of an index, and which rows are still there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .protocol import Halves, Ids

__all__ = ["Slots", "checked_addition"]

DENSE = 8
DENSE_AT_LEAST = 1024

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Slots:
    """An immutable table of rows: changes make a new one, so that searches under way are not disturbed.

    Attributes:
        row_ids: (n,) id of each row, removed ones included.
        alive: (n,) False where a row was removed.
    """

    row_ids: Ids
    alive: Mask

    @classmethod
    def of(cls, ids: Ids) -> Slots:
        """All rows alive."""
        return cls(ids, np.ones(len(ids), np.bool_))

    @cached_property
    def count(self) -> int:
        """How many rows are alive."""
        return int(np.count_nonzero(self.alive))

    @cached_property
    def _by_id(self) -> tuple[Ids, Ids]:
        """Ids of the rows alive, ascending, and their rows."""
        rows = np.flatnonzero(self.alive)
        ids = self.row_ids[rows]
        if len(ids) > 1 and (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids)
            return ids[order], rows[order]
        return ids, rows

    def ids(self) -> Ids:
        """The ids alive, ascending."""
        return self._by_id[0].copy()

    @cached_property
    def _row_by_id(self) -> npt.NDArray[np.int32] | None:
        """The row of every id up to the highest, -1 where there is none; None where ids are so sparse that it would be large."""
        known, rows = self._by_id
        if not len(known) or known[-1] > DENSE * len(known) + DENSE_AT_LEAST:
            return None
        table = np.full(known[-1] + 2, -1, np.int32)  # the last place is for all ids beyond
        table[known] = rows
        return table

    def _find(self, ids: Ids) -> Ids:
        """The rows of some ids, in no particular order, those of unknown ids left out."""
        known, rows = self._by_id
        if not len(known):
            return np.empty(0, np.int64)
        table = self._row_by_id
        if table is not None:
            found: Ids = table[np.minimum(ids, len(table) - 1)].astype(np.int64)
            return found[(found >= 0) & (ids >= 0)]
        places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        there: Ids = rows[places[known[places] == ids]]
        return there

    def rows_of(self, ids: Ids) -> Ids:
        """The rows of some ids, ascending, those of unknown ids left out."""
        if len(ids) > len(self.row_ids) // 16:
            return np.flatnonzero(self.mask_of(ids))
        return np.unique(self._find(ids))

    def rows_in_order(self, ids: Ids) -> Ids:
        """The row of each id; LookupError if one is not there."""
        known, rows = self._by_id
        if not len(ids):
            return np.empty(0, np.int64)
        places = np.minimum(np.searchsorted(known, ids), max(len(known) - 1, 0))
        if not len(known) or (known[places] != ids).any():
            raise LookupError("an id is not in the index")
        found: Ids = rows[places]
        return found

    def mask_of(self, ids: Ids) -> Mask:
        """(n,) True in the rows of some ids."""
        mask = np.zeros(len(self.row_ids), np.bool_)
        mask[self._find(ids)] = True
        return mask

    def plus(self, ids: Ids) -> Slots:
        """With more rows at the end."""
        return Slots(np.concatenate([self.row_ids, ids]), np.concatenate([self.alive, np.ones(len(ids), np.bool_)]))

    def minus(self, rows: Ids) -> Slots:
        """Without some rows."""
        alive = self.alive.copy()
        alive[rows] = False
        return Slots(self.row_ids, alive)


def checked_addition(slots: Slots, dim: int, ids: Ids, vectors: npt.NDArray[np.floating]) -> tuple[Ids, Halves]:
    """Refuse what must not be added; see `VectorIndex.add`. Returns the ids and the vectors as they are kept."""
    ids = np.asarray(ids, np.int64)
    if ids.ndim != 1 or vectors.shape != (len(ids), dim):
        raise ValueError(f"{ids.shape} ids and {vectors.shape} vectors do not fit an index of dimension {dim}")
    if len(ids) and ids.min() < 0:
        raise ValueError(f"id {ids.min()} is negative")
    if len(np.unique(ids)) != len(ids):
        raise ValueError("an id was given twice")
    there = slots.rows_of(ids)
    if len(there):
        raise ValueError(f"id {slots.row_ids[there[0]]} is in the index already")
    halves = np.ascontiguousarray(vectors, "<f2")
    if not np.isfinite(halves).all():
        raise ValueError("a vector is not finite")
    return ids, halves
