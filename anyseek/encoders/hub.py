"""Where a model's files lie: a local folder, or the cache of the Hugging Face hub. Only `fetch` ever opens a connection."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import xxhash

from ..errors import ModelUnavailable
from .protocol import EncoderSettings, OnDownload

__all__ = ["Snapshot", "cache_folder", "fetch", "find", "is_here", "local", "local_file", "needed", "obtain"]

CHUNK_BYTES = 1 << 20
SAFE = ".safetensors"
PICKLED = {".bin", ".pt", ".pth", ".ckpt"}
FOREIGN = {".gguf", ".h5", ".msgpack", ".onnx", ".onnx_data", ".ot", ".tflite"}
FOREIGN_FOLDERS = {"onnx", "openvino", "coreml"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of one version of a model.

    Attributes:
        path: The folder they lie in.
        revision: The commit they are from, or ``files-`` and a digest of them.
    """

    path: Path
    revision: str


def obtain(spec: str, repository: str, settings: EncoderSettings, patterns: Sequence[str]) -> Snapshot:
    """Find a repository's files on this machine, or fetch them if the settings allow it.

    Args:
        spec: The encoder that wants them, for the error's text.
        repository: ``organisation/name``.
        settings: Its `revision`, `download` and `on_download` count.
        patterns: The files that are needed, as glob patterns.

    Raises:
        ModelUnavailable: They are not here and may not or cannot be fetched.
        StorageFull: There is no room for them.
    """
    found = find(repository, revision=settings.revision, patterns=patterns)
    if found is not None:
        return found
    if not settings.download:
        raise ModelUnavailable(spec, "it is not on this machine")
    return fetch(spec, repository, revision=settings.revision, patterns=patterns, on_download=settings.on_download)


def find(repository: str, *, revision: str | None = None, patterns: Sequence[str]) -> Snapshot | None:
    """Look a repository's files up in the cache; None when they are not there in full.

    What a version has is read from its listing, which is kept beside it by every download of ours. A version that another program has
    fetched file by file has none: it counts as whole when no part of its weights is missing.
    """
    folder = cache_folder(repository)
    commit = revision if revision and is_commit(revision) else _commit_of(folder, revision or "main")
    if commit is None:
        return None
    path = folder / "snapshots" / commit
    listed = _listing(repository, commit)
    if listed is not None:
        names = needed(listed, patterns)
        whole = bool(names) and all((path / name).is_file() for name in names)
    else:
        whole = _looks_whole(path, patterns)
    return Snapshot(path, commit) if whole else None


def fetch(
    spec: str, repository: str, *, revision: str | None = None, patterns: Sequence[str], on_download: OnDownload | None = None
) -> Snapshot:
    """Download a repository's files into the cache; an interrupted download is taken up again where it stopped.

    Raises:
        ModelUnavailable: Offline, no such repository, it needs a licence to be accepted first, or the connection broke.
        StorageFull: There is no room for them.
    """
    from .download import download

    return Snapshot(*download(spec, repository, revision, patterns, on_download))


def local(spec: str, folder: Path, patterns: Sequence[str]) -> Snapshot:
    """Take the files of a local folder; their digest is their revision.

    Raises:
        ModelUnavailable: There is no such folder, or nothing in it that fits.
    """
    if not folder.is_dir():
        raise ModelUnavailable(spec, f"there is no folder {folder}", "name a folder with a saved model")
    files = needed((file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()), patterns)
    if not files:
        raise ModelUnavailable(spec, f"{folder} holds no model", "name a folder with a saved model")
    return Snapshot(folder, _digest(folder, files))


def local_file(spec: str, file: Path) -> Snapshot:
    """Take a single file, which is the `path` of what is given; its digest is its revision.

    Raises:
        ModelUnavailable: There is no such file.
    """
    if not file.is_file():
        raise ModelUnavailable(spec, f"there is no file {file}", "name a file of weights")
    return Snapshot(file, _digest(file.parent, [file.name]))


def is_here(repository: str) -> bool:
    """Whether the cache has a model's weights in full, whichever of its other files are needed."""
    if find_spec("huggingface_hub") is None:
        return False
    folder = cache_folder(repository)
    commit = _commit_of(folder, "main")
    return commit is not None and _looks_whole(folder / "snapshots" / commit, ["*"])


def needed(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Choose from a repository's files those that fit a pattern, sorted, without the same weights in a second format.

    Args:
        names: Paths from the repository's root, with ``/``.
        patterns: Glob patterns, whose ``*`` goes across folders; one without a ``/`` fits a file of that name in any folder.
    """
    fitting = sorted({name for name in names if not _hidden(name) and any(_fits(name, pattern) for pattern in patterns)})
    paths = {name: PurePosixPath(name) for name in fitting}
    safe = {path.parent for path in paths.values() if path.suffix == SAFE}
    if not safe:
        return fitting
    return [name for name, path in paths.items() if not _is_double(path, safe)]


def cache_folder(repository: str) -> Path:
    """Where the cache keeps a repository: ``blobs``, ``refs`` and ``snapshots`` lie below."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"


def is_commit(revision: str) -> bool:
    """Tell a commit's hash from the name of a branch or tag."""
    return re.fullmatch("[0-9a-f]{40}", revision) is not None


def _digest(folder: Path, files: Iterable[str]) -> str:
    digest = xxhash.xxh3_128()
    for file in files:
        digest.update(file.encode() + b"\0")
        with (folder / file).open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    return f"files-{digest.hexdigest()}"


def _fits(name: str, pattern: str) -> bool:
    if pattern.endswith("/"):
        pattern += "*"
    return fnmatch.fnmatchcase(name, pattern) or ("/" not in pattern and fnmatch.fnmatchcase(PurePosixPath(name).name, pattern))


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _is_double(path: PurePosixPath, safe: set[PurePosixPath]) -> bool:
    if path.suffix in FOREIGN or FOREIGN_FOLDERS.intersection(path.parts[:-1]):
        return True
    return path.suffix in PICKLED and path.parent in safe


def _commit_of(folder: Path, name: str) -> str | None:
    try:
        return (folder / "refs" / name).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _listing(repository: str, commit: str) -> list[str] | None:
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        return [file.path for file in get_cached_repo_tree(repository, revision=commit)]
    except CachedRepoTreeNotFoundError:
        return None


def _looks_whole(path: Path, patterns: Sequence[str]) -> bool:
    """True when there are weights, and every part that a list of parts names."""
    here = needed((file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()), patterns)
    if not any(PurePosixPath(name).suffix in {SAFE, *PICKLED} for name in here):
        return False
    suffix = SAFE if any(name.endswith(SAFE) for name in here) else ".bin"
    for index in path.rglob(f"*{suffix}.index.json"):
        parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        if not all((index.parent / part).is_file() for part in parts):
            return False
    return True
