"""What is asked goes through the adapter that is on, and so does all that it is held against; worked out by hand and by brute force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from adapting import card_of, linear, residual
from elsewhere import ElsewhereEncoder
from fakes import DIM, WORDS, ColourEncoder
from shelf import Shelf, unit

from anyseek.adapters.adapter import Adapter
from anyseek.adapters.card import SpaceName
from anyseek.adapters.store import AdapterStore
from anyseek.adapters.switches import Switches
from anyseek.search.backgrounds import Origin, chance_of
from anyseek.search.calibration import Calibration
from anyseek.search.calibrations import setting_of
from anyseek.search.engine import Answer, Engine
from anyseek.search.hubs import biases_of
from anyseek.search.probe import Side, Understood
from anyseek.search.query import Query, Stored, Text, Vectors
from anyseek.search.relevance import Calibrated
from anyseek.search.ridge import RidgeBridge
from anyseek.search.timings import Stopwatch
from anyseek.search.understanding import adapted
from anyseek.search.vocabulary import Vocabulary
from anyseek.types import Kind, Modality, Segment

TEXTS = tuple(" ".join(words) for words in combinations([*WORDS, "rock", "gravel"], 2))
RED, GREEN, BLUE, DARK, FOUR = np.eye(DIM, dtype=np.float32)[:5]
SHOWS_RED = linear({4: 0})
"""The space knows nothing of a rock, a word of four letters; here it has been taught that rocks are red."""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """Forty pictures of which the first three are pure red, green and blue."""
    shelf = Shelf(tmp_path / "library")
    for number in range(40):
        row = np.eye(DIM, dtype=np.float32)[number] if number < 3 else unit(np.abs(np.random.default_rng(number).normal(size=DIM)))
        shelf.put(f"{number:02}.png", Kind.IMAGE, (Segment(Modality.IMAGE), row))
    yield shelf
    shelf.catalog.close()


def switch_on(shelf: Shelf, *adapters: Adapter) -> None:
    for adapter in adapters:
        AdapterStore(shelf.folder).write(adapter, replace=True)
        Switches(shelf.catalog).switch_on(adapter)


def ask(engine: Engine, part: Text | Stored, limit: int = 40) -> Answer:
    return engine.answer(Query((part,), limit=limit, min_relevance=0, explain=True))


def cosines(answer: Answer) -> dict[str, float]:
    return {hit.path.name: hit.cosine for hit in answer}


def scores(answer: Answer) -> dict[str, float]:
    return {hit.path.name: hit.score for hit in answer}


def brute(shelf: Shelf, vector: np.ndarray) -> dict[str, float]:
    return {path: float(rows[0] @ vector.astype(np.float64)) for path, (_, rows) in shelf.truth.items()}


def test_a_word_that_was_taught_finds_what_it_means(shelf: Shelf) -> None:
    plain = ask(shelf.engine(calibrated=False), Text("rock"))
    assert cosines(plain) == pytest.approx(brute(shelf, FOUR), abs=1e-6)
    switch_on(shelf, SHOWS_RED)
    taught = ask(shelf.engine(calibrated=False), Text("rock"))
    assert taught.hits[0].path.name == "00.png"
    assert cosines(taught) == pytest.approx(brute(shelf, RED), abs=1e-6)
    assert taught.notes == plain.notes == ()


def test_a_correction_of_low_rank_adds_to_what_was_known(shelf: Shelf) -> None:
    switch_on(shelf, residual(4, 0))
    taught = ask(shelf.engine(calibrated=False), Text("rock"))
    assert cosines(taught) == pytest.approx(brute(shelf, unit(RED + FOUR)), abs=1e-6)


def test_what_the_map_leaves_alone_is_found_as_before(shelf: Shelf) -> None:
    before = cosines(ask(shelf.engine(calibrated=False), Text("green blue")))
    switch_on(shelf, SHOWS_RED)
    assert cosines(ask(shelf.engine(calibrated=False), Text("green blue"))) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("adapted", [True, (SHOWS_RED,)], ids=["switched on", "chosen"])
def test_chance_is_that_of_captions_that_went_through_it(shelf: Shelf, adapted: bool | tuple[Adapter]) -> None:
    if adapted is True:
        switch_on(shelf, SHOWS_RED)
    engine = shelf.engine(*TEXTS, adapted=adapted)
    relevance, (space,) = engine.relevance, engine.spaces
    assert isinstance(relevance, Calibrated)
    found = relevance.backgrounds.of(space, Modality.IMAGE, Origin(Modality.TEXT), Stopwatch())
    captions = ColourEncoder().encode_text(TEXTS).astype(np.float16).astype(np.float64)
    captions[:, 0] += captions[:, 4]
    captions[:, 4] = 0
    captions /= np.linalg.norm(captions, axis=1, keepdims=True)
    stored = np.concatenate([rows for _, rows in shelf.truth.values()])
    assert found[:2] == pytest.approx(chance_of(captions @ stored.T), abs=1e-6)
    best = max(brute(shelf, RED).values())
    answer = ask(engine, Text("rock"), limit=1)
    assert answer.hits[0].score == pytest.approx(found.steepness * ((best - found.mean) / found.deviation - found.middle), abs=1e-4)


def test_hubs_are_those_of_captions_that_went_through_it(shelf: Shelf) -> None:
    calibration = Calibration(3, 0.5, captions=Vocabulary.of(TEXTS).digest)
    with shelf.catalog.transaction() as writer:
        writer.put_setting(setting_of(shelf.search_spaces()[0]), calibration.to_json())
    plain = {hit.path.name: hit.bias for hit in ask(shelf.engine(*TEXTS, keep=True), Text("rock"))}
    shelf.engine(*TEXTS, keep=True).prepare()
    switch_on(shelf, SHOWS_RED)
    taught = {hit.path.name: hit.bias for hit in ask(shelf.engine(*TEXTS, keep=True), Text("rock"))}
    captions = SHOWS_RED.apply(ColourEncoder().encode_text(TEXTS).astype(np.float16).astype(np.float32), Modality.TEXT)
    wanted = {path: 0.5 * float(biases_of(rows, captions, 3)[0]) for path, (_, rows) in shelf.truth.items()}
    assert taught == pytest.approx(wanted, abs=1e-6)
    assert taught != pytest.approx(plain, abs=1e-3)


def test_an_adapter_of_words_changes_nothing_of_what_pictures_find(shelf: Shelf) -> None:
    before = ask(shelf.engine(*TEXTS), shelf.engine().stored(1))
    switch_on(shelf, SHOWS_RED)
    engine = shelf.engine(*TEXTS)
    assert scores(ask(engine, engine.stored(1))) == scores(before)


def test_an_adapter_of_pictures_maps_pictures_that_are_asked_with(shelf: Shelf) -> None:
    switch_on(shelf, linear({1: 2}, modalities=(Modality.IMAGE,)))
    engine = shelf.engine(calibrated=False)
    shows_green = Stored({engine.spaces[0].id: Vectors(GREEN[None], (Modality.IMAGE,))})
    assert cosines(ask(engine, shows_green)) == pytest.approx(brute(shelf, BLUE), abs=1e-6)
    relevance = shelf.engine(*TEXTS).relevance
    assert isinstance(relevance, Calibrated)
    (space,) = engine.spaces
    found = relevance.backgrounds.of(space, Modality.IMAGE, Origin(Modality.IMAGE), Stopwatch())
    rows = np.concatenate([rows for _, rows in shelf.truth.values()])
    asked = rows.copy()
    asked[:, 2] += asked[:, 1]
    asked[:, 1] = 0
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    texts = ColourEncoder().encode_text(TEXTS).astype(np.float16).astype(np.float64)
    usual = chance_of(texts @ rows.T).deviation
    assert found[:2] == pytest.approx(chance_of(asked @ rows.T, ~np.eye(len(rows), dtype=bool), usual), abs=1e-6)


def test_of_several_sides_each_goes_through_its_own_map() -> None:
    adapter = linear({0: 2}, modalities=(Modality.IMAGE,))
    sides = (Side(Origin(Modality.IMAGE), RED, 0.6), Side(Origin(Modality.AUDIO), GREEN, 0.8))
    found = adapted(Understood(unit(0.6 * RED + 0.8 * GREEN), sides), adapter)
    np.testing.assert_allclose(found.vector, 0.6 * BLUE + 0.8 * GREEN, atol=1e-6)
    np.testing.assert_allclose(np.sum([side.share * side.vector for side in found.sides], axis=0), found.vector, atol=1e-6)
    assert found.adapted
    untouched = Understood.alone(Origin(Modality.AUDIO), GREEN)
    assert adapted(untouched, adapter) is untouched
    cancelling = Understood(RED, (Side(Origin(Modality.IMAGE), RED, 1.0), Side(Origin(Modality.AUDIO), -BLUE, 1.0)))
    assert adapted(cancelling, adapter) is cancelling


def test_a_kept_engine_notices_what_is_switched(shelf: Shelf) -> None:
    engine = shelf.engine(calibrated=False)
    switches = Switches(shelf.catalog)
    assert cosines(ask(engine, Text("rock"))) == pytest.approx(brute(shelf, FOUR), abs=1e-6)
    switch_on(shelf, SHOWS_RED)
    assert cosines(ask(engine, Text("rock"))) == pytest.approx(brute(shelf, RED), abs=1e-6)
    switch_on(shelf, linear({4: 2}, name="other"))
    assert cosines(ask(engine, Text("rock"))) == pytest.approx(brute(shelf, BLUE), abs=1e-6)
    switches.forget("other")
    assert cosines(ask(engine, Text("rock"))) == pytest.approx(brute(shelf, RED), abs=1e-6)
    switches.clear()
    assert cosines(ask(engine, Text("rock"))) == pytest.approx(brute(shelf, FOUR), abs=1e-6)


def test_an_engine_may_do_without_or_take_others(shelf: Shelf) -> None:
    switch_on(shelf, SHOWS_RED)
    without = shelf.engine(calibrated=False, adapted=False)
    assert cosines(ask(without, Text("rock"))) == pytest.approx(brute(shelf, FOUR), abs=1e-6)
    others = shelf.engine(calibrated=False, adapted=[linear({4: 2}, name="untried")])
    assert cosines(ask(others, Text("rock"))) == pytest.approx(brute(shelf, BLUE), abs=1e-6)
    switch_on(shelf, linear({4: 1}, name="later"))
    assert cosines(ask(without, Text("rock"))) == pytest.approx(brute(shelf, FOUR), abs=1e-6)
    assert cosines(ask(others, Text("rock"))) == pytest.approx(brute(shelf, BLUE), abs=1e-6)


def test_what_is_kept_of_chance_is_that_of_what_is_on(shelf: Shelf) -> None:
    shelf.engine(*TEXTS, keep=True).prepare()
    plain = scores(ask(shelf.engine(*TEXTS, keep=True), Text("rock")))
    switch_on(shelf, SHOWS_RED)
    engine = shelf.engine(*TEXTS, keep=True)
    assert not engine.is_prepared
    fresh = scores(ask(engine, Text("rock")))
    engine.prepare()
    assert shelf.engine(*TEXTS, keep=True).is_prepared
    assert not shelf.engine(*TEXTS, keep=True, adapted=False).is_prepared
    assert scores(ask(shelf.engine(*TEXTS, keep=True), Text("rock"))) == fresh
    Switches(shelf.catalog).clear()
    engine.prepare()
    assert engine.is_prepared
    assert scores(ask(engine, Text("rock"))) == plain != fresh


def test_one_of_another_space_is_not_applied(shelf: Shelf) -> None:
    switch_on(shelf, linear({4: 0}, space=ColourEncoder(version="2").space))
    answer = ask(shelf.engine(calibrated=False), Text("rock"))
    assert cosines(answer) == pytest.approx(brute(shelf, FOUR), abs=1e-6)
    assert answer.notes == ()


def test_one_that_is_damaged_gone_or_another_is_told_and_not_applied(shelf: Shelf) -> None:
    switch_on(shelf, SHOWS_RED)
    path = AdapterStore(shelf.folder).path / "words.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    notes = []
    for change in (lambda: None, path.unlink, lambda: AdapterStore(shelf.folder).write(linear({4: 2}))):
        change()
        answer = ask(shelf.engine(calibrated=False), Text("rock"))
        assert cosines(answer) == pytest.approx(brute(shelf, FOUR), abs=1e-6)
        notes += answer.notes
    assert "the adapter words is on and could not be applied: the adapter" in notes[0]
    assert "anyseek adapters drop words" in notes[0]
    assert "no adapter called 'words'" in notes[1]
    assert "not the one that was switched on" in notes[2]
    assert len(notes) == 3


def test_an_explanation_names_it_where_it_had_a_part(shelf: Shelf) -> None:
    switch_on(shelf, SHOWS_RED)
    engine = shelf.engine(*TEXTS)
    explained = [ask(engine, part).hits[0].explanation for part in (Text("rock"), engine.stored(1))]
    assert [one.adapter for one in explained if one is not None] == ["words", None]


class Pair(Shelf):
    """Pictures in one space, sounds in another, of the same colours."""

    def __init__(self, folder: Path) -> None:
        sees = ElsewhereEncoder("sight", 0.2, 0.1, 1, frozenset({Modality.TEXT, Modality.IMAGE}))
        hears = ElsewhereEncoder("hearing", 0.6, 0.3, 2, frozenset({Modality.TEXT, Modality.AUDIO}))
        super().__init__(folder, sees, hears)
        for number, mix in enumerate(mix for mix in np.ndindex(3, 3, 3) if any(mix)):
            colour = unit(np.array([*mix, 0, 0, 0, 0, 0], np.float64))[None]
            self.put(f"{number:02}.png", Kind.IMAGE, (Segment(Modality.IMAGE), sees.place(colour, Modality.IMAGE)[0]))
            self.put(f"{number:02}.ogg", Kind.AUDIO, (Segment(Modality.AUDIO, 0, 1000), hears.place(colour, Modality.AUDIO)[0]), space=1)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path / "library")
    yield pair
    pair.catalog.close()


def trained_bridge(pair: Pair, name: str = "sounds") -> tuple[Adapter, RidgeBridge]:
    """One that leads from any picture to where the first sound lies: wrong on purpose, so that it shows."""
    source, target = (encoder.space for encoder in pair.encoders)
    random = np.random.default_rng(3)
    bridge = RidgeBridge(
        random.normal(size=(source.dim, target.dim)).astype(np.float32), np.zeros(source.dim, np.float32), np.float32(0.5).reshape(())
    )
    card = replace(card_of(name, space=source), method="bridge", target=SpaceName.of(target), modalities=(Modality.IMAGE,))
    return Adapter(card, {f"bridge.{field}": array for field, array in bridge.arrays().items()}), bridge


def test_a_trained_bridge_goes_before_the_one_that_the_captions_give(pair: Pair) -> None:
    adapter, bridge = trained_bridge(pair)
    plain = ask(pair.engine(*TEXTS, keep=True), pair.engine().stored(1))
    switch_on(pair, adapter)
    engine = pair.engine(*TEXTS, keep=True)
    answer = ask(engine, engine.stored(1), limit=100)
    assert answer.notes == ()
    sounds = [hit for hit in answer if hit.kind is Kind.AUDIO]
    relevance = engine.relevance
    assert isinstance(relevance, Calibrated)
    picture = pair.catalog.vectors(pair.catalog.embeddings_of([1], pair.spaces[0].id)[0])
    centre = relevance.backgrounds.centre(engine.spaces[0], Modality.IMAGE, Stopwatch())
    carried = bridge.carry(unit(picture[0])[None], centre)[0]
    for hit in sounds:
        (content,) = [row.content_id for row in [pair.catalog.find_asset(hit.path)] if row is not None]
        stored = pair.catalog.vectors(pair.catalog.embeddings_of([content or 0], pair.spaces[1].id)[0])[0]
        assert hit.cosine == pytest.approx(float(stored @ carried), abs=1e-5)
    assert {hit.bridge for hit in sounds} == {"adapter sounds: sight → hearing"}
    assert {hit.bridge for hit in plain if hit.kind is Kind.AUDIO} == {"ridge: sight → hearing"}
    engine.prepare()
    Switches(pair.catalog).forget("sounds")
    back = ask(pair.engine(*TEXTS, keep=True), pair.engine().stored(1))
    assert scores(back) == scores(plain)


def test_bridges_leave_from_where_a_picture_lies_and_not_from_where_it_is_mapped(pair: Pair) -> None:
    before = [hit for hit in ask(pair.engine(*TEXTS), pair.engine().stored(1), limit=100) if hit.kind is Kind.AUDIO]
    source = pair.encoders[0].space
    weights = np.random.default_rng(4).normal(size=(source.dim, source.dim)).astype(np.float32)
    card = replace(card_of("turned", space=source), modalities=(Modality.IMAGE,))
    switch_on(pair, Adapter(card, {"map.image.weights": weights}))
    after = ask(pair.engine(*TEXTS), pair.engine().stored(1), limit=100)
    assert {hit.path: hit.cosine for hit in after if hit.kind is Kind.AUDIO} == {hit.path: hit.cosine for hit in before}
