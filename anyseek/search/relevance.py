"""From raw cosine to relevance: the seam at which scores of different kinds are made comparable."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from ..storage.vectors.protocol import Ids
from ..types import Modality
from .backgrounds import Backgrounds
from .probe import Probe
from .timings import Stopwatch

__all__ = ["DEFAULT_CUT", "PlainCosine", "Relevance", "StandardScores", "log_odds", "relevance_of"]

DEFAULT_CUT = 0.5
"""The relevance from which on a hit is shown unless told otherwise: as likely right as not."""


def relevance_of(score: float) -> float:
    """The relevance in [0, 1] of a score: the logistic function of its log-odds."""
    return 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))


def log_odds(relevance: np.ndarray) -> np.ndarray:
    """Undo `relevance_of`; what is 0 or 1 stays finite."""
    held = np.clip(np.asarray(relevance, np.float64), 1e-12, 1 - 1e-12)
    return np.asarray(np.log(held) - np.log1p(-held))


class Relevance(Protocol):
    """Turns cosines into scores that may be ranked in one list, whatever space, kind of query and modality they come from.

    A score is the log-odds of being relevant, see `relevance_of`. Among the corrected cosines of one probe and one modality the order stays.

    Attributes:
        cut: The relevance below which a hit is not shown unless told otherwise.
    """

    cut: float

    def corrections(self, probe: Probe, ids: Ids, watch: Stopwatch) -> np.ndarray | None:
        """What is to be taken off the cosines of the probe's vector with some embeddings of its space: what hubs have by chance.

        Args:
            probe: What was asked there.
            ids: (n,) embeddings.
            watch: Counts the time.

        Returns:
            (n,) float32; None where nothing is taken off in this space.
        """

    def least_correction(self, probe: Probe, watch: Stopwatch) -> float:
        """The smallest correction that any embedding of the probe's space has: 0 where there are none."""

    def scores(self, corrected: np.ndarray, probe: Probe, modality: Modality, watch: Stopwatch) -> np.ndarray:
        """Score segments.

        Args:
            corrected: (n,) cosines of the probe's vector with segments of its space, less the corrections.
            probe: What was asked there.
            modality: What all of these segments are.
            watch: Counts the time.

        Returns:
            (n,) float64 log-odds of being relevant.
        """


class PlainCosine:
    """Scores in the order of the cosines themselves, with nothing made comparable: what calibration is measured against."""

    cut = 0.0

    def corrections(self, probe: Probe, ids: Ids, watch: Stopwatch) -> np.ndarray | None:
        """Take nothing off."""
        del probe, ids, watch
        return None

    def least_correction(self, probe: Probe, watch: Stopwatch) -> float:
        """Nothing."""
        del probe, watch
        return 0.0

    def scores(self, corrected: np.ndarray, probe: Probe, modality: Modality, watch: Stopwatch) -> np.ndarray:
        """Map cosines from [-1, 1] to relevances in [0, 1] in a straight line."""
        del probe, modality, watch
        return log_odds((1 + np.asarray(corrected, np.float64)) / 2)


class StandardScores:
    """Scores that rise with how many deviations a cosine lies above what a query of its sort gets by chance, see `Backgrounds`.

    A query of several sides is a sum of shares times unit vectors u. By chance, its cosine has the mean of its sides' means by their
    shares and, where d are the sides' deviations, the deviation |Σ share·d·u|: what the sides have in common adds up, what they have not
    does so as for independent quantities. That supposes that vectors spread alike in all directions, and gives d itself where all sides
    are of one sort.
    """

    cut = DEFAULT_CUT

    def __init__(self, backgrounds: Backgrounds) -> None:
        self.backgrounds = backgrounds

    def corrections(self, probe: Probe, ids: Ids, watch: Stopwatch) -> np.ndarray | None:
        """Take nothing off."""
        del probe, ids, watch
        return None

    def least_correction(self, probe: Probe, watch: Stopwatch) -> float:
        """Nothing."""
        del probe, watch
        return 0.0

    def scores(self, corrected: np.ndarray, probe: Probe, modality: Modality, watch: Stopwatch) -> np.ndarray:
        """Standardise the cosines."""
        found = [(side, self.backgrounds.of(probe.space, modality, side.origin, watch)) for side in probe.sides]
        mean = sum(side.share * background.mean for side, background in found)
        spread = sum(side.share * background.deviation * side.vector for side, background in found)
        least = min(background.deviation for _, background in found)  # sides that pull apart may leave next to nothing
        standard = (corrected - mean) / max(float(np.linalg.norm(spread)), least)
        return np.asarray(STEEPNESS * (standard - MIDDLE), np.float64)


STEEPNESS = 1.5  # of the curve until it is measured per space
MIDDLE = 3.0
