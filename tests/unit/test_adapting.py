"""Adapters through the library's door: switched on and off, both sides, after a change of model, and when something is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from adapting import linear, residual
from fakes import ColourEncoder
from samples import write_picture, write_tone

from anyseek import Library
from anyseek.adapters.adapter import Adapter
from anyseek.adapters.store import AdapterStore
from anyseek.adapters.switches import Switches
from anyseek.errors import AdapterMismatch, BadInput, LibraryError, ModelUnavailable, SpaceMismatch
from anyseek.evaluation.configurations import Engines, configurations
from anyseek.search.calibration import Calibration
from anyseek.search.calibrations import Calibrations
from anyseek.search.vocabulary import Vocabulary
from anyseek.spaces import Spaces
from anyseek.types import Modality

BOTH = (Modality.TEXT, Modality.IMAGE)
SWAPPED = linear({0: 1, 1: 0, 4: 0}, name="swapped", side="both", modalities=BOTH)
"""Red lies where green lay and green where red lay; so do red and green pictures. A rock lies where red lay: where green pictures are."""


@pytest.fixture
def encoder() -> ColourEncoder:
    return ColourEncoder()


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    for name in ("red", "green", "blue"):
        write_picture(folder / f"{name}.png", name)
    write_tone(folder / "low.wav", 200)
    return folder


@pytest.fixture
def library(tmp_path: Path, media: Path, encoder: ColourEncoder) -> Iterator[Library]:
    with Library.open(tmp_path / "library", encoder=encoder, calibrated=False) as library:
        library.index(media)
        yield library


def best(library: Library, text: str) -> str:
    return library.search(text, limit=1, kinds=["image"], min_relevance=0).hits[0].path.name


def cosines(library: Library, text: str) -> dict[str, float]:
    return {hit.path.name: hit.cosine for hit in library.search(text, min_relevance=0)}


def states(library: Library) -> dict[str, str]:
    return {known.name: known.state for known in library.adapters()}


def serving(library: Library) -> list[str]:
    return [row.space.spec for row in library.catalog.spaces("serving")]


def vectors(library: Library, spec: str) -> dict[tuple[str, Modality], np.ndarray]:
    (row,) = [row for row in library.catalog.spaces() if row.space.spec == spec]
    ids = library.catalog.live_embeddings(row.id)
    segments = library.catalog.segments_of(ids)
    names = {content: assets[0].path.name for content, assets in library.catalog.assets_of([s.content_id for s in segments]).items()}
    rows = library.catalog.vectors(ids)
    return {(names[s.content_id], s.segment.modality): vector for s, vector in zip(segments, rows, strict=True)}


def test_switching_on_off_and_back(library: Library) -> None:
    before = cosines(library, "rock")
    for adapter in (linear({4: 0}), linear({4: 2}, name="other")):
        library.keep_adapter(adapter)
    assert states(library) == {"other": "off", "words": "off"}
    assert library.use_adapter("words").before is None
    assert best(library, "rock") == "red.png"
    assert states(library) == {"other": "off", "words": "on"}
    assert library.use_adapter("other").before == "words"
    assert best(library, "rock") == "blue.png"
    back = library.rollback_adapter()
    assert (back.before, back.now) == ("other", "words")
    assert best(library, "rock") == "red.png"
    assert library.switch_off_adapters() == ["words"]
    assert cosines(library, "rock") == before
    assert library.switch_off_adapters() == []
    with pytest.raises(BadInput, match="no adapter is on"):
        library.rollback_adapter()


def test_a_library_may_be_opened_without_them(library: Library, encoder: ColourEncoder) -> None:
    library.keep_adapter(linear({4: 0}))
    before = cosines(library, "rock")
    library.use_adapter("words")
    with Library.open(library.path, encoder=encoder, calibrated=False, adapters=False) as plain:
        assert cosines(plain, "rock") == before != cosines(library, "rock")


def test_using_one_prepares_the_library_for_it(library: Library, encoder: ColourEncoder) -> None:
    library.keep_adapter(linear({4: 0}))
    library.use_adapter("words")
    assert library.engine.is_prepared
    library.keep_adapter(residual(4, 0, name="other"))
    library.use_adapter("other")
    assert library.engine.is_prepared
    library.rollback_adapter()
    assert library.engine.is_prepared
    library.switch_off_adapters()
    assert library.engine.is_prepared


def test_mapping_both_sides_makes_a_space_of_the_stored_vectors(library: Library, encoder: ColourEncoder) -> None:
    library.keep_adapter(SWAPPED)
    stored = vectors(library, "colour")
    embedded = encoder.encoded.copy()
    switched = library.use_adapter("swapped")
    assert (switched.now, switched.before, switched.lacking) == ("swapped", None, 0)
    assert serving(library) == ["adapted:swapped"]
    wanted = {key: SWAPPED.apply(row[None], key[1])[0].astype(np.float16).astype(np.float32) for key, row in stored.items()}
    found = vectors(library, "adapted:swapped")
    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        np.testing.assert_array_equal(found[key], row)
    assert encoder.encoded == embedded  # neither media nor the reference captions
    assert [best(library, text) for text in ("red", "green", "rock")] == ["red.png", "green.png", "green.png"]
    assert library.engine.is_prepared
    assert states(library) == {"swapped": "on"}


def test_later_files_get_their_vectors_there_and_the_old_ones_are_kept(library: Library, media: Path, encoder: ColourEncoder) -> None:
    library.keep_adapter(SWAPPED)
    before = vectors(library, "colour")
    library.use_adapter("swapped")
    write_picture(media / "yellow.png", "yellow")
    report = library.index()
    assert (report.new, report.embedded) == (1, 1)
    stored = ColourEncoder().encode_images([np.full((2, 2, 3), (255, 255, 0), np.uint8)]).astype(np.float16).astype(np.float32)
    mapped = SWAPPED.apply(stored, Modality.IMAGE)[0]
    found = vectors(library, "adapted:swapped")
    np.testing.assert_allclose(found["yellow.png", Modality.IMAGE], mapped, atol=1e-2)
    assert len(found) == 5
    assert vectors(library, "colour").keys() == before.keys()
    captions = encoder.encoded[Modality.TEXT]
    back = library.rollback_adapter()
    assert (back.before, back.now, back.lacking) == ("swapped", None, 1)
    assert encoder.encoded[Modality.TEXT] == captions
    assert library.index().embedded == 1


def test_rolling_back_both_sides_lets_the_old_space_serve_as_before(library: Library) -> None:
    before = cosines(library, "rock")
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    assert cosines(library, "rock") != before
    library.rollback_adapter()
    assert serving(library) == ["colour"]
    assert cosines(library, "rock") == before
    assert states(library) == {"swapped": "off"}


def test_adapted_vectors_are_scored_as_those_they_were_made_of_until_something_is_measured(library: Library) -> None:
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    (space,) = library.engine.spaces
    captions = Vocabulary.kept(None).digest
    calibrations = Calibrations(library.catalog, [space], captions)
    assert calibrations.of(space) == Calibration()
    measured = {spec: Calibration(nearest, 0.5, captions=captions) for spec, nearest in (("colour", 3), ("adapted:swapped", 5))}
    for row in library.catalog.spaces():
        with library.catalog.transaction() as writer:
            writer.put_setting(f"calibration.{row.space.fingerprint}", measured[row.space.spec].to_json())
        assert calibrations.is_outdated
        calibrations = Calibrations(library.catalog, [space], captions)
        assert calibrations.of(space).nearest == measured[row.space.spec].nearest


def test_one_takes_the_place_of_another_of_the_same_model(library: Library) -> None:
    for adapter in (SWAPPED, linear({4: 2}, name="second", side="both", modalities=BOTH)):
        library.keep_adapter(adapter)
        library.use_adapter(adapter.card.name)
    assert serving(library) == ["adapted:second"]
    assert states(library) == {"second": "on", "swapped": "off"}
    back = library.rollback_adapter()
    assert (back.before, back.now) == ("second", "swapped")
    assert serving(library) == ["adapted:swapped"]
    assert library.switch_off_adapters() == ["swapped"]
    assert serving(library) == ["colour"]


def test_models_go_back_and_forth_with_adapted_vectors(library: Library, encoder: ColourEncoder) -> None:
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    library.use("colour")
    assert states(library) == {"swapped": "off"}
    library.use("adapted:swapped")
    assert states(library) == {"swapped": "on"}
    assert best(library, "rock") == "green.png"
    library.index(model=encoder)
    assert serving(library) == ["colour"]
    library.index(model="adapted:swapped")
    assert serving(library) == ["adapted:swapped"]


def test_the_base_model_may_be_named_or_brought_along_when_adapted_vectors_serve(library: Library, encoder: ColourEncoder) -> None:
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    for given in (encoder, "adapted:swapped"):
        with Library.open(library.path, encoder=given, calibrated=False) as again:
            assert serving(again) == ["adapted:swapped"]
    with pytest.raises(SpaceMismatch):
        Library.open(library.path, encoder=ColourEncoder(version="2"))


def test_what_was_made_but_does_not_serve_yet_is_taken_up_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.keep_adapter(SWAPPED)

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Spaces, "serve", killed)
        with pytest.raises(KeyboardInterrupt):
            library.use_adapter("swapped")
    assert serving(library) == ["colour"]
    assert states(library) == {"swapped": "off"}
    assert best(library, "red") == "red.png"
    library.use_adapter("swapped")
    assert serving(library) == ["adapted:swapped"]
    assert len(vectors(library, "adapted:swapped")) == 4


def test_one_whose_vectors_serve_is_not_dropped(library: Library) -> None:
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    with pytest.raises(BadInput, match=r"vectors that swapped has made serve this library: take it away with  anyseek adapters rollback"):
        library.drop_adapter("swapped")
    library.rollback_adapter()
    library.drop_adapter("swapped")
    assert library.adapters() == []
    assert [row.space.spec for row in library.catalog.spaces()] == ["colour"]
    with pytest.raises(BadInput, match="no adapter called 'swapped'"):
        library.drop_adapter("swapped")


def test_one_that_is_dropped_is_off(library: Library) -> None:
    before = cosines(library, "rock")
    library.keep_adapter(linear({4: 0}))
    library.use_adapter("words")
    library.drop_adapter("words")
    assert cosines(library, "rock") == before
    assert Switches(library.catalog).history() == []
    assert library.search("rock", min_relevance=0).notes == ()


def test_several_are_dropped_together_or_not_at_all(library: Library) -> None:
    for name in ("one", "two", "swapped"):
        library.keep_adapter(linear({4: 0}, name) if name != "swapped" else SWAPPED)
    with pytest.raises(BadInput, match="no adapter called 'three'"):
        library.drop_adapter("one", "two", "three")
    library.use_adapter("swapped")
    with pytest.raises(BadInput, match="vectors that swapped has made serve"):
        library.drop_adapter("one", "swapped")
    assert set(states(library)) == {"one", "two", "swapped"}
    library.drop_adapter("one", "two", "two")
    assert set(states(library)) == {"swapped"}


@pytest.mark.parametrize(("adapter", "remedy"), [(linear({4: 0}), "drop words"), (SWAPPED, "rollback")])
def test_one_that_is_on_is_listed_although_its_file_is_gone(library: Library, adapter: Adapter, remedy: str) -> None:
    library.keep_adapter(adapter)
    library.use_adapter(adapter.card.name)
    (AdapterStore(library.folder).path / f"{adapter.card.name}.safetensors").unlink()
    (known,) = library.adapters()
    assert (known.name, known.state, known.card) == (adapter.card.name, "damaged", None)
    assert known.reason.endswith(f"is on and its file is gone: put it back, or take it away with  anyseek adapters {remedy}")


def test_after_a_change_of_model_it_does_not_fit_and_is_not_applied(library: Library) -> None:
    for adapter in (linear({4: 0}), SWAPPED):
        library.keep_adapter(adapter)
    library.use_adapter("words")
    other = ColourEncoder("shade", version="2")
    report = library.index(model=other)
    assert report.changed_to == ("shade",)
    told = "the adapter words was trained for colour and will not be applied: train again, or go back with  anyseek models use colour"
    assert told in report.notes
    assert states(library) == {"swapped": "does not fit", "words": "does not fit"}
    assert {known.reason for known in library.adapters() if known.name == "words"} == {
        "the adapter 'words' does not fit: it was trained for colour, the library has shade: train it again"
    }
    for name in ("words", "swapped"):
        with pytest.raises(AdapterMismatch, match="trained for colour, the library has shade: train it again"):
            library.use_adapter(name)
    assert cosines(library, "rock")["red.png"] == pytest.approx(0, abs=1e-6)
    library.use("colour")
    assert states(library) == {"swapped": "off", "words": "on"}
    assert best(library, "rock") == "red.png"


def test_an_empty_library_has_nothing_that_it_fits(tmp_path: Path) -> None:
    with Library.open(tmp_path / "empty", encoder=ColourEncoder()) as library:
        library.keep_adapter(linear({}))
        with pytest.raises(AdapterMismatch, match="the library has no vectors yet"):
            library.use_adapter("words")


def test_damaged_files_are_listed_refused_and_can_be_dropped(library: Library) -> None:
    library.keep_adapter(linear({4: 0}))
    library.use_adapter("words")
    path = AdapterStore(library.folder).path / "words.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    (known,) = library.adapters()
    assert (known.state, known.card) == ("damaged", None)
    assert "words.safetensors cannot be used" in known.reason
    with pytest.raises(LibraryError, match="cannot be used"):
        library.use_adapter("words")
    library.drop_adapter("words")
    assert library.adapters() == []


def test_adapted_vectors_without_their_adapter_can_be_taken_away(library: Library, encoder: ColourEncoder) -> None:
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    (AdapterStore(library.folder).path / "swapped.safetensors").unlink()
    with Library.open(library.path, encoder=encoder, calibrated=False) as again:
        with pytest.raises(ModelUnavailable, match=r"no adapter called 'swapped'.*anyseek adapters rollback"):
            again.search("red")
        again.rollback_adapter()
        assert best(again, "red") == "red.png"


def test_one_that_changed_under_its_name_is_off(library: Library) -> None:
    library.keep_adapter(linear({4: 0}))
    library.use_adapter("words")
    AdapterStore(library.folder).write(linear({4: 2}), replace=True)
    (known,) = library.adapters()
    assert (known.state, known.reason) == ("off", "it is not the one that was switched on")


def test_taking_away_needs_the_vectors_of_the_model_that_is_to_serve(library: Library) -> None:
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    library.drop("colour")
    for take_away in (library.rollback_adapter, library.switch_off_adapters):
        with pytest.raises(BadInput, match=r"no vectors any more of colour.*anyseek index --model colour"):
            take_away()
    assert best(library, "red") == "red.png"


def test_ways_through_adapters_are_compared(library: Library) -> None:
    for adapter in (linear({4: 0}), linear({4: 2}, name="other"), SWAPPED):
        library.keep_adapter(adapter)
    library.use_adapter("words")
    engines = Engines(library)

    def first(value: str) -> str:
        from anyseek.asking import Asked
        from anyseek.types import Kind

        (chosen,) = [each for each in configurations([f"adapter={value},off"], library) if each.adapter == value]
        asked = Asked(text=["rock"], kinds=frozenset({Kind.IMAGE}), limit=1, min_relevance=0)
        return engines.asks(chosen)(asked).hits[0].path.name

    assert {value: first(value) for value in ("on", "other", "words")} == {"on": "red.png", "other": "blue.png", "words": "red.png"}
    with pytest.raises(BadInput, match="no vectors that swapped has made: make them with  anyseek adapters use swapped"):
        first("swapped")
    library.use_adapter("swapped")
    assert {value: first(value) for value in ("on", "other", "words", "swapped")} == {
        "on": "green.png",
        "other": "blue.png",
        "words": "red.png",
        "swapped": "green.png",
    }
    (off,) = [each for each in configurations(["adapter=on,off"], library) if each.adapter == "off"]
    assert [row.space.spec for row in engines.rows(off)] == ["colour"]
    with pytest.raises(BadInput, match="no adapter called 'nobody'"):
        configurations(["adapter=off,nobody"], library)
    library.index(model=ColourEncoder("shade", version="2"))
    with pytest.raises(AdapterMismatch, match="the library has shade"):
        first("words")


def test_an_adapter_may_be_trained_on_adapted_vectors(library: Library) -> None:
    library.keep_adapter(SWAPPED)
    library.use_adapter("swapped")
    on_top: Adapter = linear({4: 2, 1: 2}, name="on-top", space=SWAPPED.adapted_space)
    library.keep_adapter(on_top)
    library.use_adapter("on-top")
    assert states(library) == {"on-top": "on", "swapped": "on"}
    assert best(library, "red") == "blue.png"
    back = library.rollback_adapter()
    assert (back.before, back.now) == ("on-top", None)
    library.use_adapter("on-top")
    assert library.switch_off_adapters() == ["swapped", "on-top"]
    assert serving(library) == ["colour"]
