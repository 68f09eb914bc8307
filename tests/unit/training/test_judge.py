"""Held-out queries are judged exactly: places against a plain loop, measures against trec_eval's own code, worst classes by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, R, Success

from anyseek.evaluation.intervals import Interval, paired_interval
from anyseek.training.drift import Drift, drift_of
from anyseek.training.figures import Compared, Figures, compare, compared_by_class, compared_by_pair, compared_by_source, worst_share
from anyseek.training.gate import decide
from anyseek.training.judge import HeldOut, Judged, Media, judge
from anyseek.types import Modality

IMAGE, AUDIO = Modality.IMAGE, Modality.AUDIO


def rows(generator: np.random.Generator, count: int, dim: int = 6) -> np.ndarray:
    drawn = generator.normal(size=(count, dim))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def media_of(vectors: np.ndarray, contents: list[int], modality: Modality = IMAGE) -> Media:
    return Media(vectors, np.array(contents, np.int64), (modality,) * len(contents), np.zeros((len(contents), 2), np.int64))


def asked(right: Mapping[int, tuple[tuple[int, int], ...]] | set[int], label: str = "one", **fields: object) -> HeldOut:
    truths = right if isinstance(right, Mapping) else dict.fromkeys(sorted(right), ())
    return HeldOut(label, "text", IMAGE, truths, **fields)  # type: ignore[arg-type]


def test_places_are_those_of_a_plain_loop() -> None:
    """Films with several segments in no order, other kinds between them, and what was trained with passed over."""
    generator = np.random.default_rng(7)
    contents = generator.permutation([content for content in range(100, 140) for _ in range(1 + content % 3)]).astype(np.int64)
    modalities = tuple(IMAGE if content % 5 else AUDIO for content in contents)
    vectors, queries = rows(generator, len(contents)), rows(generator, 70)
    media = Media(vectors, contents, modalities, np.zeros((len(contents), 2), np.int64))
    questions = [
        asked({101 + number % 4, 111, 122}, passed_over=frozenset({103, 104 + number % 30, 100, 999})) for number in range(len(queries))
    ]
    judged = judge(questions, queries, media)
    for question, query, found in zip(questions, queries, judged, strict=True):
        best: dict[int, float] = {}
        for vector, content, modality in zip(vectors, contents.tolist(), modalities, strict=True):
            if modality is IMAGE and (content not in question.passed_over or content in question.right):
                best[content] = max(best.get(content, -2.0), float(vector @ query))
        ranking = sorted(best, key=lambda content: (-best[content], content))
        assert found.question is question
        assert list(found.places) == sorted(ranking.index(content) + 1.0 for content in question.right)


def test_equal_scores_go_by_id_and_kinds_apart() -> None:
    same = np.tile(np.array([1, 0], np.float32), (4, 1))
    media = Media(same, np.array([4, 3, 2, 1]), (IMAGE, IMAGE, IMAGE, AUDIO), np.zeros((4, 2), np.int64))
    found = judge([asked({3}), HeldOut("x", "text", AUDIO, {1: ()}), HeldOut("x", "text", Modality.VIDEO, {1: ()})], same[:3], media)
    assert [each.places for each in found] == [(2.0,), (1.0,), (math.inf,)]


def test_a_moment_is_found_where_the_best_segment_lies_in_it() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    media = Media(vectors, np.array([1, 1, 2]), (IMAGE,) * 3, np.array([[0, 1000], [1000, 2000], [0, 0]]))
    query = np.array([[0, 1]], np.float32)
    for stretch, place in (((1500, 1600), 1.0), ((0, 1000), math.inf), ((500, 1001), 1.0)):
        assert judge([asked({1: (stretch,)})], query, media)[0].places == (place,)
    assert judge([asked({1: ((0, 1000),), 2: ()})], query, media)[0].places == (2.0, math.inf)


def test_a_right_answer_that_is_gone_is_not_found() -> None:
    assert judge([asked({1, 9})], np.eye(2, dtype=np.float32)[:1], media_of(np.eye(2, dtype=np.float32), [1, 2]))[0].places == (1, math.inf)


def test_measures_are_those_of_trec_eval() -> None:
    generator = np.random.default_rng(3)
    vectors, queries = rows(generator, 60), rows(generator, 12)
    questions = [asked(set(generator.choice(60, size=1 + number, replace=False).tolist()), f"q{number}") for number in range(12)]
    judged = judge(questions, queries, media_of(vectors, list(range(60))))
    qrels = [ir_measures.Qrel(question.label, str(content), 1) for question in questions for content in question.right]
    run = [
        ir_measures.ScoredDoc(question.label, str(content), float(score))
        for question, query in zip(questions, queries, strict=True)
        for content, score in enumerate(vectors @ query)
    ]
    names = {AP: "mAP"} | {Success @ k: f"success@{k}" for k in (1, 5, 10)} | {R @ k: f"recall@{k}" for k in (1, 5, 10)}
    values = {each.question.label: each.values() for each in judged}
    for metric in ir_measures.iter_calc(list(names), qrels, run):
        assert values[metric.query_id][names[metric.measure]] == pytest.approx(metric.value, abs=1e-9)
    assert Figures.of(judged).means["mAP"] == pytest.approx(np.mean([value["mAP"] for value in values.values()]))


def of(place: float, label: str = "a", *more: float, sources: tuple[str, ...] = ("file",)) -> Judged:
    return Judged(asked({1, *range(2, 2 + len(more))}, label, sources=sources), tuple(sorted((place, *more))))


def test_intervals_are_paired_over_queries_and_over_answers_where_these_are_few() -> None:
    before = [of(place, str(place)) for place in (20, 30, 1, 40, 11, 12, 13)]
    after = [of(place, "") for place in (1, 2, 1, 12, 3, 4, 14)]
    found = compare("all", before, after)
    assert (found.queries, found.answers, found.by_answers, found.attainable) == (7, 7, False, 1.0)
    assert found.differences["recall@10"] == paired_interval([0, 0, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 1, 0])
    assert found.before.means["success@10"] == pytest.approx(1 / 7)
    few = compare("all", [of(20, "a", 21, 22, 23), of(24, "b", 25, 26)], [of(1, "a", 2, 22, 23), of(1, "b", 12, 13)])
    assert (few.queries, few.answers, few.by_answers) == (2, 7, True)
    assert few.differences["recall@10"] == paired_interval([0] * 7, [1, 1, 0, 0, 1, 0, 0])
    assert few.after.means["recall@10"] == pytest.approx((2 / 4 + 1 / 3) / 2)
    assert few.differences["mAP"].difference == pytest.approx(
        np.mean([1, 1, 3 / 22, 4 / 23, 1, 2 / 12, 3 / 13]) - np.mean([1 / 20, 2 / 21, 3 / 22, 4 / 23, 1 / 24, 2 / 25, 3 / 26])
    )
    assert compare("all", [of(20)], [of(1)]).differences == {}


def test_groups_are_by_class_source_and_pair() -> None:
    before = [of(20, "b"), of(30, "a", sources=("keywords", "file")), of(1, "b")]
    after = [of(1, "b"), of(30, "a", sources=("keywords", "file")), of(2, "b")]
    classes = compared_by_class(before, after)
    assert [(each.name, each.queries, each.before.means["recall@10"], each.after.means["recall@10"]) for each in classes] == [
        ("a", 1, 0, 0),
        ("b", 2, 0.5, 1),
    ]
    assert [(each.name, each.queries) for each in compared_by_source(before, after)] == [("file", 3), ("keywords", 1)]
    assert [(each.name, each.queries) for each in compared_by_pair(before, after)] == [("text → image", 3)]


def test_the_worst_tenth_is_at_least_one_class() -> None:
    classes = [Figures({"recall@10": value}) for value in (0.9, 0.5, 0.7)]
    assert worst_share(classes, "recall@10") == 0.5
    many = [Figures({"recall@10": number / 100}) for number in range(20, 0, -1)]
    assert worst_share(many, "recall@10") == pytest.approx((0.01 + 0.02) / 2)


def test_drift_is_what_changes_among_the_first_hits() -> None:
    media = media_of(np.eye(12, dtype=np.float32), list(range(12)))
    falling = np.linspace(1, 0.1, 12, dtype=np.float32)
    captions = np.stack([np.roll(falling, number) for number in range(4)])
    moved = captions.copy()
    moved[0] = falling[::-1]  # the first hit is the last now: of the first ten eight stay, of the first three one
    assert drift_of(captions, captions, media, media) == Drift(4, 1.0, 1.0, 0.0)
    drift = drift_of(captions, moved, media, media)
    assert drift == Drift(4, 0.75, pytest.approx((3 + 0.8) / 4), pytest.approx(2 / 12))
    assert drift_of(captions[:0], captions[:0], media, media) is None


def compared(before: float, difference: float, low: float, measure: str = "recall@10", answers: int = 40) -> Compared:
    interval = Interval(difference, low, difference + 0.1, 20)
    figures = Figures({"recall@10": before, "mAP": before}), Figures({"recall@10": before + difference, "mAP": before})
    return Compared("all", 20, answers, *figures, attainable=1.0, differences={measure: interval})


def test_the_gate_opens_only_for_what_is_surely_better_and_costs_nothing() -> None:
    better = compared(0.3, 0.5, 0.4)
    passed = decide(better, None, Drift(1000, 0.98, 0.99, 0.01))
    assert (passed.passed, passed.measure, passed.lost) == (True, "recall@10", 0.01)
    assert passed.reason == (
        "held-out recall@10 changes by +0.500 [+0.400, +0.600]; 1.0 points of the first three hits of the reference captions are not "
        "among the first ten any more"
    )
    assert decide(better, None, None).passed
    unsure = decide(compared(0.3, 0.1, 0.0), None, None)
    assert not unsure.passed
    assert "not surely better: held-out recall@10 changes by +0.100 [+0.000, +0.200]" in unsure.reason
    costly = decide(better, None, Drift(1000, 0.5, 0.5, 0.011))
    assert not costly.passed
    assert "costs other queries too much: 1.1 points of the first three hits" in costly.reason


def test_the_user_s_own_queries_count_instead_of_the_captions() -> None:
    better, general = compared(0.3, 0.5, 0.4), compared(0.8, -0.005, -0.01)
    assert decide(better, general, Drift(1000, 0.5, 0.5, 0.5)).passed
    assert not decide(better, compared(0.8, -0.02, -0.03), Drift(1000, 1, 1, 0)).passed


def test_where_recall_cannot_rise_precision_is_judged() -> None:
    assert decide(compared(0.96, 0.2, 0.1, "mAP"), None, None).measure == "mAP"
    few = decide(compared(0.96, 0.2, 0.1, answers=5), None, None)
    assert not few.passed
    assert few.reason == "5 held-out pairs are too few to tell whether it is better"
