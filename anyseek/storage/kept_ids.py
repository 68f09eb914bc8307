"""Ids that were asked for a moment ago."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

__all__ = ["KeptIds"]

Ids = npt.NDArray[np.int64]


class KeptIds:
    """Arrays of ids by what was asked, up to so many bytes in all; what was not asked for the longest goes first.

    What is larger than that by itself is kept alone, for it is the answer that takes longest to find.

    Args:
        most_bytes: Of all arrays together.
        most: How many answers, for empty ones take room as well.
    """

    def __init__(self, most_bytes: int, most: int = 1000) -> None:
        self._most_bytes = most_bytes
        self._most = most
        self._kept: OrderedDict[Hashable, Ids] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Ids | None:
        """What was kept under a key; None if nothing is."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, ids: Ids) -> None:
        """Keep an answer, and let go of others until there is room for it."""
        self._kept[key] = ids
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and (len(self._kept) > self._most or self._bytes() > self._most_bytes):
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()

    def _bytes(self) -> int:
        return sum(ids.nbytes for ids in self._kept.values())
