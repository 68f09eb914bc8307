"""Merging of neighbouring segments, by hand, against brute force and by property."""

from __future__ import annotations

import math
import random
import time
from itertools import pairwise
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyseek.search.moments import Moment, merge_moments
from anyseek.types import Modality, Segment


def seen(start: int, end: int, frame: int | None = None) -> Segment:
    return Segment(Modality.IMAGE, start, end, start if frame is None else frame)


def shot(start: int, end: int) -> Segment:
    return Segment(Modality.VIDEO, start, end)


def heard(start: int, end: int) -> Segment:
    return Segment(Modality.AUDIO, start, end)


def spans(moments: list[Moment]) -> list[tuple[int, int]]:
    return [(moment.start_ms, moment.end_ms) for moment in moments]


def test_neighbours_that_match_are_one_moment_and_others_stay_apart() -> None:
    segments = [seen(0, 1000), seen(1000, 2000, 1500), seen(2000, 3000), seen(3000, 9000), seen(9000, 9500), seen(9500, 9600)]
    assert merge_moments(segments, [-6, 2, 1, -5, 1.5, -5]) == [
        Moment(1000, 3000, 1500, 2, ("seen",)),
        Moment(9000, 9500, 9000, 1.5, ("seen",)),
    ]


def test_what_scores_halfway_to_the_usual_belongs_and_what_scores_less_does_not() -> None:
    """The best is 4 and the median 0, so that the floor is 2."""
    segments = [heard(at, at + 3000) for at in range(0, 21_000, 3000)]
    assert spans(merge_moments(segments, [0, 2, 4, 1.99, 0, -3, -3])) == [(3000, 9000)]


def test_pictures_have_to_lie_nearer_to_the_best_than_sounds() -> None:
    """The best is 4 and the median -6: the floor is 1 for what is seen, and -1 for what is heard."""
    for make, expected in ((seen, [(3000, 9000)]), (heard, [(0, 9000)])):
        segments = [make(at, at + 3000) for at in range(0, 21_000, 3000)]
        assert spans(merge_moments(segments, [0.5, 1, 4, -6, -6, -7, -8])) == expected


def test_what_is_usual_is_told_by_the_signal_of_the_best_alone() -> None:
    """The sounds' 4, 2 and -4 put the floor at 3, whatever the pictures score; with them it would be at 1.5."""
    sounds, pictures = [heard(0, 3000), heard(3000, 6000), heard(6000, 9000)], [seen(10_000 + at, 10_001 + at) for at in range(4)]
    assert spans(merge_moments([*sounds, *pictures], [4, 2, -4, -1, -1, -1, -1])) == [(0, 3000)]


def test_a_film_that_answers_from_beginning_to_end_is_one_moment() -> None:
    assert spans(merge_moments([seen(0, 10), seen(10, 20), seen(20, 30)], [3.0, 2.0, 2.5])) == [(0, 30)]
    assert spans(merge_moments([seen(0, 10), seen(1000, 1010), seen(2000, 2010)], [3.0, 1.9, 2.5])) == [(0, 10), (2000, 2010)]


def test_a_larger_share_or_tolerance_lets_more_in() -> None:
    segments, scores = [heard(0, 10), heard(10, 20), heard(20, 30), heard(30, 40)], [6.0, 2.5, 0.0, -1.0]
    assert spans(merge_moments(segments, scores, max_gap_ms=0)) == [(0, 10)]
    assert spans(merge_moments(segments, scores, max_gap_ms=0, shares={"heard": 0.75})) == [(0, 20)]
    assert spans(merge_moments(segments, scores, max_gap_ms=0, tolerance=3.5)) == [(0, 20)]
    assert spans(merge_moments(segments, scores, max_gap_ms=0, tolerance=100)) == [(0, 40)]


def test_the_same_stretch_seen_and_heard_is_one_moment_with_the_ends_of_the_better_one() -> None:
    assert merge_moments([heard(5000, 8000), seen(5500, 9000)], [0.9, 0.8]) == [Moment(5000, 8000, 5000, 0.9, ("seen", "heard"))]
    assert merge_moments([heard(5000, 8000), seen(5500, 9000)], [0.8, 0.9]) == [Moment(5500, 9000, 5500, 0.9, ("seen", "heard"))]


def test_stretches_that_overlap_by_half_of_their_union_are_the_same_and_by_less_are_not() -> None:
    assert spans(merge_moments([heard(0, 3000), seen(1000, 4000)], [1, 1])) == [(0, 3000)]
    assert spans(merge_moments([heard(0, 3000), seen(1001, 4000)], [1, 1])) == [(0, 3000), (1001, 4000)]


def test_shots_as_a_whole_and_their_pictures_are_one_signal() -> None:
    segments = [shot(0, 9000), seen(0, 4000, 500), seen(4000, 9000, 6000), shot(9000, 20_000), seen(9000, 20_000, 9100)]
    assert merge_moments(segments, [2, 1, 3, -5, -6]) == [Moment(0, 9000, 6000, 3, ("seen",))]


def test_segments_of_several_spaces_share_their_stretches() -> None:
    """Two spaces cut alike; a stretch belongs where either finds it."""
    segments = [seen(0, 10), seen(10, 20), seen(1000, 1010), seen(0, 10), seen(10, 20), seen(1000, 1010)]
    assert merge_moments(segments, [3, -9, -9, -9, 2.5, -9]) == [Moment(0, 20, 0, 3, ("seen",))]


def test_a_gap_up_to_the_limit_is_bridged() -> None:
    assert len(merge_moments([heard(0, 1000), heard(1500, 2000)], [1, 1], max_gap_ms=500)) == 1
    assert len(merge_moments([heard(0, 1000), heard(1501, 2000)], [1, 1], max_gap_ms=500)) == 2


def test_a_long_segment_holds_together_what_lies_inside_it() -> None:
    assert merge_moments([heard(0, 9000), heard(1000, 2000), heard(8500, 9500)], [1, 1, 1]) == [Moment(0, 9500, 0, 1, ("heard",))]


def test_of_equal_scores_the_earliest_is_the_best_instant() -> None:
    assert merge_moments([seen(2000, 3000, 2500), seen(1000, 2000, 1200)], [1, 1])[0].best_ms == 1200


def test_a_picture_has_one_moment_without_length() -> None:
    assert merge_moments([Segment(Modality.IMAGE)], [-3.5]) == [Moment(0, 0, 0, -3.5, ("seen",))]


def test_relevance_is_the_logistic_function_of_the_score() -> None:
    assert Moment(0, 1, 0, 0.0, ("seen",)).relevance == 0.5
    assert Moment(0, 1, 0, math.log(3), ("seen",)).relevance == pytest.approx(0.75)
    assert Moment(0, 1, 0, -1000.0, ("seen",)).relevance == 0.0


def test_nothing_gives_nothing() -> None:
    assert merge_moments([], []) == []


def test_scores_must_match_segments() -> None:
    with pytest.raises(ValueError, match="argument"):
        merge_moments([heard(0, 1)], [1.0, 2.0])


def test_two_days_of_windows_take_no_time() -> None:
    """60,000 segments: nothing is quadratic in them."""
    rng = random.Random(1)
    segments = [heard(at, at + 3000) for at in range(0, 180_000_000, 3000)]
    scores = [rng.gauss(-4, 2) for _ in segments]
    started = time.process_time()
    moments = merge_moments(segments, scores)
    assert time.process_time() - started < 5
    assert moments[0].score == max(scores)


# Start, length, twice the score and what it is of: times and scores that are often equal.
rows_of_segments = st.lists(
    st.tuples(st.integers(0, 30_000), st.integers(0, 9000), st.integers(-12, 12), st.sampled_from([seen, shot, heard])),
    min_size=1,
    max_size=25,
)
Rows = list[tuple[int, int, int, type]]


def made(rows: Rows) -> tuple[list[Segment], list[float]]:
    return [make(start, start + length) for start, length, _, make in rows], [score / 2 for _, _, score, _ in rows]


def signal(segment: Segment) -> str:
    return "heard" if segment.modality is Modality.AUDIO else "seen"


def floor_of(segments: list[Segment], scores: list[float]) -> float:
    best = max(scores)
    first = min((s for s, x in zip(segments, scores, strict=True) if x == best), key=lambda s: (s.start_ms, s.end_ms, s.modality))
    usual = median(x for s, x in zip(segments, scores, strict=True) if signal(s) == signal(first))
    return best - max(1.0, (best - usual) * (0.5 if first.modality is Modality.AUDIO else 0.3))


def groups_of(segments: list[Segment]) -> list[list[Segment]]:
    """Groups within which one gets from each segment to every other over gaps of half a second: by trying all pairs again and again."""
    groups = [[segment] for segment in segments]
    merged = True
    while merged:
        merged = False
        for one in groups:
            for other in groups:
                if one is not other and any(max(a.start_ms, b.start_ms) - min(a.end_ms, b.end_ms) <= 500 for a in one for b in other):
                    one += other
                    groups.remove(other)
                    merged = True
                    break
            if merged:
                break
    return groups


@given(rows_of_segments)
def test_one_signal_is_merged_as_by_brute_force(rows: Rows) -> None:
    segments, scores = made([(start, length, score, heard) for start, length, score, _ in rows])
    floor = floor_of(segments, scores)
    scored = list(zip(segments, scores, strict=True))
    groups = groups_of([segment for segment, score in scored if score >= floor])
    expected = []
    for group in groups:
        inside = [(score, segment) for segment, score in scored if score >= floor and any(segment is of for of in group)]
        top = max(score for score, _ in inside)
        best = min(segment.start_ms for score, segment in inside if score == top)
        expected.append(Moment(min(s.start_ms for s in group), max(s.end_ms for s in group), best, top, ("heard",)))
    assert merge_moments(segments, scores) == sorted(expected, key=lambda moment: (-moment.score, moment.start_ms))


@given(rows_of_segments, st.randoms(use_true_random=False))
def test_moments_hold_what_is_promised_of_them(rows: Rows, rng: random.Random) -> None:
    segments, scores = made(rows)
    moments = merge_moments(segments, scores)
    assert [moment.score for moment in moments] == sorted((moment.score for moment in moments), reverse=True)
    assert moments[0].score == max(scores)
    floor = floor_of(segments, scores)
    kept = [(segment, score) for segment, score in zip(segments, scores, strict=True) if score >= floor]
    for moment in moments:
        assert moment.start_ms <= moment.best_ms <= moment.end_ms
        assert moment.score in [s for of, s in kept if of.start_ms == moment.best_ms and signal(of) in moment.signals]
        assert moment.start_ms in {of.start_ms for of, _ in kept}
        assert moment.end_ms in {of.end_ms for of, _ in kept}
    for single in (("seen",), ("heard",)):
        by_time = sorted(spans([moment for moment in moments if moment.signals == single]))
        assert all(a[1] + 500 < b[0] for a, b in pairwise(by_time))
    shuffled = rng.sample(list(zip(segments, scores, strict=True)), len(segments))
    assert merge_moments([segment for segment, _ in shuffled], [score for _, score in shuffled]) == moments


@given(rows_of_segments)
def test_what_is_kept_lies_in_a_moment_of_its_signal_or_in_one_that_is_about_the_same_stretch(rows: Rows) -> None:
    segments, scores = made(rows)
    floor = floor_of(segments, scores)
    moments = merge_moments(segments, scores)
    for segment, score in zip(segments, scores, strict=True):
        if score >= floor:
            inside = [m for m in moments if m.start_ms <= segment.start_ms and segment.end_ms <= m.end_ms and signal(segment) in m.signals]
            joined = [m for m in moments if len(m.signals) == 2 and m.score >= score]
            assert inside or joined


@given(rows_of_segments)
def test_merging_what_is_merged_changes_nothing(rows: Rows) -> None:
    segments, scores = made([(start, length, score, heard) for start, length, score, _ in rows])
    moments = merge_moments(segments, scores)
    again = merge_moments([heard(*span) for span in spans(moments)], [moment.score for moment in moments], tolerance=100)
    assert [(m.start_ms, m.end_ms, m.score) for m in again] == [(m.start_ms, m.end_ms, m.score) for m in moments]


@given(rows_of_segments, st.integers(-100, 100))
def test_only_differences_between_scores_count(rows: Rows, shift: int) -> None:
    segments, scores = made(rows)
    assert spans(merge_moments(segments, [score + shift for score in scores])) == spans(merge_moments(segments, scores))


def whole(start: int, end: int, frame: int | None = None) -> Segment:
    return Segment(Modality.WHOLE, start, end, frame)


def test_what_is_whole_belongs_to_what_is_seen_and_is_heard_as_well_where_it_is_the_best() -> None:
    segments = [seen(0, 4000, 2000), seen(4000, 5000), heard(0, 3000), whole(0, 4000, 2000), whole(4000, 5000, 4000)]
    assert merge_moments(segments, [1, -9, -9, 4, -9]) == [Moment(0, 4000, 2000, 4, ("seen", "heard"))]
    assert merge_moments(segments, [4, -9, -9, 1, -9]) == [Moment(0, 4000, 2000, 4, ("seen",))]
    assert merge_moments(segments, [-9, -9, -9, -9, 4]) == [Moment(4000, 5000, 4000, 4, ("seen",))]  # no sound is there


def test_what_is_whole_is_heard_where_nothing_is_seen() -> None:
    segments = [heard(0, 3000), heard(3000, 6000), whole(0, 3000), whole(3000, 6000)]
    assert merge_moments(segments, [-9, 2, -9, 4]) == [Moment(3000, 6000, 3000, 4, ("heard",))]


def test_a_picture_with_its_words_is_seen() -> None:
    assert merge_moments([seen(0, 0), whole(0, 0)], [1, 2]) == [Moment(0, 0, 0, 2, ("seen",))]


def test_the_whole_and_the_sound_of_one_stretch_are_one_moment() -> None:
    segments = [seen(0, 3000), heard(0, 3000), whole(0, 3000)]
    assert merge_moments(segments, [-9, 3, 4]) == [Moment(0, 3000, 0, 4, ("seen", "heard"))]
