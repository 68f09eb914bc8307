"""Measures of rankings, against values worked out by hand and against their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyseek.errors import MissingExtra
from anyseek.evaluation import ranking
from anyseek.evaluation.ranking import ranking_names, ranking_values

CUTOFFS = (1, 2, 4)


def test_values_worked_out_by_hand() -> None:
    """Right answers at the second and the fourth place, and one that is not found."""
    values = ranking_values({"q": {"a": 1, "b": 1, "c": 1}}, {"q": ["x", "b", "y", "a"]}, CUTOFFS)
    found, ideal = 1 / math.log2(3) + 1 / math.log2(5), 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert values["q"] == pytest.approx(
        {
            "success@1": 0, "success@2": 1, "success@4": 1,
            "recall@1": 0, "recall@2": 1 / 3, "recall@4": 2 / 3,
            "precision@1": 0, "precision@2": 1 / 2, "precision@4": 2 / 4,
            "mAP": (1 / 2 + 2 / 4) / 3,
            "nDCG@4": found / ideal,
        }
    )  # fmt: skip
    assert list(values["q"]) == ranking_names(CUTOFFS)


def test_grades_count_for_ndcg_alone() -> None:
    values = ranking_values({"q": {"good": 3, "fair": 1}}, {"q": ["fair", "good"]}, (2,))["q"]
    assert values["nDCG@2"] == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))
    assert values["mAP"] == 1


def test_places_count_and_not_names() -> None:
    """trec_eval breaks ties by the names of documents; here there are none."""
    names = [f"d{number}" for number in range(12)]
    for place, name in enumerate(names):
        values = ranking_values({"q": {name: 1}}, {"q": names}, (1,))["q"]
        assert values["mAP"] == pytest.approx(1 / (place + 1))


def test_who_finds_nothing_gets_nothing() -> None:
    values = ranking_values({"empty": {"a": 1}, "missing": {"a": 1}, "wrong": {"a": 1}}, {"empty": [], "wrong": ["b"]}, CUTOFFS)
    assert set(values) == {"empty", "missing", "wrong"}
    assert {value for of_query in values.values() for value in of_query.values()} == {0.0}
    assert ranking_values({}, {"q": ["a"]}, CUTOFFS) == {}
    assert set(ranking_values({"q": {"a": 1}}, {"q": ["a"], "unjudged": ["a"]}, CUTOFFS)) == {"q"}


@given(st.permutations([f"d{number}" for number in range(8)]), st.integers(0, 8), st.sets(st.integers(0, 9), min_size=1))
def test_measures_are_what_their_definitions_say(documents: list[str], length: int, right: set[int]) -> None:
    relevant, found = {f"d{number}" for number in right}, documents[:length]
    values = ranking_values({"q": dict.fromkeys(relevant, 1)}, {"q": found}, CUTOFFS)["q"]
    hits = [document in relevant for document in found]
    for k in CUTOFFS:
        assert values[f"success@{k}"] == float(any(hits[:k]))
        assert values[f"recall@{k}"] == pytest.approx(sum(hits[:k]) / len(relevant))
        assert values[f"precision@{k}"] == pytest.approx(sum(hits[:k]) / k)
    precisions = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit]
    assert values["mAP"] == pytest.approx(sum(precisions) / len(relevant))


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"ir-measures is not installed: run  pip install 'anyseek\[eval\]'"):
        ranking_values({"q": {"a": 1}}, {"q": ["a"]}, CUTOFFS)
