"""The fusions by their names: what a user types, and what a library remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .agreement import Agreement
from .early import EarlyFusion
from .fitted import FittedWeights, FusionWeights
from .mean import WeightedMean
from .network import FusionNetwork, NetworkFusion

__all__ = ["EARLY", "Trained", "early_fusion"]


@dataclass(frozen=True)
class Trained:
    """What was trained for the spaces of a library, by their fingerprints.

    Attributes:
        weights: What `FittedWeights` joins by.
        networks: What `NetworkFusion` joins by.
    """

    weights: Mapping[str, FusionWeights] = field(default_factory=dict)
    networks: Mapping[str, FusionNetwork] = field(default_factory=dict)


def _mean(trained: Trained) -> EarlyFusion:
    del trained
    return WeightedMean()


def _agreement(trained: Trained) -> EarlyFusion:
    del trained
    return Agreement()


def _weighted(trained: Trained) -> EarlyFusion:
    return FittedWeights(trained.weights)


def _network(trained: Trained) -> EarlyFusion:
    return NetworkFusion(trained.networks)


EARLY: Mapping[str, Callable[[Trained], EarlyFusion]] = {
    "mean": _mean,
    "agreement": _agreement,
    "weighted": _weighted,
    "network": _network,
}
"""Name → what makes it of what was trained."""


def early_fusion(name: str, trained: Trained | None = None) -> EarlyFusion | None:
    """Look a fusion up by its name; None if there is none of that name that makes one vector of several."""
    make = EARLY.get(name)
    return None if make is None else make(trained or Trained())
