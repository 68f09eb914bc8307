"""The bridge by names: what a vector is called on one side is asked for on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..fusion.vectors import mean_length, unit_rows

__all__ = ["LabelBridge"]

ENTRIES = 10
TEMPERATURES = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class LabelBridge:
    """The convex combination of semantic embeddings (ConSE; M. Norouzi et al., ICLR 2014), with texts for labels.

    The `ENTRIES` texts that lie nearest on the source's side, each by the softmax of its cosine over a temperature, give the mean of
    what the target makes of them. All of it is about differences from the centres, see `anyseek.search.bridge`: otherwise a text near the
    centre would be everybody's neighbour.

    Attributes:
        source: (n, d) float32 unit rows, the texts' differences from their centre there.
        source_centre: (d,) float32.
        target: (n, e) float32, the differences of what the target makes of the texts.
        temperature: () float32, the one of `TEMPERATURES` that carries texts best that were left out, by the mean cosine with the
            true differences.
        radius: See `Bridge`.
    """

    source: np.ndarray
    source_centre: np.ndarray
    target: np.ndarray
    temperature: np.ndarray
    radius: np.ndarray
    method: ClassVar[str] = "labels"

    @classmethod
    def fit(cls, source: np.ndarray, target: np.ndarray) -> Self:
        """Choose the temperature; see `Bridge.fit`."""
        centre = source.mean(axis=0)
        differences, goals = unit_rows(source - centre), target - target.mean(axis=0)
        true = unit_rows(goals)
        found = [np.zeros(len(TEMPERATURES))]
        for start in range(0, len(source), BLOCK):
            cosines = differences[start : start + BLOCK] @ differences.T
            rows = np.arange(len(cosines))
            cosines[rows, start + rows] = -np.inf
            nearest = _nearest(cosines)
            for_each = [_carried(*nearest, goals, temperature) for temperature in TEMPERATURES]
            found.append(np.array([(carried * true[start : start + BLOCK]).sum() for carried in for_each]))
        temperature = TEMPERATURES[int(np.argmax(np.sum(found, axis=0)))]
        return cls(np.asarray(differences, np.float32), centre, goals, np.asarray(temperature, np.float32), mean_length(goals))

    def carry(self, vectors: np.ndarray, centre: np.ndarray | None = None) -> np.ndarray:
        """Carry vectors over; see `Bridge.carry`."""
        nearest = _nearest(self._cosines(vectors, centre))
        return np.asarray(_carried(*nearest, self.target, float(self.temperature)), np.float32)

    def explain(self, vector: np.ndarray, texts: Sequence[str], centre: np.ndarray | None = None) -> list[tuple[str, float]]:
        """Say what a vector is taken for.

        Args:
            vector: (d,) float32 unit vector.
            texts: What the bridge was fitted on, n of them.
            centre: As for `carry`.

        Returns:
            Texts with their shares, which sum to 1, the largest first.
        """
        places, cosines = _nearest(self._cosines(vector[None], centre))
        shares = _shares(cosines, float(self.temperature))
        return [(texts[place], float(share)) for place, share in zip(places[0], shares[0], strict=True)]

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it has learnt."""
        return {name: getattr(self, name) for name in ("source", "source_centre", "target", "temperature", "radius")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same bridge again; see `Bridge.from_arrays`."""
        bridge = cls(**arrays)
        if bridge.source.shape != (len(bridge.target), *bridge.source_centre.shape):
            raise ValueError("these are not the arrays of a label bridge")
        return bridge

    def _cosines(self, vectors: np.ndarray, centre: np.ndarray | None) -> np.ndarray:
        return np.asarray(unit_rows(vectors - (self.source_centre if centre is None else centre)) @ self.source.T)


def _nearest(cosines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which texts lie nearest (n, k), the nearest first and of equal ones the first, and their cosines (n, k)."""
    places = np.argsort(-cosines, axis=1, kind="stable")[:, :ENTRIES]
    return places, np.take_along_axis(cosines, places, axis=1)


def _shares(cosines: np.ndarray, temperature: float) -> np.ndarray:
    powers = np.exp((cosines - cosines[:, :1]).astype(np.float64) / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _carried(places: np.ndarray, cosines: np.ndarray, target: np.ndarray, temperature: float) -> np.ndarray:
    return unit_rows(np.einsum("nk,nke->ne", _shares(cosines, temperature), target[places]))
