"""Questions of several parts, orders, pages and explanations, through the real command on the demo library."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from demo_library import DemoLibrary


@pytest.fixture
def anyseek(demo_library: DemoLibrary) -> CommandLine:
    return demo_library.command


def hits(anyseek: CommandLine, *words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = anyseek("search", *words, "--json").json["hits"]
    return found


def names(found: list[dict[str, Any]]) -> list[str]:
    return [Path(hit["path"]).name for hit in found]


def test_pages_follow_each_other(anyseek: CommandLine) -> None:
    whole = names(hits(anyseek, "an animal", "--all", "-n", 30))
    first = anyseek("search", "an animal", "--all", "-n", 12, "--json").json
    second = anyseek("search", "an animal", "--all", "-n", 12, "--json", f"--cursor={first['cursor']}").json
    assert names(first["hits"]) + names(second["hits"]) == whole[:24]
    assert anyseek("search", "an animal", "--all", "-n", 12).text.endswith(f"--cursor={first['cursor']}\n")
    other = anyseek("search", "another animal", f"--cursor={first['cursor']}", code=2)
    assert "belongs to another question" in other.complaint


def test_orders_rank_the_relevant(anyseek: CommandLine) -> None:
    relevant = hits(anyseek, "a dog", "-n", 200)
    by_path = hits(anyseek, "a dog", "-n", 200, "--order", "path")
    assert [hit["path"] for hit in by_path] == sorted(hit["path"] for hit in relevant)
    longest = hits(anyseek, "a dog", "-n", 200, "--order", "duration")
    lengths = [hit["duration_ms"] or 0 for hit in longest]
    assert lengths == sorted(lengths, reverse=True)
    newest = hits(anyseek, "a dog", "-n", 200, "--order", "date")
    days = [hit["captured_at"][:19] for hit in newest]
    assert days == sorted(days, reverse=True)
    assert names(hits(anyseek, "a dog", "-n", 200, "--order", "date", "--reverse")) == names(newest)[::-1]


def test_a_moment_of_the_library_is_asked_for_by_its_reference(anyseek: CommandLine, demo_library: DemoLibrary) -> None:
    (bark, *_) = hits(anyseek, "a dog barking", "-k", "video")
    assert bark["reference"] == f"{bark['path']}@{bark['start']}-{bark['end']}"
    alike = anyseek("similar", bark["reference"], "-k", "audio", "--json").json
    assert Path(alike["hits"][0]["path"]).name in {"REC001.wav", "REC003.mp3"}  # the two recordings of a dog
    assert bark["path"] not in {hit["path"] for hit in alike["hits"]}
    assert bark["path"] in {hit["path"] for hit in hits(anyseek, "--like", bark["reference"], "-n", 3)}


def test_what_is_not_wanted_goes_down(anyseek: CommandLine) -> None:
    def place(found: list[dict[str, Any]]) -> int:
        return names(found).index("IMG_2057.jpg")  # a cat

    before = place(hits(anyseek, "a pet", "--all", "-n", 200))
    for fusion in ("mean", "max", "rrf"):
        assert place(hits(anyseek, "a pet", "--not", "a cat", "--fusion", fusion, "--all", "-n", 200)) > before


def test_several_examples_count_together_as_one(anyseek: CommandLine, demo_library: DemoLibrary) -> None:
    cat = demo_library.media.parent / "queries" / "cat.jpg"
    once = hits(anyseek, "a trumpet", "-i", cat, "--all", "-n", 50)
    twice = hits(anyseek, "a trumpet", "-i", cat, "-i", cat, "--all", "-n", 50)
    assert names(once) == names(twice)


def test_texts_of_their_own_are_alternatives(anyseek: CommandLine) -> None:
    answer = anyseek("search", "a dog", "barking", "--text", "church bells", "--fusion", "max", "-k", "audio", "--json").json
    assert answer["query"] == "a dog barking + church bells"
    assert names(answer["hits"])[:2] == ["REC011.ogg", "REC001.wav"]
    assert names(hits(anyseek, "--text", "church bells", "-k", "audio")) == names(hits(anyseek, "church bells", "-k", "audio"))


def test_more_and_less_of_what_was_found(anyseek: CommandLine) -> None:
    found = hits(anyseek, "an animal", "-k", "image", "--all", "-n", 40)
    cow = next(hit["path"] for hit in found if hit["path"].endswith("DSC_0113.jpg"))
    dog = next(hit["path"] for hit in found if hit["path"].endswith("IMG_2041.jpg"))
    answer = anyseek("search", "an animal", "--like", cow, "--unlike", dog, "-k", "image", "--all", "-n", 40, "--json").json
    assert answer["query"] == "an animal + DSC_0113.jpg, not IMG_2041.jpg"
    places = names(answer["hits"])
    assert places[0] == "DSC_0113.jpg"
    assert names(found).index("IMG_2041.jpg") < (places.index("IMG_2041.jpg") if "IMG_2041.jpg" in places else 40)


def test_an_explanation_adds_up(anyseek: CommandLine, demo_library: DemoLibrary) -> None:
    cat = demo_library.media.parent / "queries" / "cat.jpg"
    found = hits(anyseek, "a pet", "-i", cat, "--not", "a dog", "-w", "negative=0.5", "--explain")
    assert found
    for hit in found:
        explanation = hit["explanation"]
        parts = {part["label"]: part for part in explanation["parts"]}
        assert {label: (part["name"], part["weight"]) for label, part in parts.items()} == {
            "a pet": ("text", 1.0),
            "a dog": ("text", -0.5),
            "cat.jpg": ("image", 1.0),
        }
        assert parts["a dog"]["contribution"] is None
        assert parts["a pet"]["contribution"] + parts["cat.jpg"]["contribution"] == pytest.approx(explanation["cosine"], abs=2e-4)
        assert explanation["cosine"] == hit["cosine"]
        assert explanation["relevance"] == hit["relevance"] >= 0.5
    said = anyseek("search", "a dog", "--not", "grass", "--explain", "-n", 1).text
    assert re.search(r"text → (image|audio) in starter: cosine 0\.\d+", said)
    assert re.search(r"a dog: \+0\.\d+, relevance [01]\.\d+ · grass: relevance 0\.\d+", said)


def test_moments_are_listed_when_asked_for(anyseek: CommandLine) -> None:
    (film, *_) = hits(anyseek, "an animal", "-k", "video", "--all")
    assert len(film["moments"]) > 1
    few = hits(anyseek, "an animal", "-k", "video", "--all", "--moments", 1)
    assert [len(hit["moments"]) for hit in few] == [1] * len(few)
    assert few[0]["moments"] == film["moments"][:1]
    lines = anyseek("search", "an animal", "-k", "video", "--all", "--moments", 2, "-n", 1).text.splitlines()
    assert sum(" – " in line for line in lines) == 2


def test_nothing_relevant_is_an_answer(anyseek: CommandLine) -> None:
    said = anyseek("search", "a dog", "--min-relevance", 1, code=1)
    assert said.text.startswith("a dog   nothing found")
    assert "nothing relevant: the likeliest has a relevance of" in said.complaint
    assert "--all" in said.complaint
