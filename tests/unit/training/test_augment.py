"""Changed vectors stay unit vectors, keep their class, and come from the generator alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairing import rows

from anyseek.training.augment import Augmentation, mixed, noisy

GENERATOR = np.random.default_rng


def test_noise() -> None:
    vectors = rows(GENERATOR(0), 500, 64)
    moved = noisy(vectors, GENERATOR(1))
    cosines = (vectors * moved).sum(axis=1)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, rtol=1e-6)
    assert cosines.mean() == pytest.approx(1 / np.sqrt(1.01), abs=1e-3)
    np.testing.assert_array_equal(moved, noisy(vectors, GENERATOR(1)))
    np.testing.assert_allclose(noisy(vectors, GENERATOR(1), 0), vectors, rtol=1e-6)


def test_mixed_with_the_only_partner_by_hand() -> None:
    """Two targets of one class at 0° and 60°: each moves towards the other by half the way at most; a third class stays."""
    targets = np.array([[1, 0], [0.5, 0.75**0.5], [0.5, 0.75**0.5]], np.float32)
    together = np.array([[True, True, False], [False, False, True]])
    found = mixed(targets, together, GENERATOR(0), share=1)
    angles = np.degrees(np.arctan2(found[:, 1], found[:, 0]))
    assert 0 < angles[0] <= 30 < angles[1] < 60
    np.testing.assert_array_equal(found[2], targets[2])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)


def test_what_lies_far_apart_is_not_mixed() -> None:
    targets = np.array([[1, 0], [0.49, (1 - 0.49**2) ** 0.5]], np.float32)
    np.testing.assert_array_equal(mixed(targets, np.ones((1, 2), bool), GENERATOR(0), share=1), targets)


def test_what_answers_other_queries_too_is_of_another_class() -> None:
    targets = np.tile(np.array([[1, 0]], np.float32), (2, 1)) + np.array([[0, 0], [0, 0.1]], np.float32)
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    together = np.array([[True, True], [False, True]])
    np.testing.assert_array_equal(mixed(targets, together, GENERATOR(0), share=1), targets)
    np.testing.assert_array_equal(mixed(targets, np.zeros((2, 2), bool), GENERATOR(0), share=1), targets)


@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(0, 12))
def test_mixed_vectors_lie_between_those_of_their_class(seed: int, asked: int, count: int) -> None:
    generator = GENERATOR(seed)
    targets = rows(generator, count, 3)
    together = generator.random((asked, count)) < 0.4
    found = mixed(targets, together, GENERATOR(seed), share=1, least=-0.5)
    np.testing.assert_array_equal(found, mixed(targets, together, GENERATOR(seed), share=1, least=-0.5))
    for row in range(count):
        own = [other for other in range(count) if (together[:, other] == together[:, row]).all() and together[:, row].any()]
        if np.array_equal(found[row], targets[row]):
            continue
        between = [
            other
            for other in own
            if other != row and abs(np.linalg.det(np.stack([found[row], targets[row], targets[other]]).astype(np.float64))) < 1e-5
        ]
        assert between
        assert any(found[row] @ targets[row] >= found[row] @ targets[other] - 1e-5 for other in between)


def test_each_can_be_switched_off() -> None:
    queries, targets = rows(GENERATOR(0), 1), np.tile(rows(GENERATOR(1), 1), (2, 1)) + np.array([[0], [0.2]], np.float32)
    targets = np.asarray(targets / np.linalg.norm(targets, axis=1, keepdims=True), np.float32)
    together = np.ones((1, 2), bool)
    for mixing, noise in ((True, True), (True, False), (False, True), (False, False)):
        changes = [Augmentation(mixing, noise)(queries, targets, together, GENERATOR(seed)) for seed in range(20)]
        assert any((one[0] != queries).any() for one in changes) == noise
        assert any((one[1] != targets).any() for one in changes) == mixing
