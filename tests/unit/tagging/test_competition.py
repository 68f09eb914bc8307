"""Who holds among rivals."""

import math

import numpy as np
import pytest

from anyseek.tagging.competition import holding, rivals_of

STANDS_OUT = math.log(40)


def held(*scores, least=0.0, rivals=None):
    row = np.array([scores], np.float64)
    return np.flatnonzero(holding(row, rivals or [np.arange(row.shape[1])], least)[0]).tolist()


def test_those_of_equal_kind_compete():
    assert [places.tolist() for places in rivals_of(["a", "b", "a", "a", "c", "b"])] == [[0, 2, 3], [1, 5], [4]]


def test_few_labels_need_only_be_relevant_and_near_the_likeliest():
    assert held(2.0, 2.0 - math.log(2) + 1e-9, 2.0 - math.log(2) - 1e-9, -1.0) == [0, 1]
    assert held(0.0, -1e-9) == [0]
    assert held(-0.1, -0.2) == []
    assert held(-0.1, -0.2, least=-1.0) == [0, 1]


@pytest.mark.parametrize(("sixth", "expected"), [(1.0, [0]), (1.0 + 1e-9, [])])
def test_a_label_must_stand_out_against_the_sixth_likeliest(sixth, expected):
    top = 1.0 + STANDS_OUT
    assert held(top, sixth, sixth, sixth, sixth, sixth, -9.0) == expected
    assert held(-9.0, sixth, top, sixth, sixth, sixth, sixth) == [place + 2 for place in expected]
    assert held(top, sixth, sixth, sixth, sixth, sixth) == [0]  # six and no more: the last of them is no measure


def test_four_others_may_be_as_likely_but_not_five():
    assert held(*[5.0] * 5, 0.0, 0.0) == [0, 1, 2, 3, 4]
    assert held(*[5.0] * 6, 0.0, 0.0) == []


def test_only_rivals_count_against_each_other():
    assert held(9.0, 1.0, 0.9, rivals=[np.array([0]), np.array([1, 2])]) == [0, 1, 2]


def test_what_is_not_asked_of_a_segment_does_not_hold_whatever_is_enough():
    assert held(-math.inf, -3.0, -math.inf, least=-math.inf) == [1]
    assert held(-math.inf, -math.inf, least=-math.inf) == []
    assert held(*[-math.inf] * 8, 2.0) == [8]


def test_segments_are_judged_one_by_one():
    scores = np.array([[1.0, -1.0, 3.0], [-2.0, 2.0, 1.9], [-1.0, -1.0, -1.0]])
    assert holding(scores, [np.arange(3)], 0.0).tolist() == [[False, False, True], [False, True, True], [False] * 3]
