"""Maps against what a person computes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from adapting import moved

from anyseek.adapters.maps import LinearMap, ResidualMap, map_from

AXES = np.eye(3, dtype=np.float32)


def _residual(up: np.ndarray) -> ResidualMap:
    return ResidualMap(np.ones((8, 2), np.float32), np.zeros(2, np.float32), up)


def test_a_linear_map_is_a_product_made_a_unit_row() -> None:
    weights = np.array([[2, 0, 0], [0, 0, 3], [0, 4, 3]], np.float32)
    mapped = LinearMap(weights).apply(AXES)
    np.testing.assert_allclose(mapped, [[1, 0, 0], [0, 0, 1], [0, 0.8, 0.6]], atol=1e-7)
    assert mapped.dtype == np.float32


def test_a_residual_map_adds_what_the_key_leads_to_that_a_row_is_near_to() -> None:
    down = np.array([[0], [1], [0]], np.float32)
    up = np.array([[0, 0, 2]], np.float32)
    rows = np.array([[1, 0, 0], [0, 1, 0], [0.8, 0.6, 0], [0, -1, 0]], np.float32)
    mapped = ResidualMap(down, np.array([-0.5], np.float32), up).apply(rows)
    length = math.sqrt(1 + 0.2**2)  # 0.6 comes 0.1 nearer than it must, which counts twice
    np.testing.assert_allclose(
        mapped, [[1, 0, 0], [0, 0.5**0.5, 0.5**0.5], [0.8 / length, 0.6 / length, 0.2 / length], [0, -1, 0]], atol=1e-7
    )


def test_an_untrained_map_changes_nothing() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 8))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    for untrained in (LinearMap(np.eye(8, dtype=np.float32)), _residual(np.zeros((2, 8), np.float32))):
        np.testing.assert_allclose(untrained.apply(rows), rows, atol=1e-7)
        assert untrained.apply(rows[:0]).shape == (0, 8)


def test_a_row_of_which_nothing_is_left_stays_what_it_is() -> None:
    weights = AXES.copy()
    weights[1] = 0
    np.testing.assert_array_equal(LinearMap(weights).apply(AXES), AXES)


def test_a_row_gets_the_same_in_whatever_company() -> None:
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(300, 64))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    weights = draw.normal(size=(64, 64)).astype(np.float32)
    whole = LinearMap(weights).apply(rows)
    np.testing.assert_array_equal(np.concatenate([LinearMap(weights).apply(row[None]) for row in rows]), whole)


def test_maps_are_known_by_their_arrays() -> None:
    for known in (LinearMap(moved({4: 0})), _residual(np.ones((2, 8), np.float32))):
        again = map_from(known.arrays())
        assert type(again) is type(known)
        assert {name: array.tolist() for name, array in again.arrays().items()} == {n: a.tolist() for n, a in known.arrays().items()}
    for wrong in (
        {},
        {"weights": np.ones((2, 3), np.float32)},
        _residual(np.ones((3, 8), np.float32)).arrays(),
        {"up": np.ones(8, np.float32)},
    ):
        with pytest.raises(ValueError, match="these are not the arrays of a"):
            map_from(wrong)
