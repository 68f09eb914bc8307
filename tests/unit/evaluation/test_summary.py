"""What results come to: means, ranks, refusals, times, and the shares of kinds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from judging import found, question, result, truth

from anyseek.evaluation.fairness import kind_shares
from anyseek.evaluation.summary import ABSENT_REFUSED, GOOD_REFUSED, differences, latencies, summarise
from anyseek.types import Kind

PHOTO, SOUND, FILM = truth("a.jpg"), truth("a.ogg"), truth("a.mp4", (0, 1000))


def test_means_are_over_the_queries_that_a_measure_applies_to() -> None:
    results = [
        result(question(PHOTO, name="1", target="image"), values={"mAP": 1.0, GOOD_REFUSED: 0.0}, took_ms=1.0),
        result(question(PHOTO, name="2", target="image"), values={"mAP": 0.5, GOOD_REFUSED: 1.0}, took_ms=2.0),
        result(question(FILM, name="3", target="video"), values={"mAP": 0.0, "iou": 0.25, GOOD_REFUSED: 0.0}, took_ms=3.0),
        result(question(name="4"), values={ABSENT_REFUSED: 1.0}, took_ms=4.0),
        result(question(name="5"), values={ABSENT_REFUSED: 0.0}, took_ms=5.0),
        result(question(name="6"), values={ABSENT_REFUSED: 0.0}, took_ms=6.0),
    ]
    summary = summarise(results)
    assert summary.overall.means == pytest.approx({"mAP": 0.5, GOOD_REFUSED: 1 / 3, "iou": 0.25, ABSENT_REFUSED: 1 / 3})
    assert (summary.overall.questions, summary.overall.absent) == (6, 3)
    assert [(group.name, group.questions, group.absent) for group in summary.pairs] == [
        ("text → any", 3, 3),
        ("text → image", 2, 0),
        ("text → video", 1, 0),
    ]
    assert summary.pairs[1].means == pytest.approx({"mAP": 0.75, GOOD_REFUSED: 0.5})
    assert summary.latency_ms == {50: 3.5, 95: pytest.approx(5.75), 99: pytest.approx(5.95)}


@pytest.mark.parametrize(
    ("places", "median"), [([1], 1), ([1, 3], 2), ([1, 2, 9], 2), ([None], math.inf), ([1, None], math.inf), ([2, 4, None], 4)]
)
def test_the_median_rank(places: list[int | None], median: float) -> None:
    results = []
    for place in places:
        wrong = [found(f"wrong{number}.jpg") for number in range(9)]
        hits = wrong if place is None else [*wrong[: place - 1], found("a.jpg", right=PHOTO)]
        results.append(result(question(PHOTO), hits))
    assert [each.rank for each in results] == places
    assert summarise(results).overall.median_rank == median


def test_without_right_answers_there_is_no_rank() -> None:
    assert summarise([result(question(), [found("a.jpg")])]).overall.median_rank is None


def test_percentiles_of_given_times() -> None:
    """Of 1 … 101 ms the pth percentile is p + 1 ms."""
    times = np.random.default_rng(0).permutation(np.arange(1.0, 102.0))
    assert latencies(list(times)) == {50: 51.0, 95: 96.0, 99: 100.0}
    assert latencies([7.0]) == {50: 7.0, 95: 7.0, 99: 7.0}
    assert latencies([]) == {}


def test_shares_of_kinds_in_mixed_lists() -> None:
    """Right: two thirds photos, one third sounds. Found: first a photo, then two films, and of five hits one photo and four films."""
    asked = question(PHOTO, truth("b.jpg"), SOUND)
    hits = [found("a.jpg", right=PHOTO), *(found(f"{number}.mp4", (0, 1)) for number in range(4))]
    shares = {share.kind: (share.right, share.first, share.as_many) for share in kind_shares([result(asked, hits)], first=5)}
    assert shares == {
        Kind.IMAGE: pytest.approx((2 / 3, 1 / 5, 1 / 3)),
        Kind.AUDIO: pytest.approx((1 / 3, 0, 0)),
        Kind.VIDEO: pytest.approx((0, 4 / 5, 2 / 3)),
    }


def test_every_query_counts_as_much_as_another() -> None:
    one = result(question(PHOTO), [found("a.jpg", right=PHOTO)])
    many = result(question(SOUND, truth("b.ogg"), truth("c.ogg")), [found(f"{number}.ogg", (0, 1)) for number in range(9)])
    (image, audio, video) = kind_shares([one, many])
    assert (image.right, image.first, audio.right, audio.first, video.right) == (0.5, 0.5, 0.5, 0.5, 0.0)


def test_only_queries_for_any_kind_that_are_answered_show_how_kinds_are_mixed() -> None:
    others = [
        result(question(PHOTO, target="image"), [found("a.jpg", right=PHOTO)]),
        result(question(), [found("a.jpg")]),
        result(question(PHOTO)),
    ]
    assert kind_shares(others) == []


def test_differences_are_of_the_same_queries() -> None:
    """What one way could not be asked is left out of what only the asked have."""
    before = [result(question(PHOTO), values={"mAP": 0.5, GOOD_REFUSED: 0.0}) for _ in range(8)]
    after = [result(question(PHOTO), values={"mAP": 0.75, GOOD_REFUSED: 0.0}) for _ in range(6)]
    after += [result(question(PHOTO), values={"mAP": 0.0}, problem="no") for _ in range(2)]
    found_out = differences(before, after)
    assert (found_out["mAP"].difference, found_out["mAP"].queries) == (pytest.approx((6 * 0.25 - 2 * 0.5) / 8), 8)
    assert (found_out[GOOD_REFUSED].difference, found_out[GOOD_REFUSED].queries) == (0.0, 6)
    assert not found_out[GOOD_REFUSED].is_significant
    assert differences(before[:5], after[:5]) == {}
