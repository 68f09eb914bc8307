"""From raw cosine to relevance: the seam at which scores of different kinds are made comparable."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from ..storage.vectors.protocol import Ids
from ..types import Modality
from .backgrounds import FURTHEST, Backgrounds, Chance, Origin
from .calibration import Curve
from .calibrations import Calibrations
from .hubs import Hubs
from .probe import Probe, Side
from .timings import Stopwatch

__all__ = ["DEFAULT_CUT", "Calibrated", "PlainCosine", "Relevance", "log_odds", "relevance_of"]

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

    A score is the log-odds of being relevant, see `relevance_of`. It rises with the corrected cosines of one probe and one modality.

    Attributes:
        cut: The relevance below which a hit is not shown unless told otherwise.
        tolerance: How far apart two scores may be and yet say the same.
    """

    cut: float
    tolerance: float

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
    tolerance = 0.0  # half of all cosines lie within a log-odds of each other

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


class Calibrated:
    """Scores by how many deviations a cosine lies above what queries of its sort get by chance, on a curve; see `Backgrounds`.

    A query of several sides is a sum of shares times unit vectors u. By chance, its cosine has the mean of its sides' means by their
    shares and, where d are the sides' deviations, the deviation |Σ share·d·u|: what the sides have in common adds up, what they have not
    does so as for independent quantities. That supposes that vectors spread alike in all directions, and gives d itself where all sides
    are of one sort. What is taken off for hubs is taken off the cosines of its texts, and so counts by their shares. Its curve lies
    between those of the sides that it is drawn to. What is WHOLE has, where it was not measured, the one among those of other modalities
    that asks for most.

    Args:
        backgrounds: What queries get by chance.
        hubs: What is taken off.
        calibrations: The curves; where there is none the background says where chance ends.
    """

    cut = DEFAULT_CUT
    tolerance = 1.0

    def __init__(self, backgrounds: Backgrounds, hubs: Hubs, calibrations: Calibrations) -> None:
        self.backgrounds = backgrounds
        self.hubs = hubs
        self.calibrations = calibrations

    def corrections(self, probe: Probe, ids: Ids, watch: Stopwatch) -> np.ndarray | None:
        """What is taken off for hubs, by the share of the probe's texts."""
        share = _share_of_texts(probe)
        taken = self.hubs.taken(probe.space, ids, watch) if share else None
        return None if taken is None else np.asarray(share * taken)

    def least_correction(self, probe: Probe, watch: Stopwatch) -> float:
        """The least of them."""
        share = _share_of_texts(probe)
        return min(share * bound for bound in self.hubs.bounds(probe.space, watch)) if share else 0.0

    def standard(self, corrected: np.ndarray, probe: Probe, modality: Modality, watch: Stopwatch) -> np.ndarray:
        """How many deviations corrected cosines lie above chance, (n,) float64; the arguments are those of `scores`."""
        mean, deviation = self._chance(probe, modality, watch)
        return np.asarray((np.asarray(corrected, np.float64) - mean) / deviation)

    def scores(self, corrected: np.ndarray, probe: Probe, modality: Modality, watch: Stopwatch) -> np.ndarray:
        """Standardise the cosines and put them on the probe's curve."""
        curve = self._curve(probe, modality, watch)
        measured = curve.steepness * (self.standard(corrected, probe, modality, watch) - curve.middle)
        return np.asarray(measured + probe.lifts.get(modality, 0.0))

    def _chance(self, probe: Probe, modality: Modality, watch: Stopwatch) -> Chance:
        found = [(side, self.backgrounds.of(probe.space, modality, side.origin, watch)) for side in probe.sides]
        mean = sum(side.share * background.mean for side, background in found)
        spread = sum(side.share * background.deviation * side.vector for side, background in found)
        least = min(background.deviation for _, background in found)  # sides that pull apart may leave next to nothing
        return Chance(mean, max(float(np.linalg.norm(spread)), least))

    def _curve(self, probe: Probe, modality: Modality, watch: Stopwatch) -> Curve:
        weights = [max(side.share, 0.0) for side in probe.sides]
        weights = weights if sum(weights) > 0 else [1.0] * len(probe.sides)
        curves = [self._curve_of(probe, side, modality, watch) for side in probe.sides]
        middle, steepness = np.average([[curve.middle, curve.steepness] for curve in curves], axis=0, weights=weights)
        return Curve(float(middle), float(steepness))

    def _curve_of(self, probe: Probe, side: Side, modality: Modality, watch: Stopwatch) -> Curve:
        background = self.backgrounds.of(probe.space, modality, side.origin, watch)
        curves = self.calibrations.of(probe.space).curves
        measured = curves.get((side.origin.modality, modality))
        if measured is None and modality is Modality.WHOLE:  # as demanding as the most demanding of what it is joined of
            of_sides = [curve for (asked, _), curve in curves.items() if asked is side.origin.modality]
            measured = max(of_sides, key=lambda curve: curve.middle, default=None)
        if measured is None or side.origin.source is not None:
            return Curve(background.middle, background.steepness)
        if side.origin.modality is Modality.TEXT:
            return measured
        alike = FURTHEST * (1 - background.mean) / background.deviation  # what is the same is relevant, however narrow the library
        return replace(measured, middle=min(measured.middle, alike))


def _share_of_texts(probe: Probe) -> float:
    """How much of a probe is made of texts that its space understands itself: captions say nothing about hubs of other queries."""
    return float(sum(side.share for side in probe.sides if side.origin == Origin(Modality.TEXT)))
