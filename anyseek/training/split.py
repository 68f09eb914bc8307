"""Which pairs are learnt from, which tell when to stop, and which judge: no file, and none nearly like it, is in two of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .examples import Examples

__all__ = ["SHARES", "Split", "split"]

SHARES = (0.7, 0.15, 0.15)
"""For training, validation and test."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The parts. A pair is in one of them at most.

    Attributes:
        train: (e,) bool, what is learnt from.
        validation: (e,) bool, what tells when to stop.
        test: (e,) bool, what judges.
        left_out: Why pairs are in none → how many.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    left_out: Mapping[str, int] = field(default_factory=dict)


def split(examples: Examples, seed: int, shares: Sequence[float] = SHARES) -> Split:
    """Split pairs by groups of near-duplicates."""
    raise NotImplementedError
