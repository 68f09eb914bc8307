"""What several spaces need is worked out once, kept with the library, and worked out anew when it does not fit any more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from elsewhere import ElsewhereEncoder
from fakes import WORDS, ColourEncoder
from shelf import Shelf, unit

from anyseek.search.engine import Answer, Engine
from anyseek.search.query import Query, Text
from anyseek.search.texts import HASTY, HASTY_NOTE
from anyseek.types import Kind, Modality, Segment

TEXTS = tuple(" ".join(words) for words in combinations(WORDS, 2))
MANY = tuple(" ".join(words) for words in combinations(WORDS, 3))
COLOURS = [unit(np.array([*mix, 0, 0, 0, 0, 0], np.float64)) for mix in np.ndindex(3, 3, 3) if any(mix)]
RED = next(number for number, colour in enumerate(COLOURS) if colour[0] == 1)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """Each colour as a picture in one space and as a sound in the other."""
    sees = ElsewhereEncoder("sight", 0.2, 0.1, 1, frozenset({Modality.TEXT, Modality.IMAGE}))
    hears = ElsewhereEncoder("hearing", 0.6, 0.3, 2, frozenset({Modality.TEXT, Modality.AUDIO}))
    shelf = Shelf(tmp_path / "library", sees, hears)
    for number, colour in enumerate(COLOURS):
        put(shelf, f"{number:02}", colour)
    yield shelf
    shelf.catalog.close()


def put(shelf: Shelf, name: str, colour: np.ndarray) -> None:
    sees, hears = shelf.encoders
    assert isinstance(sees, ElsewhereEncoder)
    assert isinstance(hears, ElsewhereEncoder)
    shelf.put(f"{name}.png", Kind.IMAGE, (Segment(Modality.IMAGE), sees.place(colour[None], Modality.IMAGE)[0]))
    shelf.put(f"{name}.ogg", Kind.AUDIO, (Segment(Modality.AUDIO, 0, 1000), hears.place(colour[None], Modality.AUDIO)[0]), space=1)


def texts_encoded(shelf: Shelf) -> list[int]:
    found = []
    for encoder in shelf.encoders:
        assert isinstance(encoder, ColourEncoder)
        found.append(encoder.encoded[Modality.TEXT])
        encoder.encoded.clear()
    return found


def ask(shelf: Shelf, engine: Engine) -> list[tuple[str, float]]:
    """A text and a stored picture, which takes a background of each sort and a bridge."""
    picture = shelf.catalog.find_asset(shelf.source.root / f"{RED:02}.png")
    assert picture is not None
    assert picture.content_id is not None
    found: list[tuple[str, float]] = []
    for part in (Text("red"), engine.stored(picture.content_id)):
        answer: Answer = engine.answer(Query((part,), limit=100, min_relevance=0))
        found += [(hit.path.name, hit.score) for hit in answer]
    return found


def test_a_prepared_library_is_searched_without_its_vocabulary_and_answers_the_same(shelf: Shelf) -> None:
    fresh = ask(shelf, shelf.engine(*TEXTS))
    assert texts_encoded(shelf) == [len(TEXTS) + 1, len(TEXTS) + 1]
    told: list[tuple[str, int, int]] = []
    shelf.engine(*TEXTS, keep=True).prepare(lambda space, done, of: told.append((space.spec, done, of)))
    assert told == [("sight", 64, 66), ("sight", 66, 66), ("hearing", 64, 66), ("hearing", 66, 66)]
    texts_encoded(shelf)
    prepared = shelf.engine(*TEXTS, keep=True)
    assert ask(shelf, prepared) == fresh
    assert texts_encoded(shelf) == [1, 1]
    shelf.engine(*TEXTS, keep=True).prepare()
    assert texts_encoded(shelf) == [0, 0]


def test_other_texts_or_another_bridge_are_worked_out_anew_and_the_old_ones_go(shelf: Shelf) -> None:
    shelf.engine(*TEXTS, keep=True).prepare()
    before = {path.name for path in shelf.folder.derived.iterdir()}
    assert len(before) == 2 + 2 + 1
    texts_encoded(shelf)
    shelf.engine(*TEXTS, keep=True, bridge="labels").prepare()
    assert texts_encoded(shelf) == [0, 0]
    assert {path.name.partition("-")[0] for path in shelf.folder.derived.iterdir()} == {"texts", "labels", "backgrounds.arrays"}
    shelf.engine(*TEXTS[1:], keep=True).prepare()
    assert texts_encoded(shelf) == [len(TEXTS) - 1] * 2
    assert {path.name for path in shelf.folder.derived.iterdir()} == before
    assert ask(shelf, shelf.engine(*TEXTS[1:], keep=True)) == ask(shelf, shelf.engine(*TEXTS[1:]))


def test_a_library_with_one_space_keeps_what_is_chance_there_and_no_bridge(shelf: Shelf) -> None:
    shelf.engine(*TEXTS, keep=True).prepare()
    shelf.encoders, shelf.spaces = shelf.encoders[:1], shelf.spaces[:1]
    shelf.engine(*TEXTS, keep=True).prepare()
    kept = {path.name for path in shelf.folder.derived.iterdir()}
    assert kept == {f"texts-{shelf.spaces[0].space.fingerprint[:16]}.arrays", "backgrounds.arrays"}
    texts_encoded(shelf)
    engine = shelf.engine(*TEXTS, keep=True)
    assert engine.answer(Query((Text("red"),))).notes == ()
    assert texts_encoded(shelf) == [1]


def test_a_damaged_file_costs_time_alone(shelf: Shelf) -> None:
    shelf.engine(*TEXTS, keep=True).prepare()
    wanted = ask(shelf, shelf.engine(*TEXTS, keep=True))
    for path in sorted(shelf.folder.derived.iterdir()):
        sound = path.read_bytes()
        path.write_bytes(sound[:-10] + b"?" + sound[-9:])
        assert ask(shelf, shelf.engine(*TEXTS, keep=True)) == wanted
        shelf.engine(*TEXTS, keep=True).prepare()
        assert path.read_bytes() == sound


def test_what_is_kept_serves_until_the_library_has_grown_by_a_fifth(shelf: Shelf) -> None:
    shelf.engine(*TEXTS, keep=True).prepare()
    kept = shelf.folder.derived / "backgrounds.arrays"
    before = kept.read_bytes()
    for number in range(5):
        put(shelf, f"more {number}", COLOURS[RED])
    shelf.engine(*TEXTS, keep=True).prepare()
    assert kept.read_bytes() == before
    old = ask(shelf, shelf.engine(*TEXTS, keep=True))
    put(shelf, "one more", COLOURS[RED])
    assert len(COLOURS) * 0.2 < 6
    new = ask(shelf, shelf.engine(*TEXTS, keep=True))
    assert new == ask(shelf, shelf.engine(*TEXTS))
    assert dict(new)["00.png"] != dict(old)["00.png"]
    texts_encoded(shelf)
    shelf.engine(*TEXTS, keep=True).prepare()
    assert texts_encoded(shelf) == [0, 0]
    assert kept.read_bytes() != before


def test_a_search_that_finds_nothing_prepared_makes_do_with_fewer_texts_and_says_so(shelf: Shelf) -> None:
    assert len(MANY) > HASTY
    engine = shelf.engine(*MANY, keep=True)
    answer = engine.answer(Query((Text("red"),), limit=100, min_relevance=0))
    assert answer.notes == (HASTY_NOTE,)
    assert texts_encoded(shelf) == [len(MANY[::2]) + 1] * 2
    assert not shelf.folder.derived.exists()
    shelf.engine(*MANY, keep=True).prepare()
    texts_encoded(shelf)
    again = engine.answer(Query((Text("red"),), limit=100, min_relevance=0))  # by an engine that a server has kept meanwhile
    assert again.notes == ()
    assert texts_encoded(shelf) == [1, 1]
    assert [hit.score for hit in again] == [
        hit.score for hit in shelf.engine(*MANY, keep=True).answer(Query((Text("red"),), limit=100, min_relevance=0))
    ]
    assert [hit.score for hit in again] != [hit.score for hit in answer]
    best = {hit.path.name for hit in list(answer)[:4]}
    assert f"{RED:02}.png" in best
    assert f"{RED:02}.ogg" in best


def test_a_bridge_between_a_prepared_space_and_a_new_one_is_fitted_on_what_both_have(shelf: Shelf) -> None:
    shelf.engine(*MANY, keep=True).prepare()
    prepared = ask(shelf, shelf.engine(*MANY, keep=True))
    for path in shelf.folder.derived.iterdir():
        if not path.name.startswith(f"texts-{shelf.spaces[0].space.fingerprint[:16]}"):
            path.unlink()
    texts_encoded(shelf)
    hasty = ask(shelf, shelf.engine(*MANY, keep=True))
    assert texts_encoded(shelf) == [1, len(MANY[::2]) + 1]
    assert {name for name, _ in hasty[:4]} == {name for name, _ in prepared[:4]}  # red and red of twice the length, each seen and heard


def test_a_library_of_one_space_knows_that_it_is_prepared(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    shelf.put("red.png", Kind.IMAGE, (Segment(Modality.IMAGE), COLOURS[RED]))
    assert not shelf.engine(*TEXTS, keep=True).is_prepared
    engine = shelf.engine(*TEXTS, keep=True)
    engine.prepare()
    assert engine.is_prepared
    assert shelf.engine(*TEXTS, keep=True).is_prepared
    assert not shelf.engine(*MANY, keep=True).is_prepared  # other captions
    assert not shelf.engine(*TEXTS).is_prepared  # keeps nothing
    (shelf.folder.derived / "backgrounds.arrays").write_bytes(b"lost")
    assert not shelf.engine(*TEXTS, keep=True).is_prepared
    shelf.catalog.close()
