"""Merging of neighbouring segments, by hand and by property."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyseek.search.moments import Moment, merge_moments
from anyseek.types import Modality, Segment


def seen(start: int, end: int, frame: int | None = None) -> Segment:
    return Segment(Modality.IMAGE, start, end, start if frame is None else frame)


def heard(start: int, end: int) -> Segment:
    return Segment(Modality.AUDIO, start, end)


def test_neighbours_that_match_are_one_moment_and_others_stay_apart() -> None:
    segments = [seen(0, 1000), seen(1000, 2000, 1500), seen(2000, 3000), seen(9000, 9500)]
    assert merge_moments(segments, [0.1, 0.9, 0.8, 0.85]) == [
        Moment(1000, 3000, 1500, 0.9, ("seen",)),
        Moment(9000, 9500, 9000, 0.85, ("seen",)),
    ]


def test_what_is_seen_and_heard_at_once_is_one_moment_with_both_signals() -> None:
    assert merge_moments([heard(5000, 10000), seen(6000, 8000)], [0.9, 0.8]) == [Moment(5000, 10000, 5000, 0.9, ("seen", "heard"))]


def test_a_gap_up_to_the_limit_is_bridged() -> None:
    assert len(merge_moments([heard(0, 1000), heard(1500, 2000)], [1, 1], max_gap_ms=500)) == 1
    assert len(merge_moments([heard(0, 1000), heard(1501, 2000)], [1, 1], max_gap_ms=500)) == 2


def test_a_long_segment_holds_together_what_lies_inside_it() -> None:
    assert merge_moments([heard(0, 9000), heard(1000, 2000), heard(8500, 9500)], [1, 1, 1]) == [Moment(0, 9500, 0, 1, ("heard",))]


def test_negative_scores_keep_the_best_alone() -> None:
    assert merge_moments([heard(0, 10), heard(5000, 5010)], [-0.2, -0.1]) == [Moment(5000, 5010, 5000, -0.1, ("heard",))]


def test_nothing_gives_nothing() -> None:
    assert merge_moments([], []) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 100_000), st.integers(1, 9_000), st.floats(0.001, 1.0), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_moments_are_disjoint_ordered_and_cover_exactly_what_is_kept(rows: list[tuple[int, int, float, bool]]) -> None:
    segments = [(seen if picture else heard)(start, start + length) for start, length, _, picture in rows]
    scores = [score for *_, score, _ in rows]
    moments = merge_moments(segments, scores)
    assert [moment.score for moment in moments] == sorted((moment.score for moment in moments), reverse=True)
    assert moments[0].score == max(scores)
    kept = [segment for segment, score in zip(segments, scores, strict=True) if score >= max(scores) * 0.85]
    for segment in kept:
        assert sum(m.start_ms <= segment.start_ms and segment.end_ms <= m.end_ms for m in moments) == 1
    by_time = sorted(moments, key=lambda moment: moment.start_ms)
    assert all(a.end_ms + 500 < b.start_ms for a, b in pairwise(by_time))
    assert {m.start_ms for m in moments} <= {s.start_ms for s in kept}
    assert {m.end_ms for m in moments} <= {s.end_ms for s in kept}


def test_scores_must_match_segments() -> None:
    with pytest.raises(ValueError, match="argument"):
        merge_moments([heard(0, 1)], [1.0, 2.0])
