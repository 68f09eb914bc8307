"""`anyseek models` and `anyseek models pull`, with a hub on this machine and an encoder that only fetches its files."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from commandline import CommandLine
from fake_hub import COMMIT, FakeHub, Repository, serve

from anyseek.encoders.catalogue import PRESETS, cards

ENCODER = """
from anyseek.encoders import hub
from anyseek.types import Space


class FetchingEncoder:
    def __init__(self, model, settings):
        found = hub.obtain(f"fetching:{model}", model, settings, ["*.json", "*.safetensors"])
        self.space = Space(f"fetching:{model}", 2, "fetching", found.revision)
"""
SNAPSHOT = f"models--some--model/snapshots/{COMMIT}"
WEIGHTS = bytes(2_000_000)


@pytest.fixture
def anyseek(tmp_path: Path) -> CommandLine:
    """The command of a person with an empty cache, no network, and a package that adds the encoder above."""
    added = tmp_path / "added"
    (added / "fetching-1.dist-info").mkdir(parents=True)
    (added / "fetching.py").write_text(ENCODER)
    (added / "fetching-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: fetching\nVersion: 1\n")
    (added / "fetching-1.dist-info" / "entry_points.txt").write_text("[anyseek.encoders]\nfetching: = fetching:FetchingEncoder\n")
    command = CommandLine(tmp_path / "home")
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE"):
        command.environment.pop(name, None)
    command.environment |= {"PYTHONPATH": str(added), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    return command


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hf" / "hub"


@pytest.fixture
def online(anyseek: CommandLine):
    """The hub, which the command can reach."""
    with serve(FakeHub({"some/model": Repository({"config.json": b"{}", "model.safetensors": WEIGHTS})})) as hub:
        anyseek.environment["HF_ENDPOINT"] = hub.address
        yield hub


def test_the_list_names_every_preset_and_model_with_its_facts(anyseek):
    text = anyseek("models").text
    for preset in PRESETS.values():
        assert f"{preset.name:<14}{preset.good_for}" in text
        assert " + ".join(preset.specs) in text
    lines = text.splitlines()
    for known in cards().values():
        place = next(
            place for place, line in enumerate(lines) if line[2:].split("  ")[0] == known.spec and line[2] != " " and known.remark in line
        )
        facts = lines[place + 1].split()
        assert facts[0] == str(known.dim)
        assert ("⊘" in facts) is not known.commercial
        for score in known.scores[:1]:
            number = facts[-1].strip("[]")
            assert facts[-2] == f"{score.value:.1f}"
            assert f"[{number}] {score.source}" in lines
    assert "pip install" not in text  # where this runs all extras are installed


def test_the_list_fits_a_narrow_terminal(anyseek):
    lines = anyseek("models", env={"COLUMNS": "80"}).text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "      many languages; the quickest good one on a CPU" in lines


def test_json_has_everything(anyseek):
    said = anyseek("models", "--json").json
    assert [preset["name"] for preset in said["presets"]] == list(PRESETS)
    small = next(preset for preset in said["presets"] if preset["name"] == "small")
    assert small["specs"] == list(PRESETS["small"].specs)
    assert small["download"] == sum(cards()[spec].download for spec in small["specs"])
    assert (small["download_estimated"], small["here"]) == (True, False)
    assert next(preset for preset in said["presets"] if preset["name"] == "omni")["download"] is None
    assert [model["spec"] for model in said["models"]] == list(cards())
    clap = next(model for model in said["models"] if model["spec"] == "clap:laion/clap-htsat-unfused")
    assert clap["modalities"] == ["text", "audio"]
    assert clap["scores"][0] == {
        "task": "text→sound",
        "data": "Clotho",
        "metric": "R@1",
        "value": 14.1,
        "source": "results of MTEB, github.com/embeddings-benchmark/results",
    }
    assert clap["missing_extra"] is None
    assert said["added"] == ["fetching:"]


def test_what_lies_in_the_cache_is_marked(anyseek, cache):
    lay(cache, "models--laion--clap-htsat-unfused", {"config.json": b"{}"})
    assert here(anyseek) == ["starter"]
    lay(cache, "models--laion--clap-htsat-unfused", {"model.safetensors": b"weights"})
    assert here(anyseek) == ["clap:laion/clap-htsat-unfused", "starter"]
    lay(cache, "models--timm--ViT-B-32-SigLIP2-256", {"open_clip_model.safetensors": b"weights"})
    assert [preset["name"] for preset in anyseek("models", "--json").json["presets"] if preset["here"]] == ["starter", "small"]
    assert "✓ small" in anyseek("models").text


def lay(cache, repository, files):
    """Put files where the hub's library would."""
    folder = cache / repository / "snapshots" / COMMIT
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (cache / repository / "refs").mkdir(exist_ok=True)
    (cache / repository / "refs" / "main").write_text(COMMIT)


def here(anyseek):
    return sorted(model["spec"] for model in anyseek("models", "--json").json["models"] if model["here"])


@pytest.mark.enable_socket
def test_pull_fetches_says_where_it_lies_and_what_comes_next(anyseek, online, cache):
    said = anyseek("models", "pull", "fetching:some/model", "starter")
    assert said.text == f"✓ fetching:some/model  {cache / SNAPSHOT}\n✓ starter  needs no files from elsewhere\n"
    assert said.complaint == "  next:  anyseek index FOLDER --model fetching:some/model --model starter\n"
    assert (cache / SNAPSHOT / "model.safetensors").read_bytes() == WEIGHTS
    asked = len(online.asked)
    assert anyseek("models", "pull", "fetching:some/model", "--offline").code == 0
    assert len(online.asked) == asked


@pytest.mark.enable_socket
def test_pull_as_json(anyseek, online, cache):
    said = anyseek("models", "pull", "fetching:some/model", "--json")
    assert said.json == {"models": [{"spec": "fetching:some/model", "revision": COMMIT, "path": str(cache / SNAPSHOT)}]}
    assert said.complaint == ""


@pytest.mark.enable_socket
def test_pull_stopped_by_ctrl_c_goes_on_the_next_time(anyseek, online, cache):
    online.stalls_after = 500_000
    process = anyseek.start("models", "pull", "fetching:some/model")
    assert online.stalled.wait(60)
    os.kill(process.pid, signal.SIGINT)
    stopped = anyseek.finish(process, code=130)
    online.go_on.set()
    assert stopped.complaint == "note: stopped: what was fetched is kept, and the same command goes on from there\n"
    online.stalls_after = None
    anyseek("models", "pull", "fetching:some/model")
    assert (cache / SNAPSHOT / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.enable_socket
@pytest.mark.parametrize(("arguments", "env"), [(["--offline"], {}), ([], {"HF_HUB_OFFLINE": "1"})])
def test_pull_asks_nobody_when_it_is_offline(anyseek, online, arguments, env):
    said = anyseek("models", "pull", "fetching:some/model", *arguments, env=env, code=4)
    assert "the model of fetching:some/model cannot be used (it is not on this machine" in said.complaint
    assert ("HF_HUB_OFFLINE" in said.complaint) is bool(env)
    assert online.asked == []


def test_pull_without_a_network_says_what_to_do(anyseek):
    said = anyseek("models", "pull", "fetching:some/model", code=4)
    assert "http://127.0.0.1:9 cannot be reached" in said.complaint
    assert "copy the model from another machine" in said.complaint


def test_pull_of_an_unknown_model_names_the_presets(anyseek):
    assert "no encoder is called 'smal': use one of clap:, fetching:, large, medium" in anyseek("models", "pull", "smal", code=2).complaint


WITHOUT_TORCH = """
import importlib.util, sys

find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "torch" else find_spec(name, *more)
"""


@pytest.mark.parametrize("command", [["models", "pull", "small"], ["index", ".", "--model", "small"]])
def test_without_its_packages_a_model_gets_the_line_that_installs_them(anyseek, tmp_path, command):
    (tmp_path / "added" / "sitecustomize.py").write_text(WITHOUT_TORCH)
    said = anyseek(*command, code=2)
    assert said.complaint == "anyseek: what small needs is not installed: run  pip install 'anyseek[open-clip,clap]'\n"
    assert "to use the models:  pip install 'anyseek[models]'\n" in anyseek("models").text


def test_a_licence_that_forbids_commercial_use_is_noted(anyseek):
    said = anyseek("models", "pull", "open_clip:MobileCLIP2-S0/dfndr2b", "--offline", code=4)
    note = "note: open_clip:MobileCLIP2-S0/dfndr2b: its licence (Apple AMLR, research only) allows no commercial use\n"
    assert said.complaint.startswith(note)
    assert "note" not in anyseek("models", "pull", "starter").complaint
