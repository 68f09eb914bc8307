"""Tiny models are pulled from a hub on this machine through the encoders that load them, and then work without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import CommandLine
from fake_hub import COMMIT, FakeHub, Repository, serve
from tiny_models import tiny

pytestmark = pytest.mark.enable_socket

CLUTTER = {
    "README.md": b"# read me",
    "onnx/model.onnx": b"another format",
    "model.gguf": b"one more",
    "flax_model.msgpack": b"and one more",
}

ENCODE = """
import json, sys
from anyseek.encoders.registry import load

encoders = map(load, sys.argv[1:])
print(json.dumps([(each.encode_text(["a dog", "a cat"]).tolist(), each.space.revision, each.space.fingerprint) for each in encoders]))
"""


@pytest.mark.parametrize(
    ("name", "spec", "folder_spec"),
    [
        ("clap", "clap:some/model", "clap:{}"),
        ("clip", "st:some/model", "st:{}"),
        ("embeddinggemma2", "st:some/model", "st:{}"),
        ("openclip", "open_clip:hf-hub:some/model", "open_clip:local-dir:{}"),
    ],
)
def test_what_pull_fetches_is_all_that_the_encoder_needs(
    name: str, spec: str, folder_spec: str, command: CommandLine, tmp_path: Path
) -> None:
    """What comes from the hub gives the vectors of the folder that was put there."""
    folder = tiny(name)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    cache = {"HF_HOME": str(tmp_path / "hf")}
    with serve(FakeHub({"some/model": Repository(CLUTTER | files)})) as hub:
        pulled = command("models", "pull", spec, "--json", env={**cache, "HF_ENDPOINT": hub.address}).json["models"][0]
    assert (pulled["spec"], pulled["revision"]) == (spec, COMMIT)
    fetched = {path.relative_to(pulled["path"]).as_posix() for path in Path(pulled["path"]).rglob("*") if path.is_file()}
    assert fetched <= set(files)
    assert {file for file in files if file.endswith(".safetensors")} <= fetched
    environment = {**os.environ, **cache, "HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    asked = [sys.executable, "-c", ENCODE, spec, folder_spec.format(folder)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    (rows, revision, fingerprint), (folder_rows, folder_revision, folder_fingerprint) = json.loads(done.stdout)
    assert rows == folder_rows
    assert revision == COMMIT
    assert folder_revision.startswith("files-")
    assert fingerprint != folder_fingerprint
