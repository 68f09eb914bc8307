"""The closed form against scikit-learn, against plain least squares on stacked rows, and against leaving rows out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from anyseek.training.ridge import AnchoredRidge, Regression


@pytest.fixture
def chance():
    return np.random.default_rng(0)


def some(chance: np.random.Generator, *, e: int = 6) -> AnchoredRidge:
    x, y = chance.standard_normal((20, 6)), chance.standard_normal((20, e))
    origin = np.eye(6) if e == 6 else chance.standard_normal((6, e))
    return AnchoredRidge(Regression(x, y, chance.uniform(0.5, 3, 20)), origin, chance.standard_normal((9, 6)))


@pytest.mark.parametrize("e", [6, 4])
def test_without_anchors_it_is_scikit_learns_ridge_on_what_the_origin_leaves(chance, e):
    ridge = some(chance, e=e)
    x, y, weights = ridge.data
    theirs = Ridge(alpha=0.7, fit_intercept=False, solver="cholesky").fit(x, y - x @ ridge.origin, sample_weight=weights)
    assert ridge.solve(0.7, 0.0) == pytest.approx(ridge.origin + theirs.coef_.T, abs=1e-10)


@pytest.mark.parametrize("e", [6, 4])
def test_with_anchors_it_is_least_squares_on_stacked_rows(chance, e):
    ridge = some(chance, e=e)
    x, y, weights = ridge.data
    root = np.sqrt(weights)[:, None]
    rows = np.concatenate([root * x, np.sqrt(0.7) * np.eye(6), np.sqrt(2.5) * ridge.anchors])
    wanted = np.concatenate([root * y, np.sqrt(0.7) * ridge.origin, np.sqrt(2.5) * ridge.anchors @ ridge.origin])
    assert ridge.solve(0.7, 2.5) == pytest.approx(np.linalg.lstsq(rows, wanted, rcond=None)[0], abs=1e-10)


def test_the_error_at_a_row_left_out_is_that_of_leaving_it_out(chance):
    ridge = some(chance)
    x, y, weights = ridge.data
    errors = []
    for row in range(len(x)):
        others = np.arange(len(x)) != row
        fitted = AnchoredRidge(Regression(x[others], y[others], weights[others]), ridge.origin, ridge.anchors).solve(0.7, 2.5)
        errors.append(((y[row] - x[row] @ fitted) ** 2).sum())
    assert ridge.left_out_error(0.7, 2.5) == pytest.approx(np.average(errors, weights=weights), rel=1e-10)


def test_much_penalty_leaves_the_origin_and_much_anchoring_the_anchors(chance):
    ridge = some(chance)
    assert ridge.solve(1e12, 0.0) == pytest.approx(np.eye(6), abs=1e-9)
    few = AnchoredRidge(ridge.data, np.eye(6), ridge.anchors[:3])
    held = few.solve(0.1, 1e9)
    assert few.anchors @ held == pytest.approx(few.anchors, abs=1e-6)
    assert np.abs(held - np.eye(6)).max() > 0.1


def test_penalties_are_relative_to_the_data(chance):
    ridge = some(chance)
    x, _, weights = ridge.data
    assert ridge.penalty(0.5) == pytest.approx(0.5 * np.linalg.eigvalsh((weights[:, None] * x).T @ x).mean())
    assert ridge.anchoring(2.0) == pytest.approx(2 * weights.sum() / 9)
