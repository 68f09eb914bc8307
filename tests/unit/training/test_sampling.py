"""Balanced drawing and weights: the formula of the paper by hand, shares by hand, epochs counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairing import examples_of

from anyseek.training.problem import Edges
from anyseek.training.sampling import Sampling, capped, class_weights, effective_numbers


def test_effective_numbers_by_hand() -> None:
    """β = 0.9: 1, 1 + 0.9, and (1 - 0.9^10) / 0.1 with 0.9^10 = 0.3486784401."""
    np.testing.assert_allclose(effective_numbers([1, 2, 10], 0.9), [1, 1.9, 6.513215599], rtol=1e-12)
    np.testing.assert_allclose(effective_numbers([1, 2, 10], 0), [1, 1, 1])
    np.testing.assert_allclose(effective_numbers([1, 100, 10**6], 1 - 1e-12), [1, 100, 10**6], rtol=1e-3)
    np.testing.assert_allclose(effective_numbers([10**9], 0.99), [100])


def test_class_weights_by_hand() -> None:
    """1 : 1/1.9 = 1.9 : 1, so of two classes 3.8 / 2.9 and 2 / 2.9."""
    np.testing.assert_allclose(class_weights([1, 2], 0.9), [3.8 / 2.9, 2 / 2.9], rtol=1e-12)
    np.testing.assert_allclose(class_weights([5, 50, 500], 0), [1, 1, 1])


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.sampled_from([0.9, 0.99, 0.999, 0.9999]))
def test_class_weights_add_up_to_the_classes(counts: list[int], beta: float) -> None:
    weights = class_weights(counts, beta)
    assert weights.sum() == pytest.approx(len(counts))
    order = np.argsort(counts, kind="stable")
    assert (np.diff(weights[order]) <= 1e-12).all()


EDGES = Edges.of([0] * 9 + [1] + [2] * 4 + [3, 3], range(16), [True] * 14 + [False] * 2)
SOURCES = np.array([0] * 10 + [1] * 4 + [0, 1])


def test_shares_by_hand() -> None:
    """Nine pairs of a class, one of another, from one source; four of a third class from another; wrong ones are not drawn."""
    plain = Sampling(EDGES, SOURCES, classes=False, sources=False).shares
    np.testing.assert_allclose(plain, [1 / 14] * 14 + [0] * 2)
    roots = np.sqrt([10, 4]) / (np.sqrt(10) + 2)
    np.testing.assert_allclose(Sampling(EDGES, SOURCES, classes=False).shares[:14], [roots[0] / 10] * 10 + [roots[1] / 4] * 4)
    classes = Sampling(EDGES, SOURCES, sources=False).shares
    np.testing.assert_allclose(classes[:14], [10 / 14 * 3 / 4 / 9] * 9 + [10 / 14 / 4] + [4 / 14 / 4] * 4)
    both = Sampling(EDGES, SOURCES).shares
    np.testing.assert_allclose(both[:14], [roots[0] * 3 / 4 / 9] * 9 + [roots[0] / 4] + [roots[1] / 4] * 4)
    alike = Sampling(EDGES, SOURCES, power=0).shares
    np.testing.assert_allclose(alike[:14], [1 / 2 / 2 / 9] * 9 + [1 / 4] + [1 / 2 / 4] * 4)


def test_weights_without_balanced_drawing_are_those_of_the_paper() -> None:
    weights = Sampling(EDGES, SOURCES, classes=False, sources=False).weights(0.9)
    expected = class_weights([9, 1, 4], 0.9)
    drawn = np.array([expected[0]] * 9 + [expected[1]] + [expected[2]] * 4)
    np.testing.assert_allclose(weights[:14], drawn / drawn.mean(), rtol=1e-6)
    np.testing.assert_array_equal(weights[14:], [1, 1])


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_however_pairs_are_drawn_classes_count_by_their_effective_numbers(power: float) -> None:
    sampling = Sampling(EDGES, SOURCES, power=power)
    counted = sampling.shares * sampling.weights(0.9)
    expected = np.array([9, 1, 4]) / effective_numbers([9, 1, 4], 0.9)
    np.testing.assert_allclose(np.bincount(EDGES.query, counted)[:3], expected / expected.sum(), rtol=1e-6)
    assert float((sampling.shares * sampling.weights(0.9)).sum()) == pytest.approx(1)


def test_weights_of_the_pairs_themselves_stay() -> None:
    graded = Edges(EDGES.query, EDGES.target, EDGES.positive, np.arange(1, 17, dtype=np.float32))
    np.testing.assert_allclose(Sampling(graded, SOURCES).weights(), Sampling(EDGES, SOURCES).weights() * np.arange(1, 17), rtol=1e-6)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 2)), max_size=60), st.integers(1, 20), st.booleans(), st.booleans()
)
def test_an_epoch_draws_each_pair_as_often_as_its_share_says(
    pairs: list[tuple[int, bool, int]], size: int, classes: bool, sources: bool
) -> None:
    edges = Edges.of([pair[0] for pair in pairs], range(len(pairs)), [pair[1] for pair in pairs])
    sampling = Sampling(edges, np.array([pair[2] for pair in pairs], np.int64), classes, sources)
    batches = list(sampling.draw(size)(np.random.default_rng(3)))
    again = list(sampling.draw(size)(np.random.default_rng(3)))
    right = int(edges.positive.sum())
    assert [len(batch) for batch in batches] == [size] * (right // size) + [right % size] * (right % size > 0)
    assert all((one == other).all() for one, other in zip(batches, again, strict=True))
    counts = np.bincount(np.concatenate([*batches, np.empty(0, np.int64)]).astype(np.int64), minlength=len(pairs))
    assert (np.abs(counts - right * sampling.shares) < 1 + 1e-6).all()
    assert not counts[~edges.positive].any()


def test_capped() -> None:
    """Ten files nearly the same for one word, two of them for another one, too; a wrong pair stays."""
    edges = [(0, row, True) for row in range(12)] + [(1, 0, True), (1, 1, True), (0, 0, False)]
    examples = examples_of(edges, [7] * 10 + [8, 9])
    mask = np.ones(15, bool)
    kept = capped(examples, mask, 0)
    assert int(kept[:10].sum()) == 3
    assert kept[10:].all()
    np.testing.assert_array_equal(kept, capped(examples, mask, 0))
    assert any((capped(examples, mask, seed) != kept).any() for seed in range(1, 5))
    assert int(capped(examples, mask, 0, most=1)[:10].sum()) == 1
    none = np.zeros(15, bool)
    np.testing.assert_array_equal(capped(examples, none, 0), none)
