"""The paired bootstrap, against scipy's, against the normal distribution and against what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from anyseek.evaluation.intervals import LEAST_QUERIES, paired_interval

VALUES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=LEAST_QUERIES, max_size=30)


def test_it_is_scipy_s_percentile_interval_up_to_chance() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.random(80), rng.random(80) + 0.05
    interval = paired_interval(before, after, resamples=100_000)
    wanted = bootstrap(
        (before, after),
        lambda one, other, axis: (other - one).mean(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=100_000,
        rng=rng,
    ).confidence_interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((wanted.low, wanted.high), abs=2e-3)
    assert interval.difference == pytest.approx((after - before).mean())


def test_of_many_coins_it_is_the_normal_interval() -> None:
    """300 of 1,000 queries gained, 200 lost: mean 0.1, variance of one (0.5 - 0.1²), so ± 1.96 · √(0.49 / 1000)."""
    differences = np.repeat([1.0, -1.0, 0.0], [300, 200, 500])
    interval = paired_interval(np.zeros(1000), differences)
    assert interval is not None
    half = 1.959964 * np.sqrt(0.49 / 1000)
    assert (interval.low, interval.high) == pytest.approx((0.1 - half, 0.1 + half), abs=2e-3)
    assert interval.is_significant
    assert interval.queries == 1000


def test_as_much_lost_as_gained_is_no_difference() -> None:
    interval = paired_interval([0, 1] * 20, [1, 0] * 20)
    assert interval is not None
    assert interval.difference == 0
    assert interval.low < 0 < interval.high
    assert not interval.is_significant


def test_pairs_count_and_not_their_spread() -> None:
    """Values that differ much from query to query, and each by the same from one way to the other: nothing is uncertain."""
    before = np.linspace(0, 0.75, 16)
    interval = paired_interval(before, before + 0.25)
    assert interval is not None
    assert (interval.low, interval.difference, interval.high) == pytest.approx((0.25, 0.25, 0.25))
    assert interval.is_significant


def test_of_too_few_nothing_is_said() -> None:
    assert paired_interval([0.0] * (LEAST_QUERIES - 1), [1.0] * (LEAST_QUERIES - 1)) is None
    assert paired_interval([], []) is None


def test_how_often_the_interval_holds_the_truth() -> None:
    """Of 200 experiments with 60 queries and a true difference of 0.1, about 95 % of the intervals hold it."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        interval = paired_interval(np.zeros(60), rng.choice([1.0, -1.0, 0.0], size=60, p=[0.3, 0.2, 0.5]), resamples=1000)
        assert interval is not None
        held += interval.low <= 0.1 <= interval.high
    assert 180 <= held <= 198


@given(VALUES)
def test_the_same_values_give_the_same_and_turned_around_the_opposite(values: list[tuple[float, float]]) -> None:
    before, after = map(list, zip(*values, strict=True))
    interval, again, turned = (
        paired_interval(before, after, resamples=500), paired_interval(before, after, resamples=500), paired_interval(after, before)
    )  # fmt: skip
    assert interval == again
    assert interval is not None
    assert turned is not None
    assert turned.difference == pytest.approx(-interval.difference)
    differences = np.subtract(after, before)
    assert differences.min() - 1e-9 <= interval.low <= interval.high <= differences.max() + 1e-9
