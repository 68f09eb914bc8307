"""A linear map in closed form: towards what it begins with, held in place where nothing is to move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["PENALTIES", "AnchoredRidge", "Regression"]

PENALTIES = tuple(10.0**power for power in np.arange(-4, 2.5, 0.5).tolist())
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


class AnchoredRidge:
    """W that makes Σ w‖xW - y‖² + λ‖W - W₀‖² + μ‖A(W - W₀)‖² smallest.

    λ draws the map towards W₀ (A. Hoerl and R. Kennard, Technometrics 12, 1970, with the origin moved there); μ keeps the anchors where W₀
    takes them, so that what was not taught does not move. With D = W - W₀ it is (XᵀΩX + λI + μAᵀA) D = XᵀΩ(Y - XW₀). One eigenvalue
    problem serves all λ of a μ.

    Args:
        data: What is to be mapped where.
        origin: W₀, (d, e): the identity, or the map that was there before.
        anchors: A, (a, d).
    """

    def __init__(self, data: Regression, origin: np.ndarray, anchors: np.ndarray) -> None:
        self.data, self.origin, self.anchors = data, origin, anchors
        self._x, held = np.asarray(data.x, np.float64), np.asarray(anchors, np.float64)
        self._residual = np.asarray(data.y, np.float64) - self._x @ origin
        weighted = np.asarray(data.weights, np.float64)[:, None] * self._x
        self._scatter, self._held, self._onto = weighted.T @ self._x, held.T @ held, weighted.T @ self._residual
        self._spectra: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    def penalty(self, relative: float) -> float:
        """λ for a number of mean eigenvalues of the scatter."""
        return float(relative * np.trace(self._scatter) / len(self._scatter))

    def anchoring(self, relative: float) -> float:
        """μ with which all anchors together count so many times as much as all that is to be mapped."""
        return float(relative * self.data.weights.sum() / max(1, len(self.anchors)))

    def solve(self, penalty: float, anchoring: float) -> np.ndarray:
        """W, (d, e) float64.

        Args:
            penalty: λ, above 0.
            anchoring: μ, from 0 on.
        """
        values, axes = self._spectrum(anchoring)
        return np.asarray(self.origin + axes @ ((axes.T @ self._onto) / (values + penalty)[:, None]))

    def left_out_error(self, penalty: float, anchoring: float) -> float:
        """The weighted mean squared length of the error at a row that was left out, for all rows at the cost of one solution.

        The error at a row without it is that with it divided by 1 - h, its share in its own place (D. Allen, Technometrics 16, 1974).
        """
        values, axes = self._spectrum(anchoring)
        along = self._x @ axes
        own = self.data.weights * (along**2 / (values + penalty)).sum(axis=1)
        errors = (self._residual - self._x @ (self.solve(penalty, anchoring) - self.origin)) / (1 - own)[:, None]
        return float(np.average((errors**2).sum(axis=1), weights=self.data.weights))

    def _spectrum(self, anchoring: float) -> tuple[np.ndarray, np.ndarray]:
        if anchoring not in self._spectra:
            values, axes = np.linalg.eigh(self._scatter + anchoring * self._held)
            self._spectra[anchoring] = np.maximum(values, 0.0), axes
        return self._spectra[anchoring]
