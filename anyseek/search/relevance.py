"""From raw cosine to relevance: the seam at which scores of different kinds are made comparable."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..types import Modality
from .backgrounds import Backgrounds
from .probe import Probe
from .timings import Stopwatch

__all__ = ["RawCosine", "Relevance", "StandardScores"]


class Relevance(Protocol):
    """Turns cosines into scores that may be ranked in one list. Among those of one probe and one modality the order stays.

    Attributes:
        apart: Whether segments of different modalities are looked up apart, because their scores are not in the order of their cosines.
    """

    apart: bool

    def scores(self, cosines: np.ndarray, probe: Probe, modality: Modality | None, watch: Stopwatch) -> np.ndarray:
        """Score segments.

        Args:
            cosines: (n,) float32, those of the probe's vector with segments of its space.
            probe: What was asked there.
            modality: What all of these segments are; None if not `apart`.
            watch: Counts the time.

        Returns:
            (n,), higher is better.
        """


class RawCosine:
    """Scores are the cosines themselves: right as long as one space gives all of them."""

    apart = False

    def scores(self, cosines: np.ndarray, probe: Probe, modality: Modality | None, watch: Stopwatch) -> np.ndarray:
        """Give the cosines back."""
        del probe, modality, watch
        return cosines


class StandardScores:
    """Scores are how many deviations a cosine lies above what a query of its sort gets by chance, see `Backgrounds`.

    A query of several sides is a sum of shares times unit vectors u. By chance, its cosine has the mean of its sides' means by their
    shares and, where d are the sides' deviations, the deviation |Σ share·d·u|: what the sides have in common adds up, what they have not
    does so as for independent quantities. That supposes that vectors spread alike in all directions, and gives d itself where all sides
    are of one sort.
    """

    apart = True

    def __init__(self, backgrounds: Backgrounds) -> None:
        self.backgrounds = backgrounds

    def scores(self, cosines: np.ndarray, probe: Probe, modality: Modality | None, watch: Stopwatch) -> np.ndarray:
        """Standardise the cosines."""
        if modality is None:
            raise ValueError("cosines of several modalities have no common background")
        found = [(side, self.backgrounds.of(probe.space, modality, side.origin, watch)) for side in probe.sides]
        mean = sum(side.share * background.mean for side, background in found)
        spread = sum(side.share * background.deviation * side.vector for side, background in found)
        least = min(background.deviation for _, background in found)  # sides that pull apart may leave next to nothing
        return np.asarray((cosines - mean) / max(float(np.linalg.norm(spread)), least))
