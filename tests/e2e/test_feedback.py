"""Feedback on real files through the real command: a session's likes and rejections change the next answer, and nothing else does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from demo_library import DemoLibrary

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture
def anyseek(demo_library: DemoLibrary, tmp_path: Path) -> CommandLine:
    """A library of its own, for the others count on theirs."""
    library = shutil.copytree(demo_library.command.environment["ANYSEEK_LIBRARY"], tmp_path / "library")
    return CommandLine(tmp_path / "home", library=library)


@pytest.fixture
def photos(demo_library: DemoLibrary) -> Path:
    return demo_library.media.resolve() / "photos"


def hits(anyseek: CommandLine, *words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = anyseek("search", *words, "--json", "--all", "-n", 200).json["hits"]  # type: ignore[arg-type]
    return found


def names(found: Sequence[dict[str, Any]]) -> list[str]:
    return [Path(hit["path"]).name for hit in found]


def test_a_session_from_the_first_like_to_the_last_trace(anyseek: CommandLine, photos: Path) -> None:
    farm = photos / "farm 2022"
    question = ("a farm animal", "-k", "image")
    plain = hits(anyseek, *question)
    assert "feedback is off" in anyseek("feedback", "like", farm / "DSC_0113.jpg", "-q", "a farm animal", code=2).complaint
    anyseek("feedback", "on")
    anyseek("feedback", "like", farm / "DSC_0113.jpg", farm / "DSC_0134.jpg", "--query", "a farm animal", "--session", "today")
    anyseek("feedback", "reject", photos / "IMG_2041.jpg", "--query", "a farm animal", "--session", "today")
    anyseek("feedback", "open", farm / "DSC_0118.jpg", "--query", "a farm animal", "--session", "today")
    assert names(hits(anyseek, *question)) == names(plain)

    refined = hits(anyseek, *question, "--session", "today")
    named = ("--liked", farm / "DSC_0113.jpg", "--liked", farm / "DSC_0134.jpg", "--rejected", photos / "IMG_2041.jpg")
    assert refined == hits(anyseek, *question, *named)
    assert sorted(names(refined)) == sorted(set(names(plain)) - {"IMG_2041.jpg"})
    places = names(refined)
    assert places.index("DSC_0134.jpg") < names(plain).index("DSC_0134.jpg")
    assert {"DSC_0113.jpg", "DSC_0134.jpg"} <= {Path(hit["path"]).name for hit in refined if hit["relevance"] >= 0.5}

    listed = anyseek("feedback", "list", "--json").json["feedback"]
    assert [(Path(row["path"]).name, row["verdict"]) for row in listed] == [
        ("DSC_0113.jpg", "liked"),
        ("DSC_0134.jpg", "liked"),
        ("IMG_2041.jpg", "rejected"),
        ("DSC_0118.jpg", "opened"),
    ]
    assert anyseek("feedback", "forget", "--all", code=1).complaint.endswith("nothing was forgotten\n")  # there is nobody to ask
    assert "4 verdicts forgotten" in anyseek("feedback", "forget", "--all", "--yes").complaint
    library = Path(anyseek.environment["ANYSEEK_LIBRARY"])
    assert b"a farm animal" not in b"".join(path.read_bytes() for path in library.glob("catalog.db*"))
    again = anyseek("search", *question, "--session", "today", "--json", "--all", "-n", 200).json
    assert names(again["hits"]) == names(plain)
    assert again["notes"] == ["nothing was liked or rejected of this query in the session 'today': it was asked as it stands"]


def test_a_rejected_moment_of_a_film_gives_way_to_another(anyseek: CommandLine) -> None:
    (film, *_) = hits(anyseek, "an animal", "-k", "video")
    assert len(film["moments"]) > 1
    found = {hit["path"]: hit for hit in hits(anyseek, "an animal", "-k", "video", "--rejected", film["reference"])}
    assert film["path"] in found
    for moment in found[film["path"]]["moments"]:
        assert moment["end_ms"] <= film["start_ms"] or film["end_ms"] <= moment["start_ms"]
    assert film["path"] not in {hit["path"] for hit in hits(anyseek, "an animal", "-k", "video", "--rejected", film["path"])}


def test_an_explanation_of_a_refined_hit_adds_up(anyseek: CommandLine, photos: Path) -> None:
    found = hits(anyseek, "a bird", "-k", "image", "--liked", photos / "nature" / "0017.jpg", "--explain")
    for hit in found[:10]:
        explanation = hit["explanation"]
        assert [part["name"] for part in explanation["parts"]] == ["text", "liked"]
        assert sum(part["contribution"] for part in explanation["parts"]) == pytest.approx(explanation["cosine"], abs=3e-4)
    said = anyseek("search", "a bird", "-k", "image", "--liked", photos / "nature" / "0017.jpg", "--explain", "-n", 1).text
    assert "a bird: +0." in said
    assert "liked 1: +0." in said
