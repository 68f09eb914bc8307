"""The whole of ``anyseek train`` on the demo: words that nobody knows, taught with pictures, and what searches find by them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from demo_library import DemoLibrary

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="session")
def words(demo: Path) -> Path:
    """Six words for mammals, birds, buildings and so on; ``wug`` is said of no sound."""
    return demo.parent / "words.csv"


@pytest.fixture
def command(demo_library: DemoLibrary, tmp_path: Path) -> CommandLine:
    """The command of somebody with a copy of the demo's library."""
    shutil.copytree(Path(demo_library.command.environment["ANYSEEK_LIBRARY"]), tmp_path / "library")
    return CommandLine(tmp_path / "home", library=tmp_path / "library")


def hits(command: CommandLine, word: str, *more: str) -> list[Any]:
    return command("search", word, "--json", "--limit", 12, *more, code=0).json["hits"]


def test_words_are_taught_searched_by_and_forgotten(command: CommandLine, words: Path, demo: Path, tmp_path: Path) -> None:
    assert command("search", "wug", "--json", code=1).json["hits"] == []
    said = command("train", words, "--json", "--html", tmp_path / "report.html", "--general", demo.parent / "queries.json")
    document = said.json
    overall = document["judgement"]["overall"]
    assert document["switched_on"] is True
    assert (document["method"], document["loss"], document["space"], document["name"]) == ("residual", "sigmoid", "starter", "residual")
    assert sum(document["data"]["parts"].values()) == document["data"]["pairs"] == len(words.read_text("utf-8").splitlines()) - 1
    assert overall["after"]["recall@10"] >= overall["before"]["recall@10"] + 0.3
    assert document["verdict"]["interval"]["low"] > 0
    assert document["judgement"]["general"]["before"]["recall@10"] - document["judgement"]["general"]["after"]["recall@10"] <= 0.01
    assert document["epochs"][0]["epoch"] == 1
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 4
    found = hits(command, "wug", "--kind", "image")
    taught = {Path(line).name for line in words.read_text("utf-8").splitlines() if line.startswith("wug,")}
    assert len(found) >= 3
    assert sum(Path(hit["path"]).name in taught for hit in found) >= 0.8 * len(found)
    assert any(Path(hit["path"]).name in {"REC001.wav", "REC003.mp3", "REC007.m4a", "REC008.ogg"} for hit in hits(command, "wug"))
    assert "residual" in command("adapters").text
    rolled = command("train", "--rollback")
    assert "residual was taken away: searches go through none now" in rolled.complaint
    assert command("search", "wug", "--json", code=1).json["hits"] == []
    assert "no adapter is on" in command("train", "--rollback", code=2).complaint


def test_the_tables_fit_a_screen_and_say_what_is_on(command: CommandLine, words: Path) -> None:
    said = command("train", words, "--method", "linear", "--name", "mine", env={"COLUMNS": "100"})
    lines = said.text.splitlines()
    assert lines[0] == "mine   linear for starter"
    assert max(map(len, lines[:-1])) <= 100
    assert any(re.match(r"all +\d+ / \d+  \d\.\d\d → \d\.\d\d ", line) for line in lines)
    assert any(line.startswith("✓ mine is on: held-out recall@10 changes by +") for line in lines)
    assert "anyseek train --rollback  takes it away" in lines[-1]
    assert "there is an adapter called 'mine' already" in command("train", words, "--name", "mine", code=2).complaint


def test_a_dry_run_trains_nothing(command: CommandLine, words: Path, tmp_path: Path) -> None:
    catalog = (tmp_path / "library" / "catalog.db").read_bytes()
    said = command("train", words, "--from", "filenames", "--dry-run")
    assert re.search(r"^from +file \d+, filenames \d+", said.text, re.MULTILINE)
    assert re.search(r"^parts +train \d+, validation \d+, test \d+", said.text, re.MULTILINE)
    assert "nothing was trained" in said.complaint
    assert (tmp_path / "library" / "catalog.db").read_bytes() == catalog
    assert not {"adapters", "trainings"} & {path.name for path in (tmp_path / "library").iterdir()}


def test_ctrl_c_keeps_what_was_learnt_and_resume_goes_on(command: CommandLine, words: Path, tmp_path: Path) -> None:
    process = command.start("train", words, "--epochs", 100_000, "--loss", "triplet", "--no-balance", "--name", "long")
    checkpoint = tmp_path / "library" / "trainings" / "long.safetensors"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    stopped = CommandLine.finish(process, code=130)
    assert "with  --resume  goes on from there" in stopped.complaint
    assert checkpoint.exists()
    command("train", words, "--loss", "triplet", "--no-balance", "--name", "long", "--resume", "--seed", 5, code=2)
    went_on = command("train", words, "--epochs", 200, "--loss", "triplet", "--no-balance", "--name", "long", "--resume", "--json").json
    assert went_on["resumed"] is True
    assert not checkpoint.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "there is nothing to learn from"),
        (["gone.csv"], "there is no such file"),
        (["--from", "thoughts"], "thoughts"),
        (["--from", "keywords", "--seed", "-1"], "greater than or equal to 0"),
        (["--from", "keywords", "--html", "."], "it is a folder"),
        (["--from", "keywords", "--rollback"], "--rollback takes away what is on and trains nothing"),
        (["--rollback", "--dry-run"], "--rollback takes away what is on and trains nothing"),
        (["--from", "keywords", "--method", "magic"], "no method is called 'magic'"),
        (["--from", "keywords", "--method", "bridge"], "a bridge leads from one space to another"),
        (["--from", "keywords", "--html", "nowhere/report.html"], "there is no folder nowhere to write to"),
        (["--from", "keywords", "--space", "other"], "other"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line(arguments: list[str], reason: str, command: CommandLine) -> None:
    said = command("train", *arguments, code=2)
    assert said.out == b""
    assert reason in re.sub(r"[\s│]+", " ", said.complaint)
