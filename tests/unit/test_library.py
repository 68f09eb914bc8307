"""The five-line door: opening, creating, examples from files, refusals."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from elsewhere import ElsewhereEncoder
from fakes import ColourEncoder
from samples import write_picture, write_tone

from anyseek import Library
from anyseek.config import default_library
from anyseek.errors import (
    BadInput,
    BadQuery,
    LibraryError,
    LibraryNotFound,
    MediaError,
    SpaceMismatch,
    UnknownEncoder,
    UnsupportedModality,
)
from anyseek.indexer.report import TextsEncoded
from anyseek.search import engine as search_engine
from anyseek.search.engine import Answer
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Modality


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    write_picture(folder / "red.png", "red")
    write_picture(folder / "green.png", "green")
    write_tone(folder / "low.wav", 200)
    write_tone(folder / "middle.wav", 1000)
    return folder


@pytest.fixture
def encoder() -> ColourEncoder:
    return ColourEncoder()


def names(answer: object) -> list[str]:
    return [hit.path.name for hit in answer if hit.score > 0.9]  # type: ignore[attr-defined]


def test_a_media_folder_keeps_its_library_inside_and_both_can_move(media: Path, encoder: ColourEncoder) -> None:
    with Library.open(media, encoder=encoder) as library:
        assert library.path == media / ".anyseek"
        assert library.index(media).new == 4
    moved = media.rename(media.with_name("elsewhere"))
    with Library.open(moved, encoder=encoder) as library:
        assert sorted(hit.path for hit in library.search("red") if hit.score > 0.9) == [moved / "low.wav", moved / "red.png"]
        assert library.index().unchanged == 4


def test_examples_of_every_kind(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "ask.png", "green", size=(50, 50))
    tone = write_tone(tmp_path / "ask.wav", 220, seconds=9)
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        assert sorted(names(library.search(image=picture))) == ["green.png", "middle.wav"]
        assert sorted(names(library.search(audio=tone))) == ["low.wav", "red.png"]
        assert names(library.search(image=picture, kinds=["audio"])) == ["middle.wav"]
        both = library.search("red", image=[picture], weights={"image": 0.1}, limit=2)
        assert sorted(hit.path.name for hit in both) == ["low.wav", "red.png"]
        assert names(library.similar(media / "red.png")) == ["low.wav"]


def test_an_example_of_another_kind_or_no_media_is_refused_by_name(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        with pytest.raises(BadQuery, match=r"red\.png is a picture, not a sound: give it with --image"):
            library.search(audio=media / "red.png")
        with pytest.raises(MediaError, match=r"notes\.txt"):
            library.search(image=tmp_path / "notes.txt")
        with pytest.raises(MediaError, match=r"nowhere\.png"):
            library.search(image=tmp_path / "nowhere.png")


def test_bad_requests_are_named(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        with pytest.raises(BadQuery, match="is empty: fill it"):
            library.search("red")
        library.index(media)
        with pytest.raises(BadQuery, match="there is nothing to search for"):
            library.search()
        with pytest.raises(BadQuery, match="empty"):
            library.search("   ")
        with pytest.raises(BadInput, match="kinds are image, audio, video"):
            library.search("red", kinds=["smell"])
        with pytest.raises(BadQuery, match="no part called 'smell'"):
            library.search("red", weights={"smell": 1.0})
        with pytest.raises(BadQuery, match="is not in the library"):
            library.similar(tmp_path / "other.png")


def test_text_is_text_even_when_it_names_a_file(
    media: Path, encoder: ColourEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(media)
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        before = encoder.encoded.copy()
        library.search("red.png")
        library.search("http://example.org/cat.jpg")
        assert {modality.value: encoder.encoded[modality] - before[modality] for modality in (Modality.IMAGE, Modality.AUDIO)} == {
            "image": 0,
            "audio": 0,
        }
        assert encoder.encoded.total() - before.total() == 2


def test_the_encoder_of_a_library_is_its_own(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
    with pytest.raises(SpaceMismatch, match="made with encoder 'colour', not 'starter'"):
        Library.open(tmp_path / "library", encoder="starter")
    with pytest.raises(SpaceMismatch):
        Library.open(tmp_path / "library", encoder=ColourEncoder(version="2"))
    with Library.open(tmp_path / "library") as library, pytest.raises(UnknownEncoder, match="colour"):
        library.search("red")


def test_a_library_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound, match="anyseek index FOLDER"):
        Library.open(tmp_path / "nowhere", readonly=True)
    assert not (tmp_path / "nowhere").exists()


def test_the_default_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default_library().name == "default.anyseek"
    monkeypatch.setenv("ANYSEEK_LIBRARY", str(tmp_path / "mine"))
    assert default_library() == tmp_path / "mine"


def test_what_is_passed_over_can_be_listed(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    (media / "notes.txt").write_text("no media")
    (media / ".git").mkdir()
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        assert sorted(library.skipped()) == [(media / ".git", "hidden"), (media / "notes.txt", "not media")]


def test_an_example_that_the_encoder_cannot_take_is_refused_for_that(media: Path, tmp_path: Path) -> None:
    looking = ColourEncoder(modalities=frozenset({Modality.TEXT, Modality.IMAGE}))
    with Library.open(tmp_path / "library", encoder=looking) as library:
        library.index(media)
        with pytest.raises(UnsupportedModality, match="does not understand audio"):
            library.search(audio=media / "low.wav")


def test_weights_must_be_numbers_for_parts_that_are_there(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        for weight in (float("nan"), float("inf")):
            with pytest.raises(BadQuery, match="is no weight for text"):
                library.search("red", weights={"text": weight})
        with pytest.raises(BadQuery, match=r"no part called 'image'.* the query has text"):
            library.search("red", weights={"image": 2.0})


def test_a_file_that_failed_resembles_nothing(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    (media / "letter.jpg").write_text("dear reader")
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        with pytest.raises(BadQuery, match="could not be indexed"):
            library.similar(media / "letter.jpg")


def test_a_wrong_name_makes_no_library(tmp_path: Path) -> None:
    with pytest.raises(UnknownEncoder, match="nonsense"):
        Library.open(tmp_path / "library", encoder="nonsense")
    assert not Library.exists(tmp_path / "library")
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="no library can be made"):
        Library.open(tmp_path / "file" / "below")


def test_what_is_no_encoder_is_refused_by_what_it_lacks(media: Path, encoder: ColourEncoder, tmp_path: Path) -> None:
    class Halfway:
        space, modalities, image_size, sample_rate, max_audio_ms = encoder.space, encoder.modalities, 32, 16_000, 1_000

        def encode_text(self, texts: object) -> None: ...

    for given in (Halfway(), [encoder, Halfway()]):
        with pytest.raises(BadInput, match="is no encoder: it lacks window_ms, encode_images, encode_audio;"):
            Library.open(tmp_path / "library", encoder=given)  # type: ignore[arg-type]
        assert not Library.exists(tmp_path / "library")
    with Library.open(tmp_path / "library", encoder=encoder) as library, pytest.raises(BadInput, match="is no encoder"):
        library.index(media, model=Halfway())  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="is no encoder"):
        Library.open(tmp_path / "library", encoder=Halfway())  # type: ignore[arg-type]


# Several spaces, and another model

SEEN = frozenset({Modality.TEXT, Modality.IMAGE})
HEARD = frozenset({Modality.TEXT, Modality.AUDIO})


@pytest.fixture
def eyes() -> ElsewhereEncoder:
    return ElsewhereEncoder("eyes", 0.1, 0.2, turn=1, modalities=SEEN)


@pytest.fixture
def ears() -> ElsewhereEncoder:
    return ElsewhereEncoder("ears", 0.5, 0.4, turn=2, modalities=HEARD)


def test_pictures_in_one_space_and_sounds_in_another(media: Path, eyes: ElsewhereEncoder, ears: ElsewhereEncoder, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", encoder=[eyes, ears]) as library:
        report = library.index(media)
        assert (report.new, report.embedded, report.failed) == (4, 4, 0)
        answer = library.search("red", limit=2)
        assert {(hit.path.name, hit.space, hit.bridge) for hit in answer} == {("red.png", "eyes", None), ("low.wav", "ears", None)}
        found = library.search(image=media / "red.png", kinds=["audio"], min_relevance=0)
        assert {(hit.path.name, hit.space, hit.bridge) for hit in found} == {
            (name, "ears", "ridge: eyes → ears") for name in ("low.wav", "middle.wav")
        }
        found = library.similar(media / "middle.wav", kinds=["image"], min_relevance=0)
        assert {(hit.path.name, hit.space, hit.bridge) for hit in found} == {
            (name, "eyes", "ridge: ears → eyes") for name in ("red.png", "green.png")
        }
    assert (eyes.encoded[Modality.AUDIO], ears.encoded[Modality.IMAGE]) == (0, 0)


def test_a_model_takes_over_under_a_reader_that_stays_open(
    media: Path, encoder: ColourEncoder, eyes: ElsewhereEncoder, ears: ElsewhereEncoder, tmp_path: Path
) -> None:
    def spaces_of(library: Library) -> set[str]:
        return {hit.space for hit in library.search("red", limit=10)}

    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
    with Library.open(tmp_path / "library", readonly=True, encoder=encoder) as reader:
        reader.spaces.bring([eyes, ears])  # what is registered under a name needs no bringing
        assert spaces_of(reader) == {"colour"}
        with Library.open(tmp_path / "library", encoder=encoder) as library:
            report = library.index(model=[eyes, ears])
            assert (report.new, report.filled, report.embedded) == (0, 4, 4)
            assert (report.changed_to, report.changed_from) == (("eyes", "ears"), ("colour",))
            assert spaces_of(reader) == {"eyes", "ears"}
            assert library.use("colour").lacking == 0
            assert spaces_of(reader) == {"colour"}
            library.use("eyes", "ears")
            assert [row.space.spec for row in library.drop()] == ["colour"]
            assert spaces_of(reader) == {"eyes", "ears"}
            assert library.index().embedded == 0
    assert sorted(path.name for path in (tmp_path / "library" / "index").iterdir()) == ["2", "3"]


@pytest.mark.parametrize("stage", ["allowed_in", "Candidates", "hits_of"])
@pytest.mark.parametrize("question", ["text", "example", "similar"])
def test_a_reader_answers_from_the_new_spaces_when_the_old_one_is_dropped_under_it(
    media: Path,
    encoder: ColourEncoder,
    eyes: ElsewhereEncoder,
    ears: ElsewhereEncoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    question: str,
) -> None:
    path = media / "red.png"
    ask: dict[str, Callable[[Library], Answer]] = {
        "text": lambda library: library.search("red", min_relevance=0),
        "example": lambda library: library.search(image=path, min_relevance=0),
        "similar": lambda library: library.similar(path, min_relevance=0),
    }
    with (
        Library.open(tmp_path / "library", encoder=encoder) as library,
        Library.open(tmp_path / "library", encoder=encoder) as reader,
    ):
        library.index(media)
        library.index(model=[eyes, ears])
        reader.spaces.bring([eyes, ears])
        library.use("colour")
        real = getattr(search_engine, stage)
        others = [["eyes", "ears"]]

        def struck(*given: Any, **named: Any) -> Any:
            if others:
                library.use(*others.pop())
                library.drop()
            return real(*given, **named)

        monkeypatch.setattr(search_engine, stage, struck)
        answer = ask[question](reader)
        assert {hit.space for hit in answer} == {"eyes", "ears"}
        assert len(answer.hits) == (3 if question == "similar" else 4)
        assert not answer.notes


def test_a_reader_that_fails_for_another_reason_is_told_at_once(
    media: Path, encoder: ColourEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> None:
        raise LookupError("a fault of ours")

    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        monkeypatch.setattr(search_engine, "allowed_in", fails)
        with pytest.raises(LookupError, match="a fault of ours"):
            library.search("red")


def test_a_run_is_stopped_while_spaces_are_made_comparable_and_goes_on_later(
    media: Path, encoder: ColourEncoder, eyes: ElsewhereEncoder, ears: ElsewhereEncoder, tmp_path: Path
) -> None:
    stop = threading.Event()
    heard: list[TextsEncoded] = []

    def hear(event: object) -> None:
        if isinstance(event, TextsEncoded):
            heard.append(event)
            stop.set()

    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        report = library.index(model=[eyes, ears], on_event=hear, stop=stop)
        assert (report.interrupted, report.changed_to, len(heard)) == (True, (), 1)
        assert {hit.space for hit in library.search("red")} == {"colour"}
        report = library.index()
        assert (report.interrupted, report.changed_to, report.embedded) == (False, ("eyes", "ears"), 0)


def test_a_sound_in_a_library_that_only_looks_is_not_said_to_have_failed(
    media: Path, encoder: ColourEncoder, eyes: ElsewhereEncoder, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        library.index(model=eyes)
        with pytest.raises(BadQuery, match=r"nothing of this file in eyes: .* has nothing that is understood there"):
            library.similar(media / "low.wav")


def test_a_drop_that_was_interrupted_is_made_up_for_by_the_next(
    media: Path, encoder: ColourEncoder, eyes: ElsewhereEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*given: object) -> None:
        raise KeyboardInterrupt

    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        library.index(model=eyes)
        with monkeypatch.context() as patch:
            patch.setattr(SpaceIndex, "forget_others", dies)
            with pytest.raises(KeyboardInterrupt):
                library.drop()
        assert [row.space.spec for row in library.catalog.spaces()] == ["eyes"]
        assert library.drop() == []
        assert [path.name for path in (tmp_path / "library" / "index").iterdir()] == ["2"]
    with closing(sqlite3.connect(tmp_path / "library" / "catalog.db")) as catalog:
        assert catalog.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_models_that_cannot_be_made_comparable_do_not_begin_to_serve(
    media: Path, encoder: ColourEncoder, eyes: ElsewhereEncoder, ears: ElsewhereEncoder, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        library.index(model=[eyes, ears])
        library.use("colour")
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        with pytest.raises(UnknownEncoder, match="eyes"):
            library.use("eyes", "ears")
        assert {hit.space for hit in library.search("red")} == {"colour"}


def test_a_file_that_came_during_the_change_gets_all_vectors(
    media: Path, encoder: ColourEncoder, eyes: ElsewhereEncoder, ears: ElsewhereEncoder, tmp_path: Path
) -> None:
    stop = threading.Event()
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        stop.set()
        assert library.index(model=[eyes, ears], stop=stop).interrupted
        write_picture(media / "blue.png", "blue")
        report = library.index()
        assert (report.new, report.filled, report.embedded) == (1, 4, 4 + 2)  # into the old space, too, for it served
        assert (report.changed_to, report.changed_from) == (("eyes", "ears"), ("colour",))
        report = library.index(model=[eyes, ears, encoder])
        assert (report.changed_to, report.changed_from) == (("colour", "eyes", "ears"), ())
        assert library.search("blue", limit=1).hits[0].path.name == "blue.png"
        library.use("colour")
        assert library.search("blue", limit=1).hits[0].path.name == "blue.png"


def test_a_model_that_is_not_there_any_more_can_be_left(
    media: Path, encoder: ColourEncoder, eyes: ElsewhereEncoder, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
    with Library.open(tmp_path / "library") as library:
        with pytest.raises(UnknownEncoder, match="colour"):
            library.index()
        report = library.index(model=eyes)
        assert report.changed_to == ("eyes",)
        assert [note for note in report.notes if "colour serves only what it has" in note and "no encoder is called" in note]
        assert library.search("red", limit=1).hits[0].path.name == "red.png"


def test_a_model_that_cannot_be_loaded_is_missed_by_its_own_kind_alone(
    media: Path, eyes: ElsewhereEncoder, ears: ElsewhereEncoder, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "library", encoder=[eyes, ears]) as library:
        library.index(media)
    with Library.open(tmp_path / "library", encoder=[eyes], readonly=True) as library:  # nothing is registered as "ears"
        answer = library.search("red", kinds=["image"])
        assert (answer.hits[0].path.name, answer.hits[0].space, answer.notes) == ("red.png", "eyes", ())
        answer = library.search("red")
        assert {(hit.space, hit.bridge) for hit in answer} == {("eyes", None), ("ears", "ridge: eyes → ears")}
        assert answer.notes == ("ears could not be asked itself: no encoder is called 'ears': use one of clap:, open_clip:, st:, starter",)
        with pytest.raises(UnknownEncoder, match="ears"):
            library.search(audio=media / "low.wav")
    with Library.open(tmp_path / "library", readonly=True) as library, pytest.raises(UnknownEncoder, match="eyes"):
        library.search("red")


def test_a_run_that_changes_nothing_prepares_nothing_unless_what_was_prepared_is_lost(
    media: Path, encoder: ColourEncoder, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        library.index(media)
        kept = tmp_path / "library" / "derived" / "backgrounds.arrays"
        written = kept.stat().st_mtime_ns
        encoded = encoder.encoded[Modality.TEXT]
        library.index()
        assert (kept.stat().st_mtime_ns, encoder.encoded[Modality.TEXT]) == (written, encoded)
        kept.unlink()
        library.index()
        assert kept.exists()
