"""The fusions by their names: what a user types, and what a library remembers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

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

    def digest(self, name: str, fingerprint: str) -> str | None:
        """What tells a fusion from others of its name: of what it has learnt for a space.

        Returns:
            Hex digits; empty for a fusion that learns nothing, and None where nothing was learnt for that space.
        """
        if name not in ("weighted", "network"):
            return ""
        found = (self.weights if name == "weighted" else self.networks).get(fingerprint)
        if found is None:
            return None
        seen = hashlib.sha256()
        for field_name, array in sorted(found.arrays().items()):
            seen.update(f"{field_name} {array.shape} ".encode())
            seen.update(np.ascontiguousarray(array, "<f4").tobytes())
        return seen.hexdigest()


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
