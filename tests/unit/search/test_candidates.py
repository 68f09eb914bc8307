"""Ranking against brute force: corrections for hubs, parts that are joined after they were looked up, conditions, explanations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from shelf import Shelf, unit

from anyseek.errors import BadQuery
from anyseek.filters import parse
from anyseek.fusion.early import Fused, Pieces
from anyseek.fusion.vectors import weighted_mean
from anyseek.search.fusion import fusion_named, pushed
from anyseek.search.hits import Answer
from anyseek.search.lookup import Frontier, allowed_in
from anyseek.search.probe import Probe
from anyseek.search.query import Query, Stored, Text, Vectors
from anyseek.search.relevance import PlainCosine
from anyseek.search.timings import Stopwatch
from anyseek.storage.vectors.protocol import Ids
from anyseek.types import Kind, Modality, Segment

KINDS = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO)
COUNT = 200


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """Contents of 1 to 12 segments with random vectors."""
    shelf = Shelf(tmp_path_factory.mktemp("candidates") / "library")
    random = np.random.default_rng(11)
    for number in range(COUNT):
        kind = KINDS[number % 3]
        count = 1 if kind is Kind.IMAGE else int(random.integers(1, 13))
        modality = Modality.AUDIO if kind is Kind.AUDIO else Modality.IMAGE
        timed = kind is not Kind.IMAGE
        segments = [(Segment(modality, i * 1000 * timed, (i + 1) * 1000 * timed), unit(random.normal(size=8))) for i in range(count)]
        shelf.put(f"{number:03}.{kind}", kind, *segments)
    yield shelf
    shelf.catalog.close()


def given(vector: np.ndarray, weight: float = 1.0, label: str = "") -> Stored:
    return Stored({1: Vectors(vector[None], (Modality.IMAGE,))}, weight, label)


def random_vector(seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=8))


class Hubs(PlainCosine):
    """Takes a random number off the cosine of each embedding."""

    def __init__(self, spread: float) -> None:
        self.spread = spread

    def corrections(self, probe: Probe, ids: Ids, watch: Stopwatch) -> np.ndarray:
        return np.array([np.random.default_rng(int(id_)).uniform(-self.spread, self.spread) for id_ in ids])

    def least_correction(self, probe: Probe, watch: Stopwatch) -> float:
        return -self.spread


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.5, 3.0])
@pytest.mark.parametrize("count", [1, 5, 40, 500])
def test_the_best_after_correction_are_found(full: Shelf, spread: float, count: int) -> None:
    relevance, watch = Hubs(spread), Stopwatch()
    (space,) = full.search_spaces()
    for seed in range(3):
        vector = random_vector(seed)
        probe = Probe(space, vector, ())
        allowed = allowed_in(full.catalog, space, Query((given(vector),)))[Modality.IMAGE]
        frontier = Frontier(full.catalog, probe, Modality.IMAGE, allowed, set(), relevance, watch)
        found = frontier.reach(count)
        corrected = full.catalog.vectors(allowed).astype(np.float64) @ vector - relevance.corrections(probe, allowed, watch)
        best: dict[int, float] = {}
        for row, value in zip(full.catalog.segments_of(allowed), corrected.tolist(), strict=True):
            best[row.content_id] = max(value, best.get(row.content_id, -math.inf))
        wanted = sorted(best, key=lambda content: -best[content])
        assert found == wanted[:count]
        following = -math.inf
        if len(wanted) > count:
            (following,) = relevance.scores(np.array([best[wanted[count]]]), probe, Modality.IMAGE, watch)
        assert frontier.bound == (following if math.isinf(following) else pytest.approx(following, abs=1e-5))


def brute(full: Shelf, parts: list[np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Names, and for each part the log-odds that `PlainCosine` gives the best segment."""
    names = sorted(full.truth)
    cosines = np.array([[float((full.truth[name][1] @ part).max()) for name in names] for part in parts])
    return names, np.log1p(cosines) - np.log1p(-cosines)


def values(answer: Answer) -> dict[str, float]:
    return {hit.path.name: hit.score for hit in answer}


@pytest.mark.parametrize("limit", [1, 8, 60, 400])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (2.0, 0.5, 1.0), (1.0, -1.0), (0.5, 1.0, -0.3)])
@pytest.mark.parametrize("fusion", ["max", "rrf"])
def test_joined_answers_are_those_of_brute_force(full: Shelf, fusion: str, weights: tuple[float, ...], limit: int) -> None:
    engine = full.engine(calibrated=False)
    for seed in range(2):
        vectors = [random_vector(100 * seed + number) for number in range(len(weights))]
        query = Query(tuple(map(given, vectors, weights)), limit=limit, fusion=fusion_named(fusion), min_relevance=0)
        names, scores = brute(full, vectors)
        joined = fusion_named(fusion).join(scores, weights)  # type: ignore[union-attr]
        wanted = sorted(zip(names, joined.tolist(), strict=True), key=lambda item: -item[1])[:limit]
        answer = engine.answer(query)
        assert [hit.score for hit in answer] == pytest.approx([value for _, value in wanted], abs=1e-6)
        every = dict(zip(names, joined.tolist(), strict=True))
        assert values(answer) == pytest.approx({name: every[name] for name in values(answer)}, abs=1e-6)


def test_joined_answers_say_what_each_part_gave(full: Shelf) -> None:
    vectors = [random_vector(1), random_vector(2), random_vector(3)]
    parts = tuple(given(vector, weight, label) for vector, weight, label in zip(vectors, (1.0, 0.5, -1.0), "abc", strict=True))
    query = Query(parts, limit=400, fusion=fusion_named("max"), min_relevance=0, explain=True)
    names, scores = brute(full, vectors)
    alone = {name: 1 / (1 + np.exp(-scores[:, place])) for place, name in enumerate(names)}
    for hit in full.engine(calibrated=False).answer(query):
        assert hit.explanation is not None
        assert [(part.label, part.weight) for part in hit.explanation.parts] == [("a", 1.0), ("b", 0.5), ("c", -1.0)]
        given_by = [part.contribution for part in hit.explanation.parts if part.contribution is not None]
        assert given_by == pytest.approx([hit.cosine], abs=1e-6)  # of the part that found the segment
        assert [part.relevance for part in hit.explanation.parts] == pytest.approx(alone[hit.path.name].tolist(), abs=1e-6)


def test_contributions_of_what_is_wanted_add_up_to_the_cosine(full: Shelf) -> None:
    vectors = [random_vector(1), random_vector(2)]
    query = Query((given(vectors[0], 2.0, "a"), given(vectors[1], -0.5, "b"), Text("red")), limit=50, min_relevance=0, explain=True)
    red = np.eye(8)[0]
    length = float(np.linalg.norm(2 * vectors[0] + red))
    answer = full.engine(calibrated=False).answer(query)
    assert len(answer) == 50
    for hit in answer:
        assert hit.explanation is not None
        shares = {part.label: part.contribution for part in hit.explanation.parts}
        assert (list(shares), shares.pop("b")) == (["a", "b", "red"], None)
        rows = full.truth[hit.path.name][1]
        best = rows[np.argmax(rows @ (2 * vectors[0] + red))]
        assert shares == pytest.approx({"a": 2 * best @ vectors[0] / length, "red": best[0] / length}, abs=1e-5)
        assert sum(share for share in shares.values() if share is not None) == pytest.approx(hit.cosine, abs=1e-5)
        assert (hit.explanation.cosine, hit.explanation.asked, hit.explanation.space) == (hit.cosine, "image+text", "colour")


def test_a_trained_fusion_has_a_seam(full: Shelf) -> None:
    class Second:
        """Knows that the second part is what counts."""

        name = "second"
        with_parts = False

        def fuse(self, pieces: Pieces) -> Fused:
            return Fused(pieces.vectors[1], (0.0, 1.0))

    vectors = [random_vector(1), random_vector(2)]
    answer = full.engine(calibrated=False).answer(Query(tuple(map(given, vectors)), limit=20, fusion=Second()))
    wanted = full.brute(vectors[1], 20)
    assert [hit.cosine for hit in answer] == pytest.approx([cosine for _, cosine in wanted], abs=1e-6)


@pytest.mark.parametrize("fusion", ["max", "rrf"])
def test_pushing_away_alone_ranks_nothing_when_answers_are_joined(full: Shelf, fusion: str) -> None:
    with pytest.raises(BadQuery, match=f"{fusion} has nothing to rank"):
        full.engine().answer(Query((Text("red", -1.0), Text("blue", -1.0)), fusion=fusion_named(fusion)))


CONDITIONS: dict[str, Callable[[str], bool]] = {
    "path:*.video": lambda name: name.endswith(".video"),
    "path:0*": lambda name: name.startswith("0"),
    "path:007.*": lambda name: name.startswith("007."),
    "not path:*7.*": lambda name: "7." not in name,
    "path:nothing": lambda name: False,
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("fusion", ["mean", "max"])
def test_conditions_hold_before_the_best_are_chosen(full: Shelf, condition: str, fusion: str) -> None:
    vector = random_vector(5)
    query = Query((given(vector),), limit=15, where=parse(condition), fusion=fusion_named(fusion), min_relevance=0)
    answer = full.engine(calibrated=False).answer(query)
    wanted = [(name, cosine) for name, cosine in full.brute(vector, COUNT) if CONDITIONS[condition](name)][:15]
    assert [hit.cosine for hit in answer] == pytest.approx([cosine for _, cosine in wanted], abs=1e-6)
    assert {hit.path.name for hit in answer} == {name for name, _ in wanted}
    if not wanted:
        assert [note for note in answer.notes if "satisfies" in note] == [f"no file in the library satisfies  {parse(condition)}"]


def test_of_copies_only_those_that_satisfy_are_shown(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    red = np.eye(8, dtype=np.float32)[0]
    content = shelf.put("keep/a.png", Kind.IMAGE, (Segment(Modality.IMAGE), red))
    shelf.copy(content, "drop/b.png")
    answer = shelf.engine(calibrated=False).answer(Query((Text("red"),), where=parse("path:keep/*")))
    shelf.catalog.close()
    assert [hit.path.name for hit in answer] == ["a.png"]


def test_a_stretch_of_a_film_is_what_lies_in_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    red, green, blue = np.eye(8, dtype=np.float32)[:3]
    at = [Segment(Modality.IMAGE, 1000 * i, 1000 * (i + 1), 1000 * i + 500) for i in range(3)]
    film = shelf.put("film", Kind.VIDEO, *zip(at, [red, green, blue], strict=True))
    engine = shelf.engine(calibrated=False)
    for start, end, rows in ((None, None, [red, green, blue]), (1000, 2000, [green]), (999, 1001, [red, green]), (2999, None, [blue])):
        stored = engine.stored(film, start_ms=start, end_ms=end)
        np.testing.assert_array_equal(stored.vectors[1].rows, np.stack(rows))
    with pytest.raises(BadQuery, match=r"film@0:03: there is nothing of the file at that time"):
        engine.stored(film, start_ms=3000, label="film@0:03")
    shelf.catalog.close()


def test_what_is_not_relevant_is_not_shown_and_the_answer_says_so(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    query = Query((given(random_vector(9)),), min_relevance=0.9999)
    answer = engine.answer(query)
    assert not len(answer)
    best = (1 + full.brute(random_vector(9), 1)[0][1]) / 2
    assert any(f"nothing relevant: the likeliest has a relevance of {best:.2f}, and less than 1.00" in note for note in answer.notes)
    assert answer.min_relevance == 0.9999


def test_no_more_moments_than_asked_for(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    red, green = np.eye(8, dtype=np.float32)[:2]
    at = [Segment(Modality.IMAGE, 1000 * i, 1000 * (i + 1), 1000 * i + 500) for i in range(5)]
    shelf.put("film", Kind.VIDEO, *zip(at, [red, green, red, green, red], strict=True))
    engine = shelf.engine(calibrated=False)
    for most, count in ((None, 3), (2, 2), (1, 1)):
        (hit,) = engine.answer(Query((Text("red"),), moments=most))
        assert len(hit.moments) == count
    with pytest.raises(BadQuery, match="0 moments are none"):
        Query((Text("red"),), moments=0)
    shelf.catalog.close()


@pytest.mark.parametrize("limit", [1, 10, 400])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (2.0, 0.5, 1.0), (1.0, -1.0), (1.0, 2.0, -0.5)])
def test_the_mean_of_what_is_wanted_ranks_and_its_best_is_as_relevant_as_that_of_any_part(
    full: Shelf, weights: tuple[float, ...], limit: int
) -> None:
    """Order and cut against brute force: what is pushed away takes its share off the odds and is no part of the mean."""
    least = 0.8
    for seed in range(3):
        vectors = [random_vector(50 * seed + number) for number in range(len(weights))]
        names, scores = brute(full, vectors)
        wanted = [number for number, weight in enumerate(weights) if weight > 0]
        mean = weighted_mean(np.stack([vectors[number] for number in wanted]), [weights[number] for number in wanted])
        _, whole = brute(full, [mean])
        best = max(scores[number].max() + math.log(weights[number] / max(weights)) for number in wanted)
        relevant = whole[0] + max(0.0, best - whole.max()) + pushed(scores, weights)
        kept = [place for place in np.argsort(-relevant, kind="stable") if relevant[place] >= math.log(least / (1 - least))]
        answer = full.engine(calibrated=False).answer(Query(tuple(map(given, vectors, weights)), limit=limit, min_relevance=least))
        assert [hit.score for hit in answer] == pytest.approx([relevant[place] for place in kept[:limit]], abs=1e-6)
        assert {hit.path.name for hit in answer} == {names[place] for place in kept[:limit]}
        assert [hit.relevance for hit in answer] == pytest.approx([1 / (1 + math.exp(-hit.score)) for hit in answer])
        assert (answer.cursor is None) == (len(kept) <= limit)


def test_where_everything_is_pushed_away_what_is_furthest_comes_first(full: Shelf) -> None:
    vectors = [random_vector(4), random_vector(5)]
    engine = full.engine(calibrated=False)
    answer = engine.answer(Query((given(vectors[0], -1.0), given(vectors[1], -0.5)), limit=20))
    wanted = full.brute(weighted_mean(np.stack(vectors), [-1.0, -0.5]), 20)
    assert [hit.cosine for hit in answer] == pytest.approx([cosine for _, cosine in wanted], abs=1e-6)


def test_moments_that_are_not_relevant_are_not_told_beside_the_best(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    red, green = np.eye(8, dtype=np.float32)[:2]
    near, further = unit(red + 0.5 * green), unit(red + 0.6 * green)  # relevances of 0.947 and 0.929
    at = [Segment(Modality.IMAGE, 0, 1000, 500), Segment(Modality.IMAGE, 5000, 6000, 5500), Segment(Modality.AUDIO, 9000, 10000)]
    shelf.put("film", Kind.VIDEO, *zip(at, [near, green, further], strict=True))
    engine = shelf.engine(calibrated=False)
    signals = {}
    for least in (0, 0.92, 0.94):
        (hit,) = engine.answer(Query((Text("red"),), min_relevance=least))
        signals[least] = [moment.signals for moment in hit.moments]
    shelf.catalog.close()
    assert signals == {0: [("seen",), ("heard",)], 0.92: [("seen",), ("heard",)], 0.94: [("seen",)]}
