"""Fusion against its formulas, written out naively."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyseek.errors import BadQuery
from anyseek.fusion.early import EarlyFusion
from anyseek.search.fusion import FUSIONS, Best, LateFusion, ReciprocalRank, fusion_named, together

WEIGHTS = st.floats(-4, 4).filter(lambda weight: abs(weight) > 0.01)
RELEVANCES = st.floats(0.001, 0.999)


@st.composite
def judged(draw: st.DrawFn) -> tuple[list[list[float]], list[float]]:
    """Relevances (parts, n) and weights, one of them above 0."""
    parts, contents = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    row = st.lists(RELEVANCES, min_size=contents, max_size=contents)
    relevances = draw(st.lists(row, min_size=parts, max_size=parts))
    weights = [draw(st.floats(0.01, 4)), *draw(st.lists(WEIGHTS, min_size=parts - 1, max_size=parts - 1))]
    return relevances, weights


def odds(relevance: float) -> float:
    return relevance / (1 - relevance)


@given(judged())
def test_the_best_part_counts_and_what_pushes_away_takes_its_share(case: tuple[list[list[float]], list[float]]) -> None:
    relevances, weights = case
    largest = max(weights)
    scores = np.array([[math.log(odds(one)) for one in row] for row in relevances])
    for place, found in enumerate(Best().join(scores, weights)):
        best = max(odds(row[place]) * weight / largest for row, weight in zip(relevances, weights, strict=True) if weight > 0)
        for row, weight in zip(relevances, weights, strict=True):
            if weight < 0:
                best *= 1 - row[place] * min(-weight / largest, 1.0)
        assert found == pytest.approx(math.log(best), abs=1e-9)


@given(judged())
def test_a_higher_score_for_what_is_wanted_never_lowers_the_whole(case: tuple[list[list[float]], list[float]]) -> None:
    relevances, weights = case
    scores = np.log([[odds(one) for one in row] for row in relevances])
    higher = scores.copy()
    higher[0] += 1.0
    assert (together(higher, weights) >= together(scores, weights)).all()


def test_one_part_alone_is_what_it_was() -> None:
    scores = np.array([[-3.0, 0.0, 40.0, -np.inf]])
    np.testing.assert_array_equal(together(scores, [0.3]), scores[0])


def test_what_answers_nothing_that_is_wanted_stays_out_however_little_it_is_unwanted() -> None:
    assert together(np.array([[-np.inf], [-np.inf]]), [1.0, -1.0]).tolist() == [-np.inf]


def test_reciprocal_ranks_are_summed() -> None:
    scores = np.array([[0.3, 0.9, 0.5, -np.inf], [0.2, -0.1, 0.8, 0.7], [0.0, 1.0, -1.0, -2.0]])
    found = ReciprocalRank().join(scores, [1.0, 2.0, -0.5])
    ranks = [1 / 63 + 2 / 63, 1 / 61 + 2 / 64, 1 / 62 + 2 / 61, 0 + 2 / 62]
    wanted = [rank * (1 - 0.25 / (1 + math.exp(-score))) for rank, score in zip(ranks, [0.0, 1.0, -1.0, -2.0], strict=True)]
    assert found.tolist() == pytest.approx(wanted)


def test_ranks_beyond_the_depth_count_for_nothing() -> None:
    scores = np.array([[3.0, 2.0, 1.0]])
    assert ReciprocalRank(depth=2).join(scores, [1.0]).tolist() == pytest.approx([1 / 61, 1 / 62, 0])


def test_fusions_go_by_name() -> None:
    assert FUSIONS == ("mean", "agreement", "weighted", "network", "max", "rrf")
    assert [fusion_named(name).name for name in FUSIONS] == list(FUSIONS)
    assert [name for name in FUSIONS if isinstance(fusion_named(name), EarlyFusion)] == ["mean", "agreement", "weighted", "network"]
    assert [name for name in FUSIONS if isinstance(fusion_named(name), LateFusion)] == ["max", "rrf"]
    given_one = ReciprocalRank(depth=5)
    assert fusion_named(given_one) is given_one
    with pytest.raises(BadQuery, match="no fusion is called 'median': use mean, agreement, weighted, network, max, rrf"):
        fusion_named("median")
