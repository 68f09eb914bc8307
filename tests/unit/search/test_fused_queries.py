"""Trained fusions and agreement where queries are asked: parts, the sides of a film, what is stored, several spaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from adapting import card_of
from fakes import DIM, ColourEncoder
from shelf import Shelf, unit

from anyseek.adapters.adapter import Adapter
from anyseek.asking import Asked
from anyseek.errors import BadQuery
from anyseek.fusion.agreement import Agreement
from anyseek.fusion.early import EarlyFusion, Pieces
from anyseek.fusion.network import FusionNetwork
from anyseek.search.engine import Engine
from anyseek.search.plan import Plan
from anyseek.search.probe import Probe
from anyseek.search.query import Example, Stored, Vectors
from anyseek.search.references import Reference
from anyseek.search.timings import Stopwatch
from anyseek.search.understanding import understand
from anyseek.types import Decoded, Kind, Modality, Picture, Segment, Sound

RED, GREEN, BLUE, DARK = np.eye(DIM, dtype=np.float32)[:4]
TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO
RANDOM = np.random.default_rng(4)
NETWORK = {
    f"network.{field}.{modality}": RANDOM.normal(size=shape).astype(np.float32)
    for modality in (TEXT, IMAGE, AUDIO)
    for field, shape in (("down", (DIM, 2)), ("up", (2, DIM)), ("gate", (DIM,)), ("gate_bias", ()))
}
WEIGHTS = {f"weights.{modality}": np.asarray(weight, np.float32) for modality, weight in ((TEXT, 0.75), (IMAGE, 0.25), (AUDIO, 0.0))}
TRAINED = Adapter(card_of("joiner", "fusion", modalities=(TEXT, IMAGE, AUDIO)), NETWORK | WEIGHTS)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "library")
    for name, vector in (("red", RED), ("green", GREEN), ("blue", BLUE), ("yellow", unit(RED + GREEN))):
        shelf.put(f"{name}.png", Kind.IMAGE, (Segment(IMAGE), vector))
    shelf.put("film.mp4", Kind.VIDEO, (Segment(IMAGE, 0, 4000, 2000), RED), (Segment(AUDIO, 0, 4000), BLUE))
    yield shelf
    shelf.catalog.close()


def probe_of(shelf: Shelf, engine: Engine, asked: Asked) -> Probe:
    query = asked.query(engine, shelf.catalog, Stopwatch())
    assert isinstance(query.fusion, EarlyFusion)
    (probe,) = Plan(query.counted, engine.spaces, engine.spaces, None, Stopwatch(), query.fusion).together()
    return probe


def like(name: str, shelf: Shelf) -> Reference:
    return Reference.read(shelf.folder.path.parent / name)


def test_words_and_a_picture_are_joined_as_was_fitted(shelf: Shelf) -> None:
    engine = shelf.engine(calibrated=False, adapted=[TRAINED])
    asked = Asked(text=["red"], like=[like("green.png", shelf)], fusion="weighted", min_relevance=0)
    np.testing.assert_allclose(probe_of(shelf, engine, asked).vector, unit(0.75 * RED + 0.25 * GREEN), atol=1e-3)
    hits = engine.answer(asked.query(engine, shelf.catalog, Stopwatch())).hits
    assert {hit.path.name: hit.cosine for hit in hits[:3]} == pytest.approx(
        {"red.png": 0.9487, "film.mp4": 0.9487, "yellow.png": 0.8944}, abs=1e-3
    )


def test_a_network_knows_what_each_part_is(shelf: Shelf) -> None:
    engine = shelf.engine(calibrated=False, adapted=[TRAINED])
    asked = Asked(text=["red"], like=[like("green.png", shelf)], weights={"text": 2.0}, fusion="network", min_relevance=0)
    network = TRAINED.network
    assert isinstance(network, FusionNetwork)
    wanted = network.joined(np.stack([RED, GREEN]), np.array([2 / 3, 1 / 3]), (TEXT, IMAGE))
    probe = probe_of(shelf, engine, asked)
    np.testing.assert_allclose(probe.vector, wanted / np.linalg.norm(wanted), atol=1e-3)
    assert [side.origin.modality for side in probe.sides] == [TEXT, IMAGE]
    assert {hit.path.name for hit in engine.answer(asked.query(engine, shelf.catalog, Stopwatch()))} == set(shelf.truth)


@pytest.mark.parametrize("fusion", ["weighted", "network"])
def test_what_was_not_trained_or_is_off_is_refused(shelf: Shelf, fusion: str) -> None:
    engine = shelf.engine(calibrated=False, adapted=False)
    asked = Asked(text=["red", "green"], fusion=fusion)
    with pytest.raises(BadQuery, match="anyseek train"):
        engine.answer(asked.query(engine, shelf.catalog, Stopwatch()))
    alone = Asked(text=["red"], fusion=fusion)  # what is one needs no joining
    assert engine.answer(alone.query(engine, shelf.catalog, Stopwatch())).hits


def test_a_stored_film_is_joined_by_the_querys_fusion(shelf: Shelf) -> None:
    engine = shelf.engine(calibrated=False, adapted=[TRAINED])
    film = like("film.mp4", shelf)
    by = {name: probe_of(shelf, engine, Asked(similar_to=film, fusion=name)).vector for name in ("mean", "weighted")}
    np.testing.assert_allclose(by["mean"], unit(RED + BLUE), atol=1e-3)
    np.testing.assert_allclose(by["weighted"], RED, atol=1e-3)  # sounds count for nothing


def test_a_film_from_outside_is_joined_by_the_querys_fusion(shelf: Shelf) -> None:
    low = np.sin(2 * np.pi * 3000 * np.arange(8000) / 8000).astype(np.float32)
    segments: tuple[Decoded, ...] = (
        Picture(Segment(IMAGE), np.full((2, 2, 3), (255, 0, 0), np.uint8)),
        Sound(Segment(AUDIO, 0, 1000), low),
    )
    (space,) = shelf.search_spaces()

    class Heard:
        """Takes the sound alone."""

        name, with_parts = "heard", True

        def fuse(self, pieces: Pieces) -> object:
            assert pieces.modalities == (IMAGE, AUDIO)
            assert pieces.fingerprint == shelf.space.space.fingerprint
            return type("Fused", (), {"vector": pieces.vectors[1], "shares": (0.0, 1.0)})()

    found = understand(Example(Kind.VIDEO, {space.id: segments}), space, Stopwatch(), Heard())  # type: ignore[arg-type]
    assert found is not None
    np.testing.assert_allclose(found.vector, BLUE, atol=1e-5)
    assert found.modality is AUDIO


def test_a_part_that_is_mixed_counts_as_what_most_of_it_is(shelf: Shelf) -> None:
    (space,) = shelf.search_spaces()
    stored = Stored({space.id: Vectors(np.stack([RED, BLUE, BLUE]), (IMAGE, AUDIO, AUDIO))})
    found = understand(stored, space, Stopwatch(), Agreement())
    assert found is not None
    assert found.modality is AUDIO


def test_sides_that_cancel_out_are_the_first(shelf: Shelf) -> None:
    (space,) = shelf.search_spaces()
    found = understand(Stored({space.id: Vectors(np.stack([RED, -RED]), (IMAGE, AUDIO))}), space, Stopwatch())
    assert found is not None
    np.testing.assert_array_equal(found.vector, RED)


def test_of_three_parts_the_one_that_fits_none_counts_least(shelf: Shelf) -> None:
    engine = shelf.engine(calibrated=False)
    asked = Asked(text=["red", "red magenta", "green cyan"], fusion="agreement")
    rows = np.stack([unit(row) for row in ColourEncoder().encode_text(list(asked.text))])
    fused = Agreement().fuse(Pieces(rows, (1.0, 1.0, 1.0), (TEXT,) * 3))
    np.testing.assert_allclose(probe_of(shelf, engine, asked).vector, fused.vector, atol=1e-6)
    mean = probe_of(shelf, engine, Asked(text=asked.text)).vector
    assert fused.vector[1] < mean[1]


def test_a_space_without_its_own_network_is_named_when_several_are_asked(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library", ColourEncoder(), ColourEncoder("other"))
    for space in (0, 1):
        shelf.put("red.png", Kind.IMAGE, (Segment(IMAGE), RED), space=space)
    engine = shelf.engine(calibrated=False, adapted=[TRAINED])
    asked = Asked(text=["red", "green"], fusion="network").query(engine, shelf.catalog, Stopwatch())
    with pytest.raises(BadQuery, match="no fusion network was trained for this model"):
        engine.answer(asked)
    shelf.catalog.close()
