"""Which files a spec means: those of a folder, or those of a repository on the hub."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ModelUnavailable
from . import hub
from .hub import Snapshot
from .protocol import EncoderSettings

__all__ = [
    "TOKENIZER_FILES",
    "WEIGHTS_SUFFIXES",
    "folder_or_repository",
    "local_file",
    "local_folder",
    "read_json",
    "with_whole_path",
]

FOLDERS = ("st:", "clap:", "open_clip:local-dir:")
"""What stands before the name of a folder."""

WEIGHTS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
"""By which OpenCLIP knows a file of weights, the best first."""

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)


def with_whole_path(spec: str) -> str:
    """Name a folder or file that is there by its whole path, so that a library finds its model from wherever it is asked."""
    prefix = next(filter(spec.startswith, FOLDERS), "")
    if not prefix and spec.startswith("open_clip:") and spec.endswith(WEIGHTS_SUFFIXES):
        prefix = "".join(spec.partition("/")[:2])  # open_clip:NAME/FILE
    named = spec.removeprefix(prefix)
    if not prefix or not named:
        return spec
    path = Path(named).expanduser()
    there = path.is_dir() if prefix in FOLDERS else path.is_file()
    return prefix + os.path.abspath(path) if there else spec  # noqa: PTH100 - links stay as they are named


def folder_or_repository(spec: str, model: str, settings: EncoderSettings, patterns: Sequence[str]) -> Snapshot:
    """Find a model that is named by a folder, if there is one of that name, or else by a repository.

    Raises:
        ModelUnavailable: It is neither, or not on this machine and may not or cannot be fetched, or not in the version that is asked for.
        StorageFull: There is no room for it.
    """
    if Path(model).expanduser().is_dir():
        return local_folder(spec, model, settings, patterns)
    if model.startswith((".", "/", "~")) or "\\" in model:
        raise ModelUnavailable(spec, f"there is no folder {model}", "name a folder with a saved model")
    return hub.obtain(spec, model, settings, patterns)


def local_folder(spec: str, folder: str, settings: EncoderSettings, patterns: Sequence[str]) -> Snapshot:
    """Take the files of a folder.

    Raises:
        ModelUnavailable: There is no such folder, nothing in it that fits, or another version than is asked for.
    """
    return _as_it_was(spec, hub.local(spec, Path(folder).expanduser(), patterns), settings)


def local_file(spec: str, file: str, settings: EncoderSettings) -> Snapshot:
    """Take a single file of weights, which is the `path` of what is given.

    Raises:
        ModelUnavailable: There is no such file, or it is another version than is asked for.
    """
    return _as_it_was(spec, hub.local_file(spec, Path(file).expanduser()), settings)


def _as_it_was(spec: str, snapshot: Snapshot, settings: EncoderSettings) -> Snapshot:
    if settings.revision not in (None, snapshot.revision):
        reason = f"{snapshot.path} has changed: it is {snapshot.revision} now and was {settings.revision}"
        raise ModelUnavailable(spec, reason, f"put back what was there, or change over with  anyseek index --model {spec}")
    return snapshot


def read_json(spec: str, path: Path) -> dict[str, Any]:
    """Read a configuration file.

    Raises:
        ModelUnavailable: It is not there, damaged, or no JSON object.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(spec, f"{path} cannot be read: {error}", "get the model anew, or name another") from error
    if not isinstance(read, dict):
        raise ModelUnavailable(spec, f"{path} holds no JSON object", "get the model anew, or name another")
    return read
