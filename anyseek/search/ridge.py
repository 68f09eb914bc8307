"""The linear bridge: the straight map that turns one side's text vectors into the other's with the least error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..fusion.vectors import mean_length, unit_rows

__all__ = ["PENALTIES", "Ridge", "RidgeBridge", "fit_ridge"]

PENALTIES = tuple(10.0**power for power in np.arange(-6, 2.5, 0.5))
"""Tried for λ, each times the mean eigenvalue of the texts' scatter, so that they mean the same in every space."""

NO_VARIANCE = 1e-10


class Ridge(NamedTuple):
    """A fitted map.

    Attributes:
        weights: (d, e) float64.
        penalty: The λ that was chosen.
        errors: For each λ that was tried, the mean squared length of the error at a text that was left out.
    """

    weights: np.ndarray
    penalty: float
    errors: tuple[float, ...]


def fit_ridge(source: np.ndarray, target: np.ndarray) -> Ridge:
    """W that makes ‖XW - Y‖² + λ‖W‖² smallest, with X and Y about their means, in closed form.

    λ is the one of `PENALTIES` with the least error at texts that were left out one by one. That costs one eigenvalue problem for all
    texts and all λ: the error at row i is the error with it divided by 1 - h_ii - 1/n, where h is the diagonal of the hat matrix
    X(XᵀX + λ)⁻¹Xᵀ and 1/n is the mean's share in it (D. Allen, 1974; G. Golub, M. Heath and G. Wahba, Technometrics 21, 1979).

    Args:
        source: (n, d), n of at least 3.
        target: (n, e).
    """
    x, y = (np.asarray(side, np.float64) - np.mean(side, axis=0, dtype=np.float64) for side in (source, target))
    scatter, axes = np.linalg.eigh(x.T @ x)
    varied = scatter > NO_VARIANCE * scatter.max(initial=0.0)
    scatter, axes = scatter[varied], axes[:, varied]
    lengths = np.sqrt(scatter)
    left = x @ axes / lengths
    onto = left.T @ y
    errors = []
    penalties = [penalty * scatter.sum() / x.shape[1] for penalty in PENALTIES]
    for penalty in penalties:
        kept = scatter / (scatter + penalty)
        hat = (left**2) @ kept + 1 / len(x)
        left_out = (y - left @ (kept[:, None] * onto)) / (1 - hat)[:, None]
        errors.append(float((left_out**2).sum(axis=1).mean()))
    best = penalties[int(np.argmin(errors))]
    return Ridge(axes @ ((lengths / (scatter + best))[:, None] * onto), best, tuple(errors))


@dataclass(frozen=True, slots=True, eq=False)
class RidgeBridge:
    """A ridge map between differences, see `anyseek.search.bridge`. It carries in a matrix product.

    Attributes:
        weights: (d, e) float32.
        source_centre: (d,) float32, the mean of the texts there.
        radius: See `Bridge`.
    """

    weights: np.ndarray
    source_centre: np.ndarray
    radius: np.ndarray
    method: ClassVar[str] = "ridge"

    @classmethod
    def fit(cls, source: np.ndarray, target: np.ndarray) -> Self:
        """Fit the map; see `Bridge.fit`."""
        weights = np.asarray(fit_ridge(source, target).weights, np.float32)
        return cls(weights, source.mean(axis=0), mean_length(target - target.mean(axis=0)))

    def carry(self, vectors: np.ndarray, centre: np.ndarray | None = None) -> np.ndarray:
        """Carry vectors over; see `Bridge.carry`."""
        differences = vectors - (self.source_centre if centre is None else centre)
        return np.asarray(unit_rows(differences @ self.weights), np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it has learnt."""
        return {name: getattr(self, name) for name in ("weights", "source_centre", "radius")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same bridge again; see `Bridge.from_arrays`."""
        bridge = cls(**arrays)
        if bridge.weights.ndim != 2 or bridge.source_centre.shape != bridge.weights.shape[:1]:
            raise ValueError("these are not the arrays of a ridge bridge")
        return bridge
