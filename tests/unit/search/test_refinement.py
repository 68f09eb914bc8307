"""Refined queries against Rocchio's formula and brute force: their vectors, the order of their hits, and what their scores say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from hypothesis import given
from hypothesis import strategies as st
from shelf import Shelf, unit

from anyseek.errors import BadQuery
from anyseek.search.backgrounds import Origin
from anyseek.search.calibration import Calibration
from anyseek.search.calibrations import setting_of
from anyseek.search.engine import Engine
from anyseek.search.fusion import ReciprocalRank
from anyseek.search.judged import Named, judged
from anyseek.search.probe import Probe, Side
from anyseek.search.query import Judged, Query, Refinement, Stored, Text, Vectors
from anyseek.search.refinement import LIKED, REJECTED, Refiner, refined
from anyseek.search.relevance import Calibrated, PlainCosine, log_odds, relevance_of
from anyseek.search.spaces import SearchSpace
from anyseek.search.timings import Stopwatch
from anyseek.search.vocabulary import Vocabulary
from anyseek.storage.catalog import SpaceRow
from anyseek.types import Kind, Modality, Segment

KINDS = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO)
RED, GREEN, BLUE, DARK = np.eye(8, dtype=np.float32)[:4]
WATCH = Stopwatch()
TEXTS = tuple(f"{first} {second}" for first in ("red", "green", "blue", "dark", "other") for second in ("low", "high", "black", "white"))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "library")
    yield shelf
    shelf.catalog.close()


@pytest.fixture
def full(shelf: Shelf) -> Shelf:
    """120 contents of 1 to 20 segments with random vectors, called by their numbers; the id of each is its number and one."""
    random = np.random.default_rng(7)
    for number in range(120):
        kind = KINDS[number % 3]
        modality = Modality.AUDIO if kind is Kind.AUDIO else Modality.IMAGE
        count = 1 if kind is Kind.IMAGE else int(random.integers(2, 20))
        timed = kind is not Kind.IMAGE
        segments = [
            (Segment(modality, i * 1000 * timed, (i + 1) * 1000 * timed), unit(np.abs(random.normal(size=8)) + random.normal(size=8) / 2))
            for i in range(count)
        ]
        assert shelf.put(f"{number:03}", kind, *segments) == number + 1
    return shelf


def of(vector: np.ndarray, modality: Modality = Modality.IMAGE, *, whole: bool = True) -> Judged:
    return Judged(Stored({1: Vectors(np.atleast_2d(vector), (modality,) * len(np.atleast_2d(vector)))}), whole)


def probe_of(vector: np.ndarray, space_id: int = 1) -> Probe:
    space = SearchSpace(SpaceRow(space_id, ColourEncoder().space, "serving"), ColourEncoder, lambda: pytest.fail("nothing is looked up"))
    return Probe(space, vector, (Side(Origin(Modality.TEXT), vector, 1.0),))


def rocchio(query: np.ndarray, liked: Sequence[np.ndarray] = (), rejected: Sequence[np.ndarray] = ()) -> np.ndarray:
    moved = query.astype(np.float64)
    if len(liked):
        moved = moved + 0.75 * np.mean(liked, axis=0)
    if len(rejected):
        moved = moved - 0.15 * np.mean(rejected, axis=0)
    return unit(moved)


def stored(shelf: Shelf, content_id: int) -> np.ndarray:
    return shelf.truth[f"{content_id - 1:03}"][1]


def asked(
    engine: Engine, text: str, liked: Sequence[Named] = (), rejected: Sequence[Named] = (), **wanted: object
) -> tuple[list[tuple[str, float]], Query]:
    refinement, without = judged(engine, engine.catalog, liked, rejected)
    query = Query((Text(text),), without=without, refinement=refinement, limit=400, **wanted)  # type: ignore[arg-type]
    return [(hit.path.name, hit.cosine) for hit in engine.answer(query)], query


def in_order(scored: Sequence[tuple[str, float]]) -> list[str]:
    return [name for name, score in sorted(scored, key=lambda item: (-round(item[1], 5), item[0]))]


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_a_refined_vector_is_rocchios_and_the_sum_of_its_sides(liked: int, rejected: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    query, *others = (unit(random.normal(size=8)) for _ in range(1 + liked + rejected))
    wanted, unwanted = others[:liked], others[liked:]
    moved = refined(probe_of(query), Refinement(tuple(map(of, wanted)), tuple(map(of, unwanted))), PlainCosine(), WATCH)
    np.testing.assert_allclose(moved.vector, rocchio(query, wanted, unwanted), atol=1e-5)
    np.testing.assert_allclose(np.sum([side.share * side.vector for side in moved.sides], axis=0), moved.vector, atol=1e-5)
    assert [side.part for side in moved.sides] == [0, *[LIKED] * liked, *[REJECTED] * rejected]
    assert moved.vector.dtype == np.float32
    assert np.linalg.norm(moved.vector) == pytest.approx(1.0, abs=1e-6)


def test_by_hand() -> None:
    moved = refined(probe_of(RED), Refinement((of(GREEN), of(BLUE)), (of(DARK),)), PlainCosine(), WATCH)
    length = (1 + 2 * 0.375**2 + 0.15**2) ** 0.5
    np.testing.assert_allclose(moved.vector[:4], np.array([1, 0.375, 0.375, -0.15]) / length, atol=1e-6)
    assert [side.share * length for side in moved.sides] == pytest.approx([1, 0.375, 0.375, -0.15])
    assert [side.origin.modality for side in moved.sides] == [Modality.TEXT, Modality.IMAGE, Modality.IMAGE, Modality.IMAGE]


def test_nothing_judged_changes_nothing_and_so_does_what_another_space_holds() -> None:
    probe = probe_of(RED)
    assert refined(probe, Refinement(), PlainCosine(), WATCH) is probe
    assert refined(probe_of(RED, 2), Refinement((of(GREEN),), (of(BLUE),)), PlainCosine(), WATCH).vector is RED


def test_of_a_whole_film_the_segment_counts_that_answers_best_and_of_a_moment_all_of_them() -> None:
    rows = np.stack([GREEN, unit(RED + BLUE), BLUE])
    whole = refined(probe_of(RED), Refinement((of(rows),)), PlainCosine(), WATCH)
    np.testing.assert_allclose(whole.vector, rocchio(RED, [rows[1]]), atol=1e-6)
    moment = refined(probe_of(RED), Refinement((of(rows, whole=False),)), PlainCosine(), WATCH)
    np.testing.assert_allclose(moment.vector, rocchio(RED, [unit(rows.mean(axis=0))]), atol=1e-6)


@pytest.mark.parametrize("limit", [1, 7, 400])
def test_hits_are_in_the_order_of_brute_force(full: Shelf, limit: int) -> None:
    engine = full.engine(calibrated=False)
    for seed in range(4):
        picks = np.random.default_rng(seed).choice(120, 4, replace=False) + 1
        liked, rejected = [Named(int(one)) for one in picks[:2]], [Named(int(one)) for one in picks[2:]]
        query = ColourEncoder().encode_text(["red other"])[0]
        best = [max(stored(full, one.content_id), key=lambda row: float(row @ query)) for one in (*liked, *rejected)]
        left_out = {f"{one.content_id - 1:03}" for one in rejected}
        wanted = [one for one in full.brute(rocchio(query, best[:2], best[2:]), 400) if one[0] not in left_out][:limit]
        refinement, without = judged(engine, full.catalog, liked, rejected)
        answer = engine.answer(Query((Text("red other"),), without=without, refinement=refinement, limit=limit))
        found = [(hit.path.name, hit.cosine) for hit in answer]
        assert in_order(found) == in_order(wanted)
        np.testing.assert_allclose([cosine for _, cosine in found], [cosine for _, cosine in wanted], atol=1e-5)


def test_a_rejected_moment_is_left_out_and_the_rest_of_its_file_is_not(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    query = ColourEncoder().encode_text(["red"])[0]
    films = [number for number in range(120) if KINDS[number % 3] is not Kind.IMAGE]
    rows = {number: stored(full, number + 1) for number in films}
    film = max(films, key=lambda number: float((rows[number] @ query).max()))  # the best hit of all films and sounds
    at = int(np.argmax(rows[film] @ query))
    rejected = Named(film + 1, (at * 1000 + 200, at * 1000 + 300))
    moved = rocchio(query, rejected=[rows[film][at]])
    left = np.delete(rows[film], at, axis=0)
    full.truth[f"{film:03}"] = (full.truth[f"{film:03}"][0], left)
    found, _ = asked(engine, "red", rejected=[rejected])
    assert in_order(found) == in_order(full.brute(moved, 400))
    (hit,) = [hit for hit in engine.answer(asked(engine, "red", rejected=[rejected])[1]) if hit.path.name == f"{film:03}"]
    assert all(not (moment.start_ms <= at * 1000 < moment.end_ms) for moment in hit.moments)
    everything = [Named(film + 1, (0, 60_000))]
    assert f"{film:03}" not in [name for name, _ in asked(engine, "red", rejected=everything)[0]]


def test_what_is_liked_may_be_an_answer_again(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    plain, moved = (in_order(asked(engine, "red", liked=liked)[0]) for liked in ([], [Named(4)]))
    assert len(plain) == len(moved) == 120
    assert moved.index("003") < plain.index("003")


def test_all_that_ranks_is_refined_and_what_pushes_away_is_not(full: Shelf) -> None:
    """Of several parts that is the vector of all of them; with a late fusion it is that of each."""
    engine = full.engine(calibrated=False)
    refinement, _ = judged(engine, full.catalog, [Named(4)])
    red, blue = ColourEncoder().encode_text(["red", "blue"])
    liked = stored(full, 4)
    together = engine.answer(Query((Text("red"), Text("blue")), refinement=refinement, limit=400))
    assert in_order([(hit.path.name, hit.cosine) for hit in together]) == in_order(full.brute(rocchio(unit(red + blue), liked), 400))
    plan = Query((Text("red"), Text("blue", -1.0)), refinement=refinement, limit=400)
    refine = Refiner(full.catalog, plan, {}, engine.relevance, WATCH)
    questions, _ = engine._questions(plan, engine._current(), engine.spaces, refine, WATCH)
    assert [question.weight for question in questions] == [1.0, -1.0]
    np.testing.assert_allclose(questions[0].probes[0].vector, rocchio(red, liked), atol=1e-5)
    np.testing.assert_allclose(questions[1].probes[0].vector, blue, atol=1e-6)
    late = replace(plan, parts=(Text("red"), Text("blue", 2.0)), fusion=ReciprocalRank())
    questions, _ = engine._questions(late, engine._current(), engine.spaces, refine, WATCH)
    for question, vector in zip(questions, (red, blue), strict=True):
        np.testing.assert_allclose(question.probes[0].vector, rocchio(vector, liked), atol=1e-5)


def test_scores_are_calibrated_by_what_a_refined_query_is_made_of(full: Shelf) -> None:
    """The chance of a sum of sides, written out: means and curves by shares, deviations along the vectors, hubs by the text's share. Then
    what nobody has judged is as relevant as before, in the mean of the best five."""
    calibration = Calibration(4, 0.5, {}, Vocabulary.of(TEXTS).digest)
    with full.catalog.transaction() as writer:
        writer.put_setting(setting_of(full.search_spaces()[0]), calibration.to_json())
    engine = full.engine(*TEXTS)
    relevance, (space,) = engine.relevance, engine.spaces
    assert isinstance(relevance, Calibrated)
    red, picture = ColourEncoder().encode_text(["red"])[0], stored(full, 4)[0]
    length = float(np.linalg.norm(red + 0.75 * picture))
    _, query = asked(engine, "red", liked=[Named(4)], min_relevance=0, kinds=frozenset({Kind.IMAGE}))
    text, image = (relevance.backgrounds.of(space, Modality.IMAGE, Origin(sort), WATCH) for sort in (Modality.TEXT, Modality.IMAGE))
    mean = (text.mean + 0.75 * image.mean) / length
    deviation = float(np.linalg.norm(text.deviation * red + 0.75 * image.deviation * picture)) / length
    deviation = max(deviation, min(text.deviation, image.deviation))
    ids = full.catalog.live_embeddings(space.id)
    hubs = relevance.hubs.taken(space, ids, WATCH)
    assert hubs is not None
    taken = dict(zip(ids.tolist(), np.asarray(hubs, np.float64).tolist(), strict=True))
    assert max(taken.values()) > 0.1
    middle = (text.middle + 0.75 * image.middle) / 1.75
    steepness = (text.steepness + 0.75 * image.steepness) / 1.75

    def measured(number: int) -> float:
        (embedding,), _, _ = full.catalog.embeddings_of([number + 1], space.id)
        cosine = float(stored(full, number + 1)[0] @ rocchio(red, [picture]))
        return steepness * ((cosine - taken[int(embedding)] / length - mean) / deviation - middle)

    def plain(number: int) -> float:
        (embedding,), _, _ = full.catalog.embeddings_of([number + 1], space.id)
        corrected = float(stored(full, number + 1)[0] @ red) - taken[int(embedding)]
        return text.steepness * ((corrected - text.mean) / text.deviation - text.middle)

    others = [number for number in range(0, 120, 3) if number != 3]
    before, after = (sorted(map(score, others), reverse=True)[:5] for score in (plain, measured))
    lift = max(0.0, 0.001 - measured(3), float(np.mean(before) - np.mean(after)))
    hits = list(engine.answer(query))
    assert len(hits) == 40
    for hit in hits:
        assert hit.score == pytest.approx(measured(int(hit.path.name)) + lift, abs=1e-3)
        assert hit.relevance == pytest.approx(relevance_of(hit.score))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert next(hit.relevance for hit in hits if hit.path.name == "003") >= 0.5


def relevances(shelf: Shelf, text: str, *liked: str) -> dict[str, float]:
    """Of the 8 groups of 10 pictures along the 8 axes, called group-number, the best first."""
    random = np.random.default_rng(3)
    if not shelf.truth:
        for number in range(80):
            row = unit(np.eye(8)[number % 8] + 0.15 * random.normal(size=8))
            shelf.put(f"{number % 8}-{number // 8}", Kind.IMAGE, (Segment(Modality.IMAGE), row))
    engine = shelf.engine(*TEXTS)
    ids = {path: row.content_id for path, row in shelf.catalog.assets(shelf.source.id).items()}
    refinement, _ = judged(engine, shelf.catalog, [Named(ids[one] or 0) for one in liked])
    answer = engine.answer(Query((Text(text),), refinement=refinement, limit=80, min_relevance=0))
    return {hit.path.name: hit.relevance for hit in answer}


def test_likes_that_the_words_say_nothing_of_become_relevant_and_what_is_like_neither_does_not(shelf: Shelf) -> None:
    """A word of five letters lies along axis 5, and the likes along axis 2: nothing is as near to both as to one of them."""
    plain, moved = relevances(shelf, "three"), relevances(shelf, "three", "2-0", "2-1", "2-2")
    assert {name[0] for name, relevance in plain.items() if relevance >= 0.5} == {"5"}
    relevant = [name for name, relevance in moved.items() if relevance >= 0.5]
    assert {name[0] for name in relevant} == {"2", "5"}
    assert {"2-0", "2-1", "2-2"} <= set(relevant)
    assert min(moved[name] for name in ("2-0", "2-1", "2-2")) == pytest.approx(0.5, abs=1e-3)  # and no more than needed
    best = [relevance for name, relevance in moved.items() if name not in ("2-0", "2-1", "2-2")][:5]
    assert np.mean(log_odds(np.array(best))) >= np.mean(log_odds(np.array(list(plain.values())[:5])))
    assert max(relevance for name, relevance in moved.items() if name[0] not in "25") < 0.1


def test_likes_of_what_the_words_mean_need_no_help(shelf: Shelf) -> None:
    moved = relevances(shelf, "three", "5-0", "5-1", "5-2")
    assert {name[0] for name, relevance in moved.items() if relevance >= 0.5} == {"5"}
    assert min(relevance for name, relevance in moved.items() if name[0] == "5") > 0.5
    probe = probe_of(ColourEncoder().encode_text(["three"])[0])
    liked = Refinement((of(np.eye(8, dtype=np.float32)[5]),))
    assert refined(probe, liked, shelf.engine(*TEXTS).relevance, WATCH).lifts == {}


def test_pages_of_a_refined_query_fit_together_and_belong_to_it(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    whole, query = asked(engine, "red", liked=[Named(4)], rejected=[Named(7), Named(2, (0, 1000))])
    first = engine.answer(replace(query, limit=50))
    second = engine.answer(replace(query, limit=400, cursor=first.cursor))
    assert [hit.path.name for hit in (*first, *second)] == [name for name, _ in whole]
    turned = replace(query.refinement, liked=query.refinement.rejected, rejected=query.refinement.liked)
    for other in (Refinement(), replace(query.refinement, liked=()), replace(query.refinement, hidden={}), turned):
        with pytest.raises(BadQuery, match="belongs to another question"):
            engine.answer(replace(query, refinement=other, cursor=first.cursor))


def test_an_explanation_adds_up(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    refinement, without = judged(engine, full.catalog, [Named(4), Named(5)], [Named(7)])
    for hit in engine.answer(Query((Text("red"),), refinement=refinement, without=without, explain=True)):
        assert hit.explanation is not None
        parts = {part.name: part for part in hit.explanation.parts}
        assert [(part.name, part.label, part.weight) for part in parts.values()] == [
            ("text", "red", 1.0),
            ("liked", "liked 2", 0.75),
            ("rejected", "rejected 1", -0.15),
        ]
        assert sum(part.contribution or 0.0 for part in parts.values()) == pytest.approx(hit.cosine, abs=1e-5)
        assert [part.relevance for part in parts.values()] == [None, None, None]  # no part was asked alone


def test_what_is_judged_both_ways_or_has_no_vectors_is_refused(full: Shelf) -> None:
    engine = full.engine(calibrated=False)
    with pytest.raises(BadQuery, match="a film is both liked and rejected"):
        judged(engine, full.catalog, [Named(2, label="a film")], [Named(2, label="the same")])
    judged(engine, full.catalog, [Named(2)], [Named(2, (0, 1000))])  # of a film that is liked a moment may be rejected
    with pytest.raises(BadQuery, match="a film: there is nothing of the file at that time"):
        judged(engine, full.catalog, [Named(2, (59_000, 60_000), "a film")])


def test_each_space_is_moved_by_what_it_holds_itself(tmp_path: Path) -> None:
    seeing = ColourEncoder("seeing", modalities=frozenset({Modality.TEXT, Modality.IMAGE}))
    hearing = ColourEncoder("hearing", modalities=frozenset({Modality.TEXT, Modality.AUDIO}))
    shelf = Shelf(tmp_path / "library", seeing, hearing)
    random = np.random.default_rng(5)
    for number in range(12):
        row = unit(random.normal(size=8))
        if number % 2:
            shelf.put(f"{number}.wav", Kind.AUDIO, (Segment(Modality.AUDIO, 0, 1000), row), space=1)
        else:
            shelf.put(f"{number}.png", Kind.IMAGE, (Segment(Modality.IMAGE), row))
    for calibrated in (False, True):
        engine = shelf.engine(*TEXTS, calibrated=calibrated)
        plain, moved = (
            {hit.path.name: (hit.cosine, hit.score) for hit in engine.answer(asked(engine, "red", liked=liked, min_relevance=0)[1])}
            for liked in ([], [Named(1)])
        )
        assert plain.keys() == moved.keys()
        assert {name for name in plain if plain[name] == moved[name]} == {name for name in plain if name.endswith(".wav")}
        assert moved["0.png"][0] > plain["0.png"][0]
    shelf.catalog.close()
