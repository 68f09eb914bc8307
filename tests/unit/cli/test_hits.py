"""How hits of one space and of several are shown, and where the time went."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from elsewhere import ElsewhereEncoder
from shelf import Shelf, unit

from anyseek.cli.hits import finish
from anyseek.cli.output import answers
from anyseek.search.engine import Answer
from anyseek.search.query import Query, Text
from anyseek.types import Kind, Modality, Segment

TEXTS = tuple(f"{one} {other}" for one in ("red", "green", "blue", "black") for other in ("red", "green", "blue", "black", "white"))


def answer(folder: Path, *specs: str, text: str | None = "red") -> Answer:
    """A red and a green picture in the first space, the same as sounds in the last; asked by text, or by the red picture."""
    encoders = [ElsewhereEncoder(spec, 0.2, 0.3, turn) for turn, spec in enumerate(specs)]
    shelf = Shelf(folder / "library", *encoders)
    pictures = []
    for name, mix in (("red", [1.0, 0, 0, 0]), ("green", [0, 1.0, 0, 0])):
        colour = unit(np.array([*mix, 0, 0, 0, 0]))[None]
        seen, heard = encoders[0].place(colour, Modality.IMAGE)[0], encoders[-1].place(colour, Modality.AUDIO)[0]
        pictures.append(shelf.put(f"{name}.png", Kind.IMAGE, (Segment(Modality.IMAGE), seen)))
        shelf.put(f"{name}.ogg", Kind.AUDIO, (Segment(Modality.AUDIO, 0, 1000), heard), space=len(specs) - 1)
    engine = shelf.engine(*TEXTS)
    found = engine.answer(Query((Text(text) if text else engine.stored(pictures[0]),), min_relevance=0))
    shelf.catalog.close()
    return found


def shown(capsys: pytest.CaptureFixture[str], found: Answer, *, as_json: bool = False, timings: bool = False) -> tuple[str, str]:
    finish(found, "red", as_json=as_json, as_paths=False, nul=False, timings=timings)
    return capsys.readouterr()


def lines_of(table: str) -> dict[str, str]:
    return {line.split("/")[-1].split()[0]: line.rstrip() for line in table.splitlines() if "red." in line or "green." in line}


def test_one_space_is_not_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = shown(capsys, answer(tmp_path, "clip:one"))
    assert set(lines_of(out)) == {"red.png", "red.ogg", "green.png", "green.ogg"}
    assert "clip" not in out


def test_several_spaces_are_named_by_their_back_ends_or_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(shown(capsys, answer(tmp_path / "a", "clip:one", "clap:two"))[0])
    assert {name: line.rpartition("  ")[2] for name, line in lines.items()} == {
        "red.png": "clip",
        "green.png": "clip",
        "red.ogg": "clap",
        "green.ogg": "clap",
    }
    lines = lines_of(shown(capsys, answer(tmp_path / "b", "st:one", "st:two"))[0])
    assert lines["red.png"].endswith("st:one")
    assert lines["red.ogg"].endswith("st:two")


def test_what_came_by_a_bridge_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(tmp_path, "clip:one", "clap:two", text=None)
    lines = lines_of(shown(capsys, found)[0])
    assert lines["red.ogg"].endswith("clap by bridge")
    assert lines["red.png"].endswith("clip")
    document = json.loads(shown(capsys, found, as_json=True)[0])
    assert document["spaces"] == ["clip:one", "clap:two"]
    hits = {Path(hit["path"]).name: hit for hit in document["hits"]}
    assert (hits["red.ogg"]["space"], hits["red.ogg"]["bridge"]) == ("clap:two", "ridge: clip:one → clap:two")
    assert (hits["red.png"]["space"], hits["red.png"]["bridge"]) == ("clip:one", None)
    assert hits["red.png"]["cosine"] == pytest.approx(1.0, abs=1e-3)


def test_timings_go_to_stderr_or_into_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(tmp_path, "clip:one", "clap:two")
    out, err = shown(capsys, found, timings=True)
    stages = [line.split("  ")[0].strip() for line in err.splitlines()]
    assert [stage for stage in stages if stage in found.timings] == list(found.timings)
    assert stages[-1] == "total"
    assert "total" not in out
    document = json.loads(shown(capsys, found, as_json=True, timings=True)[0])
    assert document["timings"] == {stage: round(taken, 1) for stage, taken in found.timings.items()}
    assert "timings" not in json.loads(shown(capsys, found, as_json=True)[0])
    assert shown(capsys, found)[1] == ""


def test_nothing_found_still_says_where_the_time_went(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        finish(Answer(timings={"lookup": 1.25}), "x", as_json=False, as_paths=True, nul=False, timings=True)
    assert ended.value.exit_code == 1
    assert "1.2 ms" in capsys.readouterr().err


def test_a_narrow_terminal_still_shows_which_files_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answer(tmp_path, "clip:one")
    monkeypatch.setenv("COLUMNS", "40")
    answers.cache_clear()
    try:
        out, _ = shown(capsys, found)
    finally:
        answers.cache_clear()
    told = "".join("".join(line.split()) for line in out.splitlines())
    assert all(name in told for name in ("red.png", "red.ogg", "green.png", "green.ogg"))
    assert "0:00–0:01" in told
    assert max(map(len, out.splitlines()[1:])) <= 40
