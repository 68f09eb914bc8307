"""Maps of vectors within one space: what a linear or a low-rank adapter does to a row, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np

__all__ = ["LinearMap", "ResidualMap", "VectorMap", "map_from"]

SHORTEST = 1e-6


class VectorMap(Protocol):
    """Takes unit vectors of a space to other unit vectors of it."""

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Map vectors.

        It is computed in double precision, so that a row gets the same in whatever company. A row of which the map leaves nothing stays
        what it is.

        Args:
            vectors: (n, dim) float32 unit rows.

        Returns:
            (n, dim) float32 unit rows.
        """

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it has learnt, float32."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same map again.

        Raises:
            ValueError: Those are not what `arrays` gave.
        """


@dataclass(frozen=True, eq=False)
class LinearMap:
    """unit(x W): as little as that is what most vocabularies need, and it begins as the identity.

    Attributes:
        weights: (dim, dim) float32.
    """

    weights: np.ndarray

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Map vectors; see `VectorMap.apply`."""
        return _unit(np.asarray(vectors, np.float64) @ self._wide, vectors)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it has learnt."""
        return {"weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same map again; see `VectorMap.from_arrays`."""
        if set(arrays) != {"weights"} or arrays["weights"].ndim != 2 or len(set(arrays["weights"].shape)) != 1:
            raise ValueError("these are not the arrays of a linear map")
        return cls(arrays["weights"])

    @cached_property
    def _wide(self) -> np.ndarray:
        return self.weights.astype(np.float64)


@dataclass(frozen=True, eq=False)
class ResidualMap:
    """unit(x + relu(x D + b) U): what comes near to a key, a column of D, gets that key's row of U; nothing else is moved.

    It begins as no change at all, with U of 0 (a residual adapter as CLIP-Adapter's, P. Gao et al., 2021, with keys as Tip-Adapter's,
    R. Zhang et al., ECCV 2022).

    Attributes:
        down: D, (dim, rank) float32.
        bias: b, (rank,) float32; minus how near a vector must come to a key.
        up: U, (rank, dim) float32.
    """

    down: np.ndarray
    bias: np.ndarray
    up: np.ndarray

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Map vectors; see `VectorMap.apply`."""
        rows = np.asarray(vectors, np.float64)
        down, up = self._wide
        return _unit(rows + np.maximum(rows @ down + self.bias, 0.0) @ up, vectors)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it has learnt."""
        return {"down": self.down, "bias": self.bias, "up": self.up}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same map again; see `VectorMap.from_arrays`."""
        shapes = {name: array.shape for name, array in arrays.items()}
        rank, dim = shapes.get("up", (0, 0)) if len(shapes.get("up", ())) == 2 else (0, 0)
        if shapes != {"down": (dim, rank), "bias": (rank,), "up": (rank, dim)}:
            raise ValueError("these are not the arrays of a residual map")
        return cls(arrays["down"], arrays["bias"], arrays["up"])

    @cached_property
    def _wide(self) -> tuple[np.ndarray, np.ndarray]:
        return self.down.astype(np.float64), self.up.astype(np.float64)


def map_from(arrays: Mapping[str, np.ndarray]) -> VectorMap:
    """The map whose arrays these are.

    Raises:
        ValueError: They are of none.
    """
    return LinearMap.from_arrays(arrays) if "weights" in arrays else ResidualMap.from_arrays(arrays)


def _unit(mapped: np.ndarray, before: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(mapped, axis=1, keepdims=True)
    return np.where(lengths < SHORTEST, before, mapped / np.maximum(lengths, SHORTEST)).astype(np.float32)
