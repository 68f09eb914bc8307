"""A linear map in closed form: towards what it begins with, held in place where nothing is to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["PENALTIES", "AnchoredRidge", "Regression"]

PENALTIES = tuple(10.0**power for power in np.arange(-4, 2.5, 0.5))
"""Tried for λ, each times the mean eigenvalue of the scatter, so that they mean the same in every space."""


class Regression(NamedTuple):
    """What is to be mapped where.

    Attributes:
        x: (n, d).
        y: (n, e).
        weights: (n,) above 0.
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class AnchoredRidge:
    """W that makes Σ w‖xW - y‖² + λ‖W - W₀‖² + μ‖A(W - W₀)‖² smallest.

    λ draws the map towards W₀ (A. Hoerl and R. Kennard, Technometrics 12, 1970, with the origin moved there); μ keeps the anchors where W₀
    takes them, so that what was not taught does not move. With D = W - W₀ it is (XᵀΩX + λI + μAᵀA) D = XᵀΩ(Y - XW₀).

    Args:
        data: What is to be mapped where.
        origin: W₀, (d, e): the identity, or the map that was there before.
        anchors: A, (a, d).
    """

    data: Regression
    origin: np.ndarray
    anchors: np.ndarray

    def penalty(self, relative: float) -> float:
        """λ for a number of mean eigenvalues of the scatter."""
        x, weights = np.asarray(self.data.x, np.float64), np.asarray(self.data.weights, np.float64)
        return float(relative * (weights[:, None] * x**2).sum() / x.shape[1])

    def anchoring(self, relative: float) -> float:
        """μ with which all anchors together count so many times as much as all that is to be mapped."""
        return float(relative * self.data.weights.sum() / max(1, len(self.anchors)))

    def solve(self, penalty: float, anchoring: float) -> np.ndarray:
        """W, (d, e) float64.

        Args:
            penalty: λ, above 0.
            anchoring: μ, from 0 on.
        """
        x, residual, weighted = self._parts()
        return np.asarray(self.origin + np.linalg.solve(self._normal(weighted, x, penalty, anchoring), weighted.T @ residual))

    def left_out_error(self, penalty: float, anchoring: float) -> float:
        """The weighted mean squared length of the error at a row that was left out, for all rows at the cost of one solution.

        The error at a row without it is that with it divided by 1 - h, its share in its own place (D. Allen, Technometrics 16, 1974).
        """
        x, residual, weighted = self._parts()
        inverse_on_x = np.linalg.solve(self._normal(weighted, x, penalty, anchoring), weighted.T)
        own = np.einsum("nd,dn->n", x, inverse_on_x)
        errors = (residual - x @ (inverse_on_x @ residual)) / (1 - own)[:, None]
        return float(np.average((errors**2).sum(axis=1), weights=self.data.weights))

    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = np.asarray(self.data.x, np.float64)
        weighted = np.asarray(self.data.weights, np.float64)[:, None] * x
        return x, np.asarray(self.data.y, np.float64) - x @ self.origin, weighted

    def _normal(self, weighted: np.ndarray, x: np.ndarray, penalty: float, anchoring: float) -> np.ndarray:
        anchors = np.asarray(self.anchors, np.float64)
        return np.asarray(weighted.T @ x + penalty * np.eye(x.shape[1]) + anchoring * (anchors.T @ anchors))
