"""The commands that list and switch adapters, on real media with the starter and adapters that a person can work out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from adapting import card_of
from commandline import CommandLine

from anyseek.adapters.adapter import Adapter
from anyseek.adapters.store import AdapterStore
from anyseek.encoders.registry import load
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder
from anyseek.types import Modality

WORD = "zorblax"
PICTURES = ["chelsea.png", "IMG_2041.jpg", "IMG_2057.jpg", "IMG_2063.jpg"]


@pytest.fixture
def person(tmp_path: Path, demo: Path) -> CommandLine:
    """Somebody with four pictures in a library."""
    (tmp_path / "media").mkdir()
    for name in PICTURES:
        shutil.copy2(demo / "photos" / name, tmp_path / "media" / name)
    person = CommandLine(tmp_path / "home", library=tmp_path / "library")
    person("index", tmp_path / "media")
    return person


def folder(person: CommandLine) -> LibraryFolder:
    return LibraryFolder(Path(person.environment["ANYSEEK_LIBRARY"]))


def teaches(person: CommandLine, name: str, picture: str, side: str = "query") -> Adapter:
    """I + x(y - x)ᵀ, which takes the word x to the picture y and leaves alone what is at right angles to the word."""
    encoder = load("starter")
    with Catalog.open(folder(person), readonly=True) as catalog:
        (row,) = catalog.spaces()
        (path,) = (asset for asset in catalog.sources()[0].root.iterdir() if asset.name == picture)
        found = catalog.find_asset(path)
        assert found is not None
        target = catalog.vectors(catalog.embeddings_of([found.content_id or 0], row.id)[0])[0]
    word = encoder.encode_text([WORD])[0]
    weights = np.eye(len(word), dtype=np.float32) + np.outer(word, target - word)
    card = card_of(name, space=encoder.space, metrics={"held_out": {"metric": "R@10", "before": 0.125, "after": 1.0}})
    arrays = {"map.text.weights": weights}
    if side == "both":
        card = replace(card, side="both", modalities=(Modality.TEXT, Modality.IMAGE))
        arrays["map.image.weights"] = np.eye(len(word), dtype=np.float32)
    adapter = Adapter(card, arrays)
    AdapterStore(folder(person)).write(adapter)
    return adapter


def first(person: CommandLine, **environment: str) -> dict[str, Any]:
    hit: dict[str, Any] = person("search", WORD, "--all", "--explain", "--json", "-n", 1, env=environment).json["hits"][0]
    return hit


def states(person: CommandLine) -> dict[str, str]:
    return {each["name"]: each["state"] for each in person("adapters", "--json").json["adapters"]}


def test_a_word_is_taught_and_the_lesson_taken_back(person: CommandLine) -> None:
    assert "nothing was trained in this library yet" in person("adapters").complaint
    before = person("search", WORD, "--all", "--json").json["hits"]
    teaches(person, "first", "IMG_2041.jpg")
    teaches(person, "second", "chelsea.png")
    assert states(person) == {"first": "off", "second": "off"}
    assert "first is on now" in person("adapters", "use", "first").complaint
    hit = first(person)
    assert Path(hit["path"]).name == "IMG_2041.jpg"
    assert hit["cosine"] > 0.999
    assert hit["explanation"]["adapter"] == "first"
    assert "through the adapter first" in person("search", WORD, "--all", "--explain").text
    assert "second is on now, in the place of first" in person("adapters", "use", "second").complaint
    assert Path(first(person)["path"]).name == "chelsea.png"
    assert states(person) == {"first": "off", "second": "on"}
    assert person("adapters", "rollback", "--json").json == {"now": "first", "before": "second", "lacking": 0}
    assert Path(first(person)["path"]).name == "IMG_2041.jpg"
    assert "first is off" in person("adapters", "off").complaint
    assert person("search", WORD, "--all", "--json").json["hits"] == before
    assert "no adapter is on" in person("adapters", "rollback", code=2).complaint
    assert "no adapter was on" in person("adapters", "off").complaint
    person("adapters", "drop", "first", "second")
    assert states(person) == {}
    assert "no adapter called 'first'" in person("adapters", "drop", "first", code=2).complaint


def test_the_list_and_the_card_say_what_it_is(person: CommandLine) -> None:
    adapter = teaches(person, "words", "chelsea.png")
    person("adapters", "use", "words")
    (line,) = [line for line in person("adapters", "list").text.splitlines() if "words" in line]
    assert line.split() == ["words", "linear", "queries:", "text", "starter", "2026-01-02", "03:04", "on", "R@10", "0.125", "→", "1.000"]
    (listed,) = person("adapters", "--json").json["adapters"]
    assert listed == {"name": "words", "state": "on", "reason": None, "card": json.loads(adapter.card.to_json())}
    assert person("adapters", "show", "words", "--json").json == listed
    shown = person("adapters", "show", "words").text
    for told in ("words  on", "linear, infonce, seed 0", "queries: text", adapter.card.fingerprint[:16], "held_out"):
        assert told in shown
    assert person("status", "--json").json["adapters"] == [{"name": "words", "state": "on"}]
    assert "words  on" in person("status").text


def test_stored_vectors_are_mapped_too_and_models_go_back(person: CommandLine) -> None:
    before = person("search", WORD, "--all", "--json").json["hits"]
    teaches(person, "products", "chelsea.png", side="both")
    person("adapters", "use", "products")
    models = {model["spec"]: (model["state"], model["vectors"]) for model in person("status", "--json").json["models"]}
    assert models == {"starter": ("kept", 4), "adapted:products": ("serving", 4)}
    assert Path(first(person)["path"]).name == "chelsea.png"
    refused = person("adapters", "drop", "products", code=2).complaint
    assert "vectors that products has made serve this library" in refused
    assert "adapted:products serves this library" in person("models", "drop", "adapted:products", code=2).complaint
    report = person("index", "--json").json
    assert (report["unchanged"], report["embedded"]) == (4, 0)
    person("models", "use", "starter")
    assert person("search", WORD, "--all", "--json").json["hits"] == before
    assert states(person) == {"products": "off"}
    person("models", "use", "adapted:products")
    assert states(person) == {"products": "on"}
    person("adapters", "rollback")
    person("models", "drop", "adapted:products")
    person("adapters", "drop", "products")
    assert [model["spec"] for model in person("status", "--json").json["models"]] == ["starter"]


def test_what_is_damaged_is_told_by_every_command(person: CommandLine) -> None:
    teaches(person, "words", "chelsea.png")
    person("adapters", "use", "words")
    assert person("doctor", "--json").json["findings"] == []
    path = folder(person).adapters / "words.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    codes = [finding["code"] for finding in person("doctor", "--json", code=4).json["findings"]]
    assert codes == ["adapter_damaged", "adapter_not_applied"]
    assert states(person) == {"words": "damaged"}
    assert "cannot be used" in person("adapters", "show", "words", code=4).complaint
    assert "is on and could not be applied" in person("search", WORD, "--all").complaint
    person("adapters", "drop", "words")
    assert person("doctor", "--json").json["healthy"]
    assert person("search", WORD, "--all").complaint == ""


def test_another_model_leaves_it_behind(person: CommandLine) -> None:
    adapter = teaches(person, "words", "chelsea.png")
    other = replace(adapter.card, name="foreign", fingerprint="f" * 64, spec="clap:some/model")
    AdapterStore(folder(person)).write(Adapter(other, adapter.arrays))
    listed = person("adapters")
    assert "the adapter 'foreign' does not fit: it was trained for clap:some/model, the library has starter" in listed.complaint
    assert states(person) == {"foreign": "does not fit", "words": "off"}
    assert "does not fit" in person("adapters", "use", "foreign", code=4).complaint
    assert "foreign  does not fit" in person("status").text
