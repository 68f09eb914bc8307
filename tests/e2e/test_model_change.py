"""A library changes its model: the real commands on real media, from the starter to OpenCLIP and CLAP side by side, and back.

Their checkpoints are tiny and know nothing, so that what is asked here is never whether an answer is good, but where it comes from.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import CommandLine
from tiny_models import tiny

PICTURES = ["chelsea.png", "IMG_2041.jpg", "IMG_2057.jpg", "IMG_2063.jpg", "IMG_2070.jpg", "scan0003.jpg"]
SOUNDS = ["REC001.wav", "REC002.ogg", "REC003.mp3", "REC005.ogg"]
FILMS = ["MVI_0412.mp4"]


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A space for pictures and one for sounds."""
    return f"open_clip:local-dir:{tiny('openclip')}", f"clap:{tiny('clap')}"


@pytest.fixture
def media(tmp_path: Path, demo: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    for kind, names in (("photos", PICTURES), ("sounds", SOUNDS), ("films", FILMS)):
        for name in names:
            shutil.copy2(demo / kind / name, folder / name)
    return folder


@pytest.fixture
def person(tmp_path: Path) -> CommandLine:
    """Somebody who works with one library."""
    return CommandLine(tmp_path / "home", library=tmp_path / "library")


def models(*specs: str) -> list[str]:
    return [word for spec in specs for word in ("--model", spec)]


def states(person: CommandLine) -> dict[str, str]:
    return {model["spec"]: model["state"] for model in person("status", "--json").json["models"]}


def vectors(person: CommandLine, spec: str) -> dict[tuple[object, ...], bytes]:
    """What a space holds, by content and segment."""
    with closing(sqlite3.connect(Path(person.environment["ANYSEEK_LIBRARY"]) / "catalog.db")) as catalog:
        rows = catalog.execute(
            "SELECT hash, modality, start_ms, end_ms, frame_ms, vector FROM embedding JOIN space ON space.id = space_id"
            " JOIN segment ON segment.id = segment_id JOIN content ON content.id = content_id WHERE spec = ?",
            (spec,),
        ).fetchall()
    return {row[:-1]: row[-1] for row in rows}


def spaces_by_kind(answer: dict[str, Any]) -> dict[str, set[tuple[str, str | None]]]:
    """Which space, by which bridge, found the hits of each kind."""
    found: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
    for hit in answer["hits"]:
        found[hit["kind"]].add((hit["space"], hit["bridge"]))
    return dict(found)


def test_from_the_starter_to_two_models_and_back(person, demo, pair):
    clip, clap = pair
    files = person("index", demo, "--json").json["new"]
    assert states(person) == {"starter": "serving"}
    report = person("index", *models(*pair), "--json").json
    assert (report["new"], report["changed_to"]) == (0, list(pair))
    assert states(person) == {"starter": "kept", clip: "serving", clap: "serving"}
    assert report["embedded"] == len(vectors(person, clip)) + len(vectors(person, clap))

    answer = person("search", "a dog", "--all", "-n", 1000, "--json").json
    assert (answer["searched"], len(answer["hits"])) == (report["embedded"], files)
    by_kind = spaces_by_kind(answer)
    assert (by_kind["image"], by_kind["audio"]) == ({(clip, None)}, {(clap, None)})
    assert by_kind["video"] <= {(clip, None), (clap, None)}

    picture = demo / "photos" / "chelsea.png"
    answer = person("search", "--image", picture, "--all", "-n", 1000, "--json").json
    by_kind = spaces_by_kind(answer)
    assert (by_kind["image"], by_kind["audio"]) == ({(clip, None)}, {(clap, f"ridge: {clip} → {clap}")})
    first = next(hit for hit in answer["hits"] if hit["kind"] == "image")
    assert (first["path"], first["cosine"]) == (str(picture), pytest.approx(1, abs=2e-3))

    answer = person("search", "--audio", demo / "sounds" / "REC001.wav", "--all", "--kind", "image", "--json").json
    assert spaces_by_kind(answer) == {"image": {(clip, f"ridge: {clap} → {clip}")}}

    assert person("index", "--json").json["embedded"] == 0
    person("models", "use", "starter")
    assert states(person) == {"starter": "serving", clip: "kept", clap: "kept"}
    assert {hit["space"] for hit in person("search", "a dog", "--all", "--json").json["hits"]} == {"starter"}
    person("models", "use", *pair)
    before = (Path(person.environment["ANYSEEK_LIBRARY"]) / "catalog.db").stat().st_size
    assert person("models", "drop", "--json").json == {"dropped": [{"spec": "starter", "dim": 384}]}
    assert (Path(person.environment["ANYSEEK_LIBRARY"]) / "catalog.db").stat().st_size < before
    assert states(person) == {clip: "serving", clap: "serving"}
    assert person("doctor", "--json").json["healthy"]
    complaint = person("models", "drop", clip, code=2).complaint
    assert "serves this library" in complaint


def test_a_killed_change_goes_on_where_it_stopped_while_the_old_model_serves(person, media, pair, tmp_path):
    clip, clap = pair
    person("index", media)
    old = person("search", "a dog", "--all", "--json").json["hits"]
    running = person.start("index", *models(*pair), "--batch-size", 1)
    while len(vectors(person, clip)) < 3:
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    begun = len(vectors(person, clip)) + len(vectors(person, clap))
    assert begun >= 3
    assert states(person) == {"starter": "serving", clip: "building", clap: "building"}
    assert person("search", "a dog", "--all", "--json").json["hits"] == old

    report = person("index", "--json").json
    assert report["changed_to"] == list(pair)
    assert states(person) == {"starter": "kept", clip: "serving", clap: "serving"}
    assert report["embedded"] + begun == len(vectors(person, clip)) + len(vectors(person, clap))

    fresh = CommandLine(tmp_path / "other home", library=tmp_path / "other library")
    assert fresh("index", media, *models(*pair), "--json").json["new"] == len(PICTURES + SOUNDS + FILMS)
    for spec in pair:
        expected = vectors(fresh, spec)
        assert vectors(person, spec).keys() == expected.keys()
        for key, vector in vectors(person, spec).items():
            np.testing.assert_allclose(np.frombuffer(vector, "<f2"), np.frombuffer(expected[key], "<f2"), atol=2e-3)


def test_another_folder_that_lacks_vectors_holds_the_change_up(person, media, pair, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    shutil.move(media / "chelsea.png", other / "chelsea.png")
    person("index", media, other)
    report = person("index", media, *models(pair[0]), "--json").json
    assert report["changed_to"] == []
    assert f"(1 more to go): run  anyseek index  again without naming folders, or  anyseek models use {pair[0]}  to" in report["notes"][0]
    assert states(person) == {"starter": "serving", pair[0]: "building"}
    assert person("index", "--json").json["changed_to"] == [pair[0]]
    # a space of pictures holds nothing of sounds, which are no failures for that
    assert person("status", "--json").json["failed"] == 0
