"""Biases of hubs against brute force; and that they are kept, caught up with, and taken off in the ranking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from fakes import WORDS, ColourEncoder
from shelf import Shelf, unit

from anyseek.search.calibration import Calibration, Curve
from anyseek.search.calibrations import setting_of
from anyseek.search.engine import Engine
from anyseek.search.hubs import Hubs, biases_of
from anyseek.search.query import Query, Text
from anyseek.search.relevance import Calibrated
from anyseek.search.timings import Stopwatch
from anyseek.search.vocabulary import Vocabulary
from anyseek.types import Kind, Modality, Segment

TEXTS = tuple(" ".join(words) for words in combinations(WORDS, 2))
NEAREST, STRENGTH = 3, 0.5
RANDOM = np.random.default_rng(5)


def naive(vectors: np.ndarray, captions: np.ndarray, nearest: int) -> list[float]:
    """The definition, one by one."""
    cosines = [[float(np.float64(row) @ np.float64(caption)) for caption in captions] for row in vectors]
    return [sum(sorted(each, reverse=True)[:nearest]) / nearest for each in cosines]


def test_a_bias_is_the_mean_of_the_nearest_captions_cosines() -> None:
    vectors = np.stack([unit(row) for row in RANDOM.normal(size=(40, 8))])
    captions = np.stack([unit(row) for row in RANDOM.normal(size=(30, 8))])
    for nearest in (1, 7, 30):
        np.testing.assert_allclose(biases_of(vectors, captions, nearest), naive(vectors, captions, nearest), atol=1e-6)
    np.testing.assert_allclose(biases_of(vectors, captions, 99), naive(vectors, captions, 30), atol=1e-6)
    assert biases_of(vectors[:0], captions, 3).shape == (0,)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """Sixty pictures in a space where half of the bias of three captions is taken off."""
    shelf = Shelf(tmp_path / "library")
    for number in range(60):
        put(shelf, number)
    calibrate(shelf, STRENGTH)
    yield shelf
    shelf.catalog.close()


def put(shelf: Shelf, number: int) -> None:
    row = unit(np.abs(np.random.default_rng(number).normal(size=8)))
    shelf.put(f"{number:03}.png", Kind.IMAGE, (Segment(Modality.IMAGE), row))


def calibrate(shelf: Shelf, strength: float) -> None:
    calibration = Calibration(NEAREST, strength, captions=Vocabulary.of(TEXTS).digest)
    with shelf.catalog.transaction() as writer:
        writer.put_setting(setting_of(shelf.search_spaces()[0]), calibration.to_json())


def wanted(shelf: Shelf, text: str) -> dict[str, float]:
    """Corrected cosines by brute force."""
    captions = ColourEncoder().encode_text(TEXTS).astype(np.float16)
    query = ColourEncoder().encode_text([text])[0].astype(np.float64)
    biases = {path: naive(rows, captions, NEAREST)[0] for path, (_, rows) in shelf.truth.items()}
    return {path: float(rows[0] @ query) - STRENGTH * biases[path] for path, (_, rows) in shelf.truth.items()}


@pytest.mark.parametrize("limit", [3, 60])
def test_the_corrected_order_is_that_of_brute_force(shelf: Shelf, limit: int) -> None:
    answer = shelf.engine(*TEXTS).answer(Query((Text("red blue"),), limit=limit, min_relevance=0))
    best = sorted(wanted(shelf, "red blue").items(), key=lambda item: -item[1])[:limit]
    assert [hit.path.name for hit in answer] == [name for name, _ in best]
    assert [hit.cosine - hit.bias for hit in answer] == pytest.approx([value for _, value in best], abs=1e-6)
    raw = sorted(shelf.truth, key=lambda path: -(shelf.truth[path][1][0] @ ColourEncoder().encode_text(["red blue"])[0]))
    assert raw != [name for name, _ in sorted(wanted(shelf, "red blue").items(), key=lambda item: -item[1])]  # it makes a difference


def test_nothing_is_taken_off_pictures_and_sounds(shelf: Shelf) -> None:
    engine = shelf.engine(*TEXTS)
    answer = engine.answer(Query((engine.stored(1),), limit=5, min_relevance=0))
    assert {hit.bias for hit in answer} == {0.0}


def test_the_bounds_are_those_of_all_embeddings(shelf: Shelf) -> None:
    hubs = hubs_of(shelf.engine(*TEXTS))
    (space,) = shelf.search_spaces()
    ids = shelf.catalog.live_embeddings(space.id)
    taken = hubs.taken(space, ids, Stopwatch())
    assert taken is not None
    assert hubs.bounds(space, Stopwatch()) == pytest.approx((taken.min(), taken.max()))


def hubs_of(engine: Engine) -> Hubs:
    assert isinstance(engine.relevance, Calibrated)
    return engine.relevance.hubs


def test_biases_are_kept_and_those_of_new_files_are_added(shelf: Shelf) -> None:
    shelf.engine(*TEXTS, keep=True).prepare()
    (kept,) = shelf.folder.derived.glob("hubs-*")
    before = kept.read_bytes()
    shelf.engine(*TEXTS, keep=True).prepare()
    assert kept.read_bytes() == before
    engine = shelf.engine(*TEXTS, keep=True)
    encoder = shelf.encoders[0]
    assert isinstance(encoder, ColourEncoder)
    encoder.encoded.clear()
    old = engine.answer(Query((Text("red"),), limit=100, min_relevance=0))
    assert encoder.encoded[Modality.TEXT] == 1
    put(shelf, 60)
    new = engine.answer(Query((Text("red"),), limit=100, min_relevance=0))
    values = wanted(shelf, "red")
    assert len(new) == len(old) + 1
    assert {hit.path.name: hit.cosine - hit.bias for hit in new} == pytest.approx(values, abs=1e-6)
    shelf.engine(*TEXTS, keep=True).prepare()
    assert kept.read_bytes() != before


def test_what_cannot_be_found_any_more_leaves_the_file_in_time(shelf: Shelf) -> None:
    shelf.engine(*TEXTS, keep=True).prepare()
    (kept,) = shelf.folder.derived.glob("hubs-*")
    size = kept.stat().st_size
    shelf.delete(*(f"{number:03}.png" for number in range(10)))
    shelf.engine(*TEXTS, keep=True).prepare()
    assert kept.stat().st_size == size
    shelf.delete(*(f"{number:03}.png" for number in range(10, 20)))
    shelf.engine(*TEXTS, keep=True).prepare()
    assert kept.stat().st_size < size


def test_a_kept_engine_hears_of_another_calibration(shelf: Shelf) -> None:
    engine = shelf.engine(*TEXTS)
    query = Query((Text("red"),), limit=5, min_relevance=0)
    assert {hit.bias > 0 for hit in engine.answer(query)} == {True}
    calibrate(shelf, 0.0)
    assert {hit.bias for hit in engine.answer(query)} == {0.0}


def test_a_calibration_for_other_captions_or_of_another_version_is_passed_over(shelf: Shelf) -> None:
    query = Query((Text("red"),), limit=5, min_relevance=0)
    assert {hit.bias for hit in shelf.engine(*TEXTS[1:]).answer(query)} == {0.0}
    with shelf.catalog.transaction() as writer:
        writer.put_setting(setting_of(shelf.search_spaces()[0]), json.dumps({"version": 99}))
    assert {hit.bias for hit in shelf.engine(*TEXTS).answer(query)} == {0.0}


def test_a_calibration_comes_back_as_it_was_written() -> None:
    curves = {(Modality.TEXT, Modality.IMAGE): Curve(4.5, 2.0)}
    calibration = Calibration(16, 0.25, curves, "digest", "measured", 12)
    assert Calibration.from_json(calibration.to_json(), "measured") == calibration
    with pytest.raises(ValueError, match="no calibration"):
        Calibration.from_json("[]", "measured")
