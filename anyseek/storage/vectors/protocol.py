"""What every vector index does. `tests/contract/test_vector_indexes.py` holds all of them to it against brute force."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Halves", "Ids", "VectorIndex"]

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]


class VectorIndex(Protocol):
    """Vectors under ids, searched by inner product.

    Vectors are unit rows and are kept as 16-bit floats. Any number of threads may search, and one may remove meanwhile; `add` must
    have the index to itself unless an implementation says otherwise.

    Attributes:
        backend: Short name, as it stands in manifests.
        dim: Length of a vector.
        device: Where it is searched, ``cpu`` or ``gpu``. Its files are the same, and so are its answers.
    """

    backend: ClassVar[str]

    def __init__(self, dim: int) -> None: ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def device(self) -> str:
        """Where it is searched."""
        ...

    def __len__(self) -> int:
        """Count the vectors that can be found."""
        ...

    def ids(self) -> Ids:
        """The ids of the vectors that can be found, ascending."""
        ...

    def vectors(self, ids: Ids) -> Halves:
        """The (n, dim) vectors of some ids, in their order, as they are kept.

        Raises:
            LookupError: One of them is not in the index.
        """
        ...

    def add(self, ids: Ids, vectors: npt.NDArray[np.floating]) -> None:
        """Add vectors.

        Args:
            ids: (n,) int64, not negative, none of them in the index.
            vectors: (n, dim), unit rows.

        Raises:
            ValueError: An id is there already, or twice, or a vector is not finite, or shapes differ. Nothing was added.
        """
        ...

    def remove(self, ids: Ids) -> int:
        """Remove vectors; ids that are not there are passed over. Returns how many were removed."""
        ...

    def search(self, queries: Floats, k: int, *, allowed: Ids | None = None) -> tuple[Floats, Ids]:
        """Find the nearest vectors.

        The answer is exact, and the same in every implementation to the last bit: the best candidates are scored anew in double
        precision, and of equal scores the lower id comes first.

        Args:
            queries: (q, dim) float32.
            k: How many.
            allowed: Only these ids; an empty array allows none. Ids that are not in the index are passed over.

        Returns:
            Scores (q, k), higher is better, and ids (q, k); where there are fewer, -inf and -1.
        """
        ...

    def save(self, path: Path) -> None:
        """Write the index to a file. It is neither atomic nor brought to the disk: see `anyseek.storage.files`."""
        ...

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an index that `save` wrote.

        Raises:
            ValueError: The file holds something else. Damage in it is not noticed: the format has no checksum.
        """
        ...
