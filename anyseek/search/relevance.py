"""From raw cosine to relevance: the seam at which scores of different kinds are made comparable."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..types import Kind

__all__ = ["RawCosine", "Relevance"]


class Relevance(Protocol):
    """Turns cosines into scores that may be ranked in one list."""

    def scores(self, cosines: np.ndarray, kinds: list[Kind]) -> np.ndarray:
        """Score (n,) float32 cosines of segments whose contents are of `kinds`; higher is better."""


class RawCosine:
    """Scores are the cosines themselves: right as long as one space gives all of them."""

    def scores(self, cosines: np.ndarray, kinds: list[Kind]) -> np.ndarray:
        """Give the cosines back."""
        del kinds
        return cosines
