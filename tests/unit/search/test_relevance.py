"""Scores against their definition, and what must hold of every relevance, in libraries of any size."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import Shelf, unit

from anyseek.search.backgrounds import Background, Origin
from anyseek.search.calibration import Calibration, Curve
from anyseek.search.calibrations import setting_of
from anyseek.search.curves import LAPSE, curve_loss, fit_curve
from anyseek.search.probe import Probe, Side
from anyseek.search.query import Query, Text
from anyseek.search.relevance import Calibrated, log_odds, relevance_of
from anyseek.search.timings import Stopwatch
from anyseek.search.vocabulary import Vocabulary
from anyseek.types import Kind, Modality, Segment

TEXTS = tuple(f"{first} {second}" for first in ("red", "green", "blue", "dark", "other") for second in ("low", "high", "black", "white"))
WATCH = Stopwatch()


def test_relevance_and_log_odds_undo_each_other() -> None:
    for score in (-25.0, -1.5, 0.0, 2.0, 20.0):
        assert float(log_odds(np.array(relevance_of(score)))) == pytest.approx(score, abs=1e-3)
    assert (relevance_of(-1000), relevance_of(1000)) == (0.0, 1.0)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 12), kinds=st.sampled_from([(Kind.IMAGE,), (Kind.AUDIO,), (Kind.IMAGE, Kind.AUDIO)]), same=st.booleans())
def test_in_any_library_a_relevance_is_a_share_that_rises_with_the_cosine_and_what_is_the_same_is_relevant(
    tmp_path_factory: pytest.TempPathFactory, count: int, kinds: tuple[Kind, ...], same: bool
) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("shelf") / "library")
    random = np.random.default_rng(count)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        row = unit(np.array([1, 0.1 * (not same) * number, 0, *random.random(5) * (not same)]))
        modality = Modality.IMAGE if kind is Kind.IMAGE else Modality.AUDIO
        shelf.put(f"{number}", kind, (Segment(modality, 0, 0 if kind is Kind.IMAGE else 1000), row))
    engine = shelf.engine(*TEXTS)
    for part in (Text("red"), engine.stored(1)):
        hits = list(engine.answer(Query((part,), limit=100, min_relevance=0)))
        assert len(hits) == count
        assert all(0 <= hit.relevance <= 1 and math.isfinite(hit.score) for hit in hits)
        for kind in kinds:
            cosines = [hit.cosine for hit in hits if hit.kind is kind]
            assert cosines == sorted(cosines, reverse=True)
    itself = next(hit for hit in hits if hit.path.name == "0")
    assert itself.relevance > 0.5
    shelf.catalog.close()


def test_a_library_without_texts_has_relevances_too(tmp_path: Path) -> None:
    mute = ColourEncoder("mute", modalities=frozenset({Modality.IMAGE}))
    shelf = Shelf(tmp_path / "library", mute)
    for number in range(3):
        shelf.put(f"{number}.png", Kind.IMAGE, (Segment(Modality.IMAGE), np.eye(8, dtype=np.float32)[number]))
    engine = shelf.engine(*TEXTS, keep=True)
    engine.prepare()
    relevances = {hit.path.name: hit.relevance for hit in engine.answer(Query((engine.stored(1),), min_relevance=0))}
    assert relevances["0.png"] > 0.9
    assert max(relevances["1.png"], relevances["2.png"]) < 0.1
    shelf.catalog.close()


def test_scores_are_those_of_the_measured_curve_and_of_mixed_sides_by_hand(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    for number in range(10):
        shelf.put(f"{number}.png", Kind.IMAGE, (Segment(Modality.IMAGE), unit(np.abs(np.random.default_rng(number).normal(size=8)))))
    curve = Curve(1.25, 3.0)
    calibration = Calibration(4, 0.5, {(Modality.TEXT, Modality.IMAGE): curve}, Vocabulary.of(TEXTS).digest)
    with shelf.catalog.transaction() as writer:
        writer.put_setting(setting_of(shelf.search_spaces()[0]), calibration.to_json())
    engine = shelf.engine(*TEXTS)
    relevance, (space,) = engine.relevance, engine.spaces
    assert isinstance(relevance, Calibrated)
    of = {sort: relevance.backgrounds.of(space, Modality.IMAGE, Origin(sort), WATCH) for sort in (Modality.TEXT, Modality.IMAGE)}
    corrected = np.array([0.1, 0.4, 0.9])

    red, blue = (ColourEncoder().encode_text([word])[0] for word in ("red", "blue"))
    alone = Probe(space, red, (Side(Origin(Modality.TEXT), red, 1.0),))
    text: Background = of[Modality.TEXT]
    assert relevance.scores(corrected, alone, Modality.IMAGE, WATCH) == pytest.approx(
        3.0 * ((corrected - text.mean) / text.deviation - 1.25)
    )

    both = Probe(space, red, (Side(Origin(Modality.TEXT), red, 0.9), Side(Origin(Modality.IMAGE), blue, -0.4)))
    picture: Background = of[Modality.IMAGE]
    mean = 0.9 * text.mean - 0.4 * picture.mean
    deviation = float(np.linalg.norm(0.9 * text.deviation * red - 0.4 * picture.deviation * blue))
    assert relevance.scores(corrected, both, Modality.IMAGE, WATCH) == pytest.approx(3.0 * ((corrected - mean) / deviation - 1.25))
    ids = shelf.catalog.live_embeddings(space.id)
    whole, share = relevance.corrections(alone, ids, WATCH), relevance.corrections(both, ids, WATCH)
    assert whole is not None
    assert share == pytest.approx(0.9 * whole)
    assert relevance.least_correction(alone, WATCH) == pytest.approx(whole.min())
    away = Probe(space, red, (Side(Origin(Modality.TEXT), red, -1.0),))
    assert relevance.least_correction(away, WATCH) == pytest.approx((-whole).min())
    shelf.catalog.close()


def test_what_was_joined_is_asked_as_much_as_what_is_asked_most_of_until_it_is_measured(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library")
    for number in range(10):
        vectors = (unit(np.abs(np.random.default_rng(10 * seed + number).normal(size=8))) for seed in range(2))
        shelf.put(f"{number}.png", Kind.IMAGE, *zip((Segment(Modality.IMAGE), Segment(Modality.WHOLE)), vectors, strict=True))
    image, audio, alike = Curve(1.25, 3.0), Curve(2.5, 2.0), Curve(9.0, 1.0)
    curves = {(Modality.TEXT, Modality.IMAGE): image, (Modality.TEXT, Modality.AUDIO): audio, (Modality.IMAGE, Modality.IMAGE): alike}
    red = ColourEncoder().encode_text(["red"])[0]
    for measured, curve in ((None, audio), (Curve(0.5, 1.0), Curve(0.5, 1.0))):
        known = curves if measured is None else {**curves, (Modality.TEXT, Modality.WHOLE): measured}
        with shelf.catalog.transaction() as writer:
            calibration = Calibration(4, 0.0, known, Vocabulary.of(TEXTS).digest)
            writer.put_setting(setting_of(shelf.search_spaces()[0]), calibration.to_json())
        engine = shelf.engine(*TEXTS)
        relevance, (space,) = engine.relevance, engine.spaces
        assert isinstance(relevance, Calibrated)
        by_chance = relevance.backgrounds.of(space, Modality.WHOLE, Origin(Modality.TEXT), WATCH)
        probe, corrected = Probe(space, red, (Side(Origin(Modality.TEXT), red, 1.0),)), np.array([0.1, 0.9])
        assert relevance.scores(corrected, probe, Modality.WHOLE, WATCH) == pytest.approx(
            curve.steepness * ((corrected - by_chance.mean) / by_chance.deviation - curve.middle)
        )
    shelf.catalog.close()


def test_a_curve_is_the_likeliest_of_the_grid() -> None:
    random = np.random.default_rng(3)
    right, wrong = random.logistic(4.5, 0.7, 60), random.logistic(2.5, 0.7, 90)
    curve = fit_curve(right, wrong)
    assert curve is not None

    def loss(middle: float, steepness: float) -> float:
        def p(z: float) -> float:
            return LAPSE + (1 - 2 * LAPSE) / (1 + math.exp(-steepness * (z - middle)))

        return -0.5 * np.mean([math.log(p(z)) for z in right]) - 0.5 * np.mean([math.log(1 - p(z)) for z in wrong])

    assert curve_loss(curve, right, wrong) == pytest.approx(loss(curve.middle, curve.steepness))
    for shift in (-0.2, 0.2):
        assert loss(curve.middle, curve.steepness) < loss(curve.middle + shift, curve.steepness)
        assert loss(curve.middle, curve.steepness) < loss(curve.middle, curve.steepness * 2 ** (2 * shift))
    assert 0.5 < curve.steepness < 4
    assert 3 < curve.middle < 4
    assert fit_curve(right[:9], wrong) is None


def test_a_few_answers_that_nothing_explains_move_a_curve_little() -> None:
    right, wrong = np.linspace(4, 6, 40), np.linspace(0, 2, 40)
    plain, odd = fit_curve(right, wrong), fit_curve(np.concatenate([right, [0.5, 0.6]]), wrong)
    assert plain is not None
    assert odd is not None
    assert abs(plain.middle - odd.middle) < 1
    assert odd.steepness > 2
