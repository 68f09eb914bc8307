"""A package that somebody else has written adds an encoder: it is installed, listed, indexes and is searched with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import CommandLine
from PIL import Image

EXAMPLE = Path(__file__).parents[2] / "examples" / "letters-encoder"

CONTRACT = """
import json
import numpy as np
from anyseek.encoders.protocol import Encoder
from anyseek.encoders.registry import load
from anyseek.errors import UnsupportedModality

encoder = load("letters")
assert isinstance(encoder, Encoder)
rows = encoder.encode_text(["Red", "nothing", "猫"])
assert rows.dtype == np.float32
assert encoder.encode_text([]).shape == encoder.encode_images([]).shape == (0, encoder.space.dim)
blue = np.zeros((2, 3, 3), np.uint8) + np.array([10, 10, 200], np.uint8)
assert (encoder.encode_images([blue]) == encoder.encode_text(["blue"])).all()
try:
    encoder.encode_audio([np.zeros(10, np.float32)])
except UnsupportedModality as error:
    refused = str(error)
print(json.dumps({"rows": rows.tolist(), "refused": refused}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the example is installed, as pip does it."""
    folder = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "letters_encoder.py"):
        (source / name).write_bytes((EXAMPLE / name).read_bytes())
    quiet = ("--quiet", "--disable-pip-version-check", "--root-user-action", "ignore", "--no-cache-dir")
    options = ("--no-deps", "--no-build-isolation", "--no-index", *quiet, "--target", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True)
    return folder


@pytest.fixture
def added(command: CommandLine, installed: Path) -> CommandLine:
    """The command of a person who has installed the example."""
    command.environment["PYTHONPATH"] = str(installed)
    return command


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """A folder with a picture of each of three colours, whose names say nothing."""
    folder = tmp_path / "colours"
    folder.mkdir()
    for name, colour in {"1.png": (250, 10, 10), "2.png": (0, 240, 20), "3.png": (5, 5, 200)}.items():
        Image.new("RGB", (40, 30), colour).save(folder / name)
    return folder


def test_the_example_keeps_the_promises_of_an_encoder(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONTRACT], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(installed)}
    )
    said = json.loads(done.stdout)
    red, nothing, cat = said["rows"]
    assert {place: value for place, value in enumerate(red) if value > 0.1} == pytest.approx({4: 3**-0.5, 5: 3**-0.5, 18: 3**-0.5})
    assert sum(value**2 for value in nothing) == pytest.approx(1)
    assert cat == [1, *[0] * 26]
    assert said["refused"].startswith("encoder 'letters' does not understand sound")


def test_it_is_listed(added: CommandLine, command: CommandLine) -> None:
    assert added("models", "--json").json["added"] == ["letters"]
    assert "Added by other packages\n  letters\n" in added("models").text


def test_without_the_package_it_is_unknown(command: CommandLine, colours: Path) -> None:
    assert "no encoder is called 'letters'" in command("index", colours, "--library", colours, "--model", "letters", code=2).complaint
    assert command("models", "--json").json["added"] == []


def test_it_indexes_and_is_searched_with(added: CommandLine, colours: Path) -> None:
    added("index", colours, "--library", colours, "--model", "letters")
    for word, name in {"red": "1.png", "green": "2.png", "blue": "3.png"}.items():
        best = added("search", word, "--all", "--library", colours, "--limit", 1, "--json").json["hits"][0]
        assert (Path(best["path"]).name, best["cosine"]) == (name, pytest.approx(1, abs=1e-3))
