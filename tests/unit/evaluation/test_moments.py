"""Overlap of moments, and which hit is looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import found, truth

from anyseek.evaluation.judged import Stretch
from anyseek.evaluation.moments import moment_values

STRETCHES = st.tuples(st.integers(0, 30), st.integers(1, 30)).map(lambda both: Stretch(both[0], both[0] + both[1]))


@pytest.mark.parametrize(
    ("one", "other", "iou"),
    [
        ((0, 1000), (0, 1000), 1.0),
        ((0, 1000), (500, 1500), 1 / 3),
        ((0, 3000), (1000, 2000), 1 / 3),
        ((0, 1000), (1000, 2000), 0.0),
        ((0, 1000), (5000, 6000), 0.0),
        ((1000, 4000), (2000, 5000), 0.5),
    ],
)
def test_intersection_over_union(one: tuple[int, int], other: tuple[int, int], iou: float) -> None:
    assert Stretch(*one).iou(Stretch(*other)) == pytest.approx(iou)


@given(STRETCHES, STRETCHES)
def test_it_is_that_of_the_sets_of_milliseconds(one: Stretch, other: Stretch) -> None:
    first, second = set(range(one.start_ms, one.end_ms)), set(range(other.start_ms, other.end_ms))
    assert one.iou(other) == pytest.approx(len(first & second) / len(first | second)) == other.iou(one)


def values(iou: float, of_any: float) -> dict[str, float]:
    return {"iou": iou, "iou>=0.5": float(iou >= 0.5), "iou any": of_any, "iou any>=0.5": float(of_any >= 0.5)}


def test_the_best_moment_of_the_best_hit_counts_and_the_best_of_all_apart() -> None:
    film = truth("a.mp4", (0, 1000), (8000, 10_000))
    hits = [found("a.mp4", (8000, 9000), (0, 1000), right=film), found("b.mp4", (0, 1000))]
    assert moment_values(hits, [film]) == values(0.5, 1.0)


def test_another_file_that_comes_first_is_wrong_everywhere() -> None:
    film = truth("a.mp4", (0, 1000))
    assert moment_values([found("b.mp4", (0, 1000)), found("a.mp4", (0, 1000), right=film)], [film]) == values(0.0, 0.0)


def test_a_wrong_moment_of_the_right_film_may_have_another_that_is_right() -> None:
    film = truth("a.mp4", (0, 1000))
    assert moment_values([found("a.mp4", (5000, 6000), (0, 750))], [film]) == values(0.0, 0.75)


def test_files_that_are_right_as_a_whole_are_passed_over() -> None:
    photo, film = truth("a.jpg"), truth("a.mp4", (0, 1000))
    assert moment_values([found("a.jpg", right=photo), found("a.mp4", (0, 2000), right=film)], [photo, film]) == values(0.5, 0.5)


def test_of_mixed_kinds_only_those_in_which_stretches_are_judged_are_looked_at() -> None:
    film = truth("a.mp4", (0, 1000))
    hits = [found("b.jpg"), found("b.ogg", (0, 1000)), found("a.mp4", (0, 1000), right=film)]
    assert moment_values(hits, [film, truth("a.jpg")]) == values(1.0, 1.0)
    assert moment_values(hits[:2], [film]) == values(0.0, 0.0)
    assert moment_values(hits, [film, truth("a.ogg", (0, 1000))]) == values(0.0, 0.0)


def test_nothing_found_is_nothing_right_and_without_stretches_there_is_nothing_to_measure() -> None:
    assert moment_values([], [truth("a.mp4", (0, 1000))]) == values(0.0, 0.0)
    assert moment_values([found("a.mp4", (0, 1), right=truth("a.mp4"))], [truth("a.mp4")]) == {}
