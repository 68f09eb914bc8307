"""Calibrating a library by judged queries: what is chosen, what is kept, and what a user is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commandline import CommandLine
from fakes import ColourEncoder
from PIL import Image

from anyseek import Library
from anyseek.calibrating import calibrate, calibrations_of, replace_captions, reset
from anyseek.errors import BadInput
from anyseek.evaluation.formats import read_queries
from anyseek.search.backgrounds import Background
from anyseek.search.measuring import PLAIN, RIGHT, UNKNOWN, WRONG, Evidence, Method, Pool, choose
from anyseek.types import Modality

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0), "cyan": (0, 255, 255)}
DIM = {name: tuple(channel // 2 for channel in colour) for name, colour in COLOURS.items()}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A bright and a dim picture of each colour, and queries for each of three colours and for things that are not there."""
    for name in COLOURS:
        Image.new("RGB", (32, 32), COLOURS[name]).save(tmp_path / f"{name}.png")
        Image.new("RGB", (32, 32), DIM[name]).save(tmp_path / f"dim {name}.png")
    asked = [{"query": word, "relevant": [{"path": f"{name}.png"}]} for name in COLOURS for word in (name, f"{name} {name}", f"{name}  ")]
    asked += [{"query": f"{word} {word}", "relevant": []} for word in ("magnificent", "unknown", "nothing", "elephants", "a b c d")]
    queries = [{"id": str(number), "kind": "text", "target": "image"} | query for number, query in enumerate(asked)]
    (tmp_path / "queries.json").write_text(json.dumps({"version": 1, "queries": queries}), encoding="utf-8")
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        library.index(tmp_path)
        yield library


def test_what_is_chosen_is_kept_used_and_forgotten_again(library: Library, tmp_path: Path) -> None:
    judged = read_queries(tmp_path / "queries.json")
    assert [(each.spec, each.calibration.source) for each in calibrations_of(library)] == [("colour", "default")]
    before = library.search("red", min_relevance=0)
    told: list[tuple[int, int]] = []
    (dry,) = calibrate(library, judged, on_query=lambda done, total: told.append((done, total)), keep=False)
    assert told[-1] == (20, 20)
    assert [hit.score for hit in library.search("red", min_relevance=0)] == [hit.score for hit in before]
    (chosen,) = calibrate(library, judged)
    assert chosen == dry
    calibration = chosen.calibration
    assert (calibration.queries, calibration.source) == (20, "measured")
    plain = calibration.trials[0]
    taken = next(trial for trial in calibration.trials if (trial.nearest, trial.strength) == (calibration.nearest, calibration.strength))
    assert taken.recall >= plain.recall
    assert taken.loss == min(trial.loss for trial in calibration.trials if trial.recall >= plain.recall)
    assert [each.calibration for each in calibrations_of(library)] == [calibration]
    assert [hit.score for hit in library.search("red", min_relevance=0)] != [hit.score for hit in before]
    assert "red.png" in {hit.path.name for hit in library.search("red")}
    assert not library.search("magnificent elephants").hits
    reset(library)
    assert [hit.score for hit in library.search("red", min_relevance=0)] == [hit.score for hit in before]


def test_own_captions_take_the_place_of_the_shipped_ones(library: Library, tmp_path: Path) -> None:
    calibrate(library, read_queries(tmp_path / "queries.json"))
    captions = [f"{one} {two}" for one in COLOURS for two in COLOURS]
    assert replace_captions(library, [*captions, "", captions[0]]) == len(captions)
    assert [each.calibration.source for each in calibrations_of(library)] == ["default"]
    assert library.engine.relevance.backgrounds.bridges.texts.vocabulary.texts == tuple(captions)  # type: ignore[attr-defined]
    with pytest.raises(BadInput, match="are too few"):
        replace_captions(library, captions[:3])


def test_too_few_queries_are_refused(library: Library, tmp_path: Path) -> None:
    few = json.loads((tmp_path / "queries.json").read_text(encoding="utf-8"))
    (tmp_path / "few.json").write_text(json.dumps(few | {"queries": few["queries"][:9]}), encoding="utf-8")
    with pytest.raises(BadInput, match="fewer than 10 queries"):
        calibrate(library, read_queries(tmp_path / "few.json"))


def pool_with_a_hub() -> tuple[list[Evidence], Pool]:
    """Twenty queries, each with a right answer of cosine 0.5, and one embedding that is near to all: 0.6, with a bias of 0.8."""
    count = 20
    cosines = np.full((count, count + 1), 0.1)
    np.fill_diagonal(cosines, 0.5)
    cosines[:, count] = 0.6
    judged = np.full((count, count + 1), WRONG, np.int8)
    np.fill_diagonal(judged, RIGHT)
    biases = np.append(np.full(count, 0.2), 0.8)
    pair = (Modality.TEXT, Modality.IMAGE)
    methods = (PLAIN, Method(16, 0.5))
    pool = Pool(
        np.arange(count + 1), np.full(count + 1, "image"), {16: biases, 64: biases}, {m: {pair: Background(0, 0.1, 4)} for m in methods}
    )
    return [Evidence(Modality.TEXT, row, of) for row, of in zip(cosines, judged, strict=True)], pool


def test_a_hub_that_stands_before_right_answers_is_corrected() -> None:
    evidence, pool = pool_with_a_hub()
    chosen = choose(evidence, pool, "digest", (PLAIN, Method(16, 0.5)))
    assert (chosen.nearest, chosen.strength, chosen.captions, chosen.queries) == (16, 0.5, "digest", 20)
    plain, corrected = chosen.trials
    assert (plain.recall, plain.precision) == (0.0, 0.5)
    assert (corrected.recall, corrected.precision) == (1.0, 1.0)
    assert corrected.loss < plain.loss
    curve = chosen.curves[Modality.TEXT, Modality.IMAGE]
    assert (0.6 - 0.4) / 0.1 < curve.middle < (0.5 - 0.1) / 0.1


def test_what_nobody_judged_counts_neither_way() -> None:
    evidence, pool = pool_with_a_hub()
    for one in evidence:
        one.judged[-1] = UNKNOWN
    plain = choose(evidence, pool, "digest", (PLAIN,)).trials[0]
    assert (plain.recall, plain.precision) == (1.0, 1.0)


@pytest.mark.usefixtures("library")
def test_the_command_shows_what_holds_and_what_was_tried(tmp_path: Path) -> None:
    line = CommandLine(tmp_path / "home", library=tmp_path / "other")
    line("index", tmp_path / "red.png")
    (space,) = line("calibrate", "--json").json["spaces"]
    assert (space["space"], space["source"]) == ("starter", "shipped")
    assert space["queries"] >= 100
    assert {(curve["asked"], curve["found"]) for curve in space["curves"]} == {("text", "image"), ("text", "audio")}
    assert "measured on other media" in line("calibrate").text
    captions = tmp_path / "captions.txt"
    captions.write_text("\n".join(f"{one} {two}" for one in COLOURS for two in COLOURS), encoding="utf-8")
    said = line("calibrate", "--captions", captions)
    assert "nobody has measured it" in said.text
    assert "run  anyseek calibrate QUERIES" in said.complaint
    assert "measured on other media" in line("calibrate", "--reset").text
    assert "cannot be read" in line("calibrate", "--captions", tmp_path / "none.txt", code=2).complaint
