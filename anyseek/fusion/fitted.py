"""Weights of modalities that were fitted on pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..errors import BadQuery
from ..types import Modality
from .early import Fused, Pieces
from .mean import summed

__all__ = ["TRAIN", "FittedWeights", "FusionWeights"]

TRAIN = "train one with  anyseek train … --method fusion, or join by mean or agreement"


@dataclass(frozen=True, eq=False)
class FusionWeights:
    """How much each modality counts in one space.

    Args:
        by_modality: On the simplex: none below 0, and together 1.

    Raises:
        ValueError: They are not.
    """

    by_modality: Mapping[Modality, float]

    def __post_init__(self) -> None:
        values = list(self.by_modality.values())
        if not all(math.isfinite(value) and value >= 0 for value in values) or not math.isclose(sum(values), 1.0, abs_tol=1e-4):
            raise ValueError(f"{values} are no weights on the simplex: none may be below 0, and together they must be 1")

    def of(self, modality: Modality) -> float:
        """How much a modality counts; one that nothing was learnt of counts as much as the others on the average."""
        return self.by_modality.get(modality, 1 / len(self.by_modality))

    def arrays(self) -> dict[str, np.ndarray]:
        """What is kept in a file: () float32 by the modality's name."""
        return {str(modality): np.asarray(weight, np.float32) for modality, weight in self.by_modality.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Undo `arrays`.

        Raises:
            ValueError: They are no weights.
        """
        if any(np.shape(array) != () for array in arrays.values()):
            raise ValueError("a weight is one number")
        return cls({Modality(name): float(array) for name, array in arrays.items()})


@dataclass(frozen=True)
class FittedWeights:
    """The mean of unit vectors by their weights times those of their modalities, renormalised.

    Where none of the modalities that are there counts at all, the pieces' own weights decide.

    Attributes:
        fitted: By the fingerprint of the space.
    """

    name: ClassVar[str] = "weighted"
    with_parts: ClassVar[bool] = True
    fitted: Mapping[str, FusionWeights]

    def fuse(self, pieces: Pieces) -> Fused:
        """Join vectors."""
        found = self.fitted.get(pieces.fingerprint)
        if found is None:
            raise BadQuery(f"no weights were fitted for this model: {TRAIN}")
        weights = tuple(weight * found.of(modality) for weight, modality in zip(pieces.weights, pieces.modalities, strict=True))
        return summed(pieces, weights if any(weights) else pieces.weights)
