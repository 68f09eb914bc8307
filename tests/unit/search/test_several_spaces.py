"""Pictures in one space and sounds in another, of other scales: answers against standard scores worked out from first principles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from elsewhere import ElsewhereEncoder
from fakes import WORDS, ColourEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import Shelf, unit

from anyseek.encoders.protocol import Encoder
from anyseek.errors import BadQuery, UnsupportedModality
from anyseek.search.engine import Answer, Engine, Hit
from anyseek.search.query import Example, Query, Stored, Text, Vectors
from anyseek.search.spaces import SearchSpace
from anyseek.search.vocabulary import Vocabulary
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Clip, Kind, Modality, Picture, Segment, Sound

TEXTS = tuple(" ".join(pair) for pair in combinations(WORDS, 2))
SEEING = frozenset({Modality.TEXT, Modality.IMAGE})
HEARING = frozenset({Modality.TEXT, Modality.AUDIO})
COLOURS = np.array([unit(np.array([*mix, 0, 0, 0, 0], np.float64)) for mix in np.ndindex(3, 3, 3, 2) if any(mix)])
RED, GREEN, BLUE = np.eye(8, dtype=np.float32)[:3]


def sight(low: float = 0.2, span: float = 0.1) -> ElsewhereEncoder:
    return ElsewhereEncoder("sight", low, span, 1, SEEING)


def hearing(low: float = 0.6, span: float = 0.3) -> ElsewhereEncoder:
    return ElsewhereEncoder("hearing", low, span, 2, HEARING)


def seen(start: int = 0, end: int = 0) -> Segment:
    return Segment(Modality.IMAGE, start, end)


def heard(start: int, end: int) -> Segment:
    return Segment(Modality.AUDIO, start, end)


class Pair(Shelf):
    """Pictures in the first space and sounds in the second; a film may be in both."""

    def __init__(self, folder: Path, sees: ElsewhereEncoder | None = None, hears: ElsewhereEncoder | None = None) -> None:
        super().__init__(folder, sees or sight(), hears or hearing())
        self.sees, self.hears = self.encoders

    def picture(self, path: str, colour: np.ndarray) -> int:
        return self.put(path, Kind.IMAGE, (seen(), self.sees.place(colour[None], Modality.IMAGE)[0]))

    def sound(self, path: str, colour: np.ndarray) -> int:
        return self.put(path, Kind.AUDIO, (heard(0, 1000), self.hears.place(colour[None], Modality.AUDIO)[0]), space=1)

    def film(self, path: str, shows: list[np.ndarray], sounds: list[np.ndarray]) -> int:
        frames = self.sees.place(np.array(shows), Modality.IMAGE)
        windows = self.hears.place(np.array(sounds), Modality.AUDIO)
        self.put(path, Kind.VIDEO, *((seen(1000 * i, 1000 * (i + 1)), row) for i, row in enumerate(frames)))
        return self.put(path, Kind.VIDEO, *((heard(1000 * i, 1000 * (i + 1)), row) for i, row in enumerate(windows)), space=1)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path / "library")
    yield pair
    pair.catalog.close()


@pytest.fixture
def full(pair: Pair) -> Pair:
    """Each colour as a picture and as a sound."""
    for number, colour in enumerate(COLOURS):
        pair.picture(f"{number:02}.png", colour)
        pair.sound(f"{number:02}.ogg", colour)
    return pair


def halves(vectors: np.ndarray) -> np.ndarray:
    return vectors.astype(np.float16).astype(np.float64)


def chance(queries: np.ndarray, vectors: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of the cosines, pair by pair."""
    cosines = [float(query @ vector) for query in queries for vector in vectors]
    mean = sum(cosines) / len(cosines)
    return mean, (sum((cosine - mean) ** 2 for cosine in cosines) / len(cosines)) ** 0.5


def by_name(answer: Answer) -> dict[str, float]:
    return {hit.path.name: hit.score for hit in answer}


def merits(hits: Iterable[Hit], colour: np.ndarray) -> list[float]:
    """How much each hit is of a colour, by the number in its name."""
    return [float(COLOURS[int(hit.path.stem)] @ colour) for hit in hits]


def best_merits(colour: np.ndarray, count: int) -> list[float]:
    return sorted((COLOURS @ colour).tolist(), reverse=True)[:count]


def test_a_text_is_ranked_by_standard_scores_less_where_chance_ends_over_both_spaces(full: Pair) -> None:
    answer = full.engine(*TEXTS).answer(Query((Text("red"),), limit=200, min_relevance=0))
    raw, wanted = {}, {}
    for encoder, modality, suffix in ((full.sees, Modality.IMAGE, "png"), (full.hears, Modality.AUDIO, "ogg")):
        vectors = halves(encoder.place(COLOURS, modality))
        captions = halves(encoder.encode_text(TEXTS))
        mean, deviation = chance(captions, vectors)
        way = float(np.median((captions @ vectors.T).max(axis=0))) - mean
        level = float(np.quantile((captions @ vectors.T).max(axis=1), 0.9)) - mean
        middle = min(max(level, 0.7 * way), 0.9 * way) / deviation
        cosines = vectors @ encoder.encode_text(["red"])[0]
        raw |= {f"{number:02}.{suffix}": cosine for number, cosine in enumerate(cosines)}
        wanted |= {f"{number:02}.{suffix}": 2.5 * ((cosine - mean) / deviation - middle) for number, cosine in enumerate(cosines)}
    assert by_name(answer) == pytest.approx(wanted, abs=1e-4)
    assert [hit.score for hit in answer] == pytest.approx(sorted(wanted.values(), reverse=True), abs=1e-4)
    assert answer.searched == 2 * len(COLOURS)
    assert answer.spaces == ("sight", "hearing")
    assert {(hit.kind, hit.space, hit.bridge) for hit in answer} == {(Kind.IMAGE, "sight", None), (Kind.AUDIO, "hearing", None)}
    assert {hit.path.name: hit.cosine for hit in answer} == pytest.approx(raw, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(
    scales=st.tuples(st.sampled_from([(0.2, 0.1), (0.6, 0.3), (0.05, 0.8), (0.0, 0.4), (-0.2, 0.2)])).flatmap(
        lambda one: st.tuples(st.just(one[0]), st.sampled_from([(0.2, 0.1), (0.6, 0.3), (0.05, 0.8), (0.9, 0.1)]))
    ),
    text=st.sampled_from(TEXTS),
    limit=st.integers(2, 60),
)
def test_neither_side_drowns_the_other_whatever_their_scales(
    tmp_path_factory: pytest.TempPathFactory, scales: tuple[tuple[float, float], tuple[float, float]], text: str, limit: int
) -> None:
    pair = Pair(tmp_path_factory.mktemp("pair") / "library", sight(*scales[0]), hearing(*scales[1]))
    for number, colour in enumerate(COLOURS):
        pair.picture(f"{number:02}.png", colour)
        pair.sound(f"{number:02}.ogg", colour)
    answer = pair.engine(*TEXTS).answer(Query((Text(text),), limit=limit, min_relevance=0))
    pair.catalog.close()
    (query,) = ColourEncoder().encode_text([text])
    merit = COLOURS @ query
    found = [merit[int(hit.path.stem)] for hit in answer]
    best = np.sort(np.repeat(merit, 2))[::-1][:limit]
    np.testing.assert_allclose(found, best, atol=0.03)  # halves of vectors that differ by a tenth of their length


def test_a_single_sound_is_found_among_many_pictures_when_it_fits_and_not_when_it_does_not(pair: Pair) -> None:
    for number, colour in enumerate(COLOURS):
        pair.picture(f"{number:02}.png", colour)
    pair.sound("low.ogg", RED)
    engine = pair.engine(*TEXTS)
    red = [hit.path.name for hit in engine.answer(Query((Text("red"),), limit=100, min_relevance=0))]
    blue = [hit.path.name for hit in engine.answer(Query((Text("blue"),), limit=100, min_relevance=0))]
    assert red.index("low.ogg") < 12
    assert blue.index("low.ogg") > 25


def test_the_best_of_all_groups_are_found_whatever_drowns_them(pair: Pair) -> None:
    """Films with a hundred red frames each come before the one blue sound in every lookup, and a limit of 1 fetches only eight."""
    for number in range(5):
        pair.film(f"{number}.mp4", [RED] * 100, [GREEN])
    pair.sound("high.ogg", BLUE)
    (hit,) = pair.engine(*TEXTS).answer(Query((Text("high"),), limit=1, min_relevance=0))
    assert (hit.path.name, hit.space) == ("high.ogg", "hearing")


def test_a_film_that_is_seen_in_one_space_and_heard_in_the_other_is_one_hit_with_moments_of_both(full: Pair) -> None:
    film = full.film("film.mp4", [GREEN, RED, RED, GREEN], [GREEN, RED, RED, GREEN])
    hits = [hit for hit in full.engine(*TEXTS).answer(Query((Text("red"),), limit=200, min_relevance=0)) if hit.path.name == "film.mp4"]
    assert [(hit.start_ms, hit.end_ms, hit.signals, len(hit.moments)) for hit in hits] == [(1000, 3000, ("seen", "heard"), 1)]
    similar = full.engine(*TEXTS).answer(Query((full.engine(*TEXTS).stored(film),), limit=300, without=frozenset({film}), min_relevance=0))
    assert "film.mp4" not in by_name(similar)
    assert len(similar) == 2 * len(COLOURS)
    assert {hit.bridge for hit in similar} == {None}  # both spaces have vectors of it


def test_a_picture_reaches_the_sounds_by_a_bridge_and_its_hits_say_so(full: Pair) -> None:
    red = Picture(seen(), np.full((4, 4, 3), (255, 0, 0), np.uint8))
    answer = full.engine(*TEXTS).answer(Query((Example(Kind.IMAGE, {full.spaces[0].id: (red,)}),), limit=200, min_relevance=0))
    assert {(hit.kind, hit.space, hit.bridge) for hit in answer} == {
        (Kind.IMAGE, "sight", None),
        (Kind.AUDIO, "hearing", "ridge: sight → hearing"),
    }
    for suffix in (".png", ".ogg"):
        found = merits([hit for hit in answer if hit.path.suffix == suffix], RED)
        assert found[:5] == pytest.approx(best_merits(RED, 5), abs=0.05)
    names = [hit.path.name for hit in answer]
    assert {Path(name).suffix for name in names[:4]} == {".png", ".ogg"}


def test_a_sound_reaches_the_pictures_by_names(full: Pair) -> None:
    tone = np.sin(2 * np.pi * 200 * np.arange(8000) / 8000).astype(np.float32)
    query = Query(
        (Example(Kind.AUDIO, {full.spaces[1].id: (Sound(heard(0, 1000), tone),)}),), frozenset({Kind.IMAGE}), limit=5, min_relevance=0
    )
    answer = full.engine(*TEXTS, bridge="labels").answer(query)
    assert {hit.bridge for hit in answer} == {"labels: hearing → sight"}
    assert merits(answer, RED) == pytest.approx(best_merits(RED, 5), abs=0.05)


def test_what_the_library_has_already_reaches_the_other_space_too(full: Pair) -> None:
    picture = full.picture("red.png", RED)
    engine = full.engine(*TEXTS)
    answer = engine.answer(Query((engine.stored(picture),), frozenset({Kind.AUDIO}), limit=3, min_relevance=0))
    assert {hit.bridge for hit in answer} == {"ridge: sight → hearing"}
    assert merits(answer, RED) == pytest.approx(best_merits(RED, 3), abs=0.05)


def test_a_bridged_part_is_joined_with_those_that_are_understood(full: Pair) -> None:
    blue = Picture(seen(), np.full((4, 4, 3), (0, 0, 255), np.uint8))
    parts = (Text("red"), Example(Kind.IMAGE, {full.spaces[0].id: (blue,)}))
    sounds = full.engine(*TEXTS).answer(Query(parts, frozenset({Kind.AUDIO}), limit=3, min_relevance=0))
    both = unit(RED + BLUE)
    assert min(merits(sounds, both)) > 0.9
    assert max(float(COLOURS[int(hit.path.stem)] @ one) for hit in sounds for one in (RED, BLUE)) < 0.95  # neither of the two alone
    assert {hit.bridge for hit in sounds} == {"ridge: sight → hearing"}
    away = full.engine(*TEXTS).answer(Query((Text("magenta"), Text("red", weight=-0.7)), limit=4, min_relevance=0))
    assert min(merits(away, BLUE)) > 0.7


def test_a_space_that_only_an_unwanted_part_reaches_is_not_asked(full: Pair) -> None:
    full.encoders = (ElsewhereEncoder("sight", 0.2, 0.1, 1, SEEING - {Modality.TEXT}), full.hears)
    red = Picture(seen(), np.full((4, 4, 3), (255, 0, 0), np.uint8))
    parts = (Text("red", weight=-1.0), Example(Kind.IMAGE, {full.spaces[0].id: (red,)}))
    answer = full.engine(*TEXTS).answer(Query(parts, limit=200))
    assert {hit.space for hit in answer} == {"sight"}


def test_where_no_bridge_leads_the_answer_says_so(full: Pair) -> None:
    full.encoders = (full.sees, ElsewhereEncoder("hearing", 0.6, 0.3, 2, frozenset({Modality.AUDIO})))
    red = Picture(seen(), np.full((4, 4, 3), (255, 0, 0), np.uint8))
    answer = full.engine(*TEXTS).answer(Query((Example(Kind.IMAGE, {full.spaces[0].id: (red,)}),)))
    assert {hit.space for hit in answer} == {"sight"}
    assert any("hearing was not asked for the image" in note for note in answer.notes)
    sound = full.sound("again.ogg", RED)
    engine = full.engine(*TEXTS)
    assert {hit.space for hit in engine.answer(Query((engine.stored(sound),)))} == {"hearing"}


def test_queries_that_no_space_can_be_asked(full: Pair) -> None:
    engine = full.engine(*TEXTS)
    opposite = [Stored({row.id: Vectors(sign * np.eye(row.space.dim)[:1], (Modality.IMAGE,)) for row in full.spaces}) for sign in (1, -1)]
    with pytest.raises(BadQuery, match="cancel each other out"):
        engine.answer(Query(tuple(opposite)))
    with pytest.raises(BadQuery, match="holds nothing to search with"):
        engine.answer(Query((Example(Kind.AUDIO, {}),)))
    clip = Clip(Segment(Modality.VIDEO, 0, 1000), np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 500]))
    with pytest.raises(UnsupportedModality, match="'sight and hearing' does not understand video"):
        engine.answer(Query((Example(Kind.VIDEO, {full.spaces[0].id: (clip,)}),)))
    with pytest.raises(BadQuery, match="could not be indexed"):
        engine.stored(10_000)


def test_a_space_that_holds_nothing_of_the_kinds_asked_for_is_not_even_loaded(full: Pair) -> None:
    loaded: list[str] = []

    def load(encoder: Encoder) -> Encoder:
        loaded.append(encoder.space.spec)
        return encoder

    spaces = [
        SearchSpace(row, partial(load, encoder), partial(SpaceIndex.open, full.folder, full.catalog, row))
        for row, encoder in zip(full.spaces, full.encoders, strict=True)
    ]
    engine = Engine(full.catalog, spaces, vocabulary=Vocabulary.of(TEXTS))
    engine.answer(Query((Text("red"),), frozenset({Kind.IMAGE})))
    assert loaded == ["sight"]


def test_the_answer_says_where_the_time_went(full: Pair) -> None:
    engine = full.engine(*TEXTS)
    red = Picture(seen(), np.full((4, 4, 3), (255, 0, 0), np.uint8))
    query = Query((Example(Kind.IMAGE, {full.spaces[0].id: (red,)}),))
    first, second = engine.answer(query), engine.answer(query)
    assert list(first.timings) == ["load", "first encode", "encode", "bridge", "index", "lookup", "score", "merge"]
    assert list(second.timings) == ["load", "encode", "bridge", "index", "lookup", "score", "merge"]
    assert 0 < sum(first.timings.values()) <= first.took_ms


def test_one_engine_serves_several_threads(full: Pair) -> None:
    picture = full.picture("red.png", RED)
    engine = full.engine(*TEXTS)
    queries = [Query((Text(text),), limit=20) for text in TEXTS[:6]] + [Query((engine.stored(picture),), limit=20)] * 2
    alone = [[(hit.path, hit.score, hit.bridge) for hit in full.engine(*TEXTS).answer(query)] for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = [[(hit.path, hit.score, hit.bridge) for hit in answer] for answer in pool.map(engine.answer, queries)]
    assert together == alone
