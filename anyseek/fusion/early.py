"""The seam: several vectors of one space, what each of them is, and what makes one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from ..types import Modality

__all__ = ["EarlyFusion", "Fused", "Pieces"]


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What is to become one: the parts of a query, the sides of a film, a picture and its caption.

    Attributes:
        vectors: (n, dim) float32 unit rows, n of at least 1.
        weights: n numbers, not all 0; a negative one pushes away.
        modalities: n of them: what each piece is. What is itself mixed counts as what most of it is.
        fingerprint: Of the space that they lie in; a fusion that was trained knows its own.
    """

    vectors: np.ndarray
    weights: tuple[float, ...]
    modalities: tuple[Modality, ...]
    fingerprint: str = ""


class Fused(NamedTuple):
    """Several vectors as one.

    Attributes:
        vector: (dim,) float32 unit vector.
        shares: How much of each is in it: for a linear fusion, the sum of shares times vectors is that vector. One that is not linear gives
            the shares that come nearest to it; they tell what is chance, and explain.
    """

    vector: np.ndarray
    shares: tuple[float, ...]


@runtime_checkable
class EarlyFusion(Protocol):
    """Makes one vector of several, before anything is looked up. The order of the pieces makes no difference."""

    @property
    def name(self) -> str:
        """For people and for files."""

    @property
    def with_parts(self) -> bool:
        """Whether the parts of a query are looked up one by one, too: to say how relevant the best is, and what is pushed away.

        Otherwise the joined vector decides by itself, and has what pushes away in it.
        """

    def fuse(self, pieces: Pieces) -> Fused:
        """Join vectors. One piece alone, whatever its modality, stays what it is.

        Raises:
            BadQuery: The pieces cancel each other out, or the fusion was trained and not for their space.
        """
