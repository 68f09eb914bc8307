"""Where a model's files lie: a local folder, or the cache of the Hugging Face hub. Only `fetch` ever opens a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from ..errors import ModelUnavailable
from .protocol import EncoderSettings

__all__ = ["Snapshot", "fetch", "find", "local", "obtain"]

CHUNK_BYTES = 1 << 20


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
        settings: Its `revision` and `download` count.
        patterns: The files that are needed, as glob patterns.

    Raises:
        ModelUnavailable: They are not here and may not or cannot be fetched.
    """
    found = find(repository, revision=settings.revision, patterns=patterns)
    if found is not None:
        return found
    if not settings.download:
        raise ModelUnavailable(spec, "it is not on this machine")
    return fetch(spec, repository, revision=settings.revision, patterns=patterns)


def find(repository: str, *, revision: str | None = None, patterns: Sequence[str]) -> Snapshot | None:
    """Look a repository's files up in the cache; None when they are not there in full."""
    raise NotImplementedError


def fetch(spec: str, repository: str, *, revision: str | None = None, patterns: Sequence[str]) -> Snapshot:
    """Download a repository's files; an interrupted download is taken up again.

    Raises:
        ModelUnavailable: Offline, no such repository, it needs a licence to be accepted first, or the connection broke.
    """
    raise NotImplementedError


def local(spec: str, folder: Path, patterns: Sequence[str]) -> Snapshot:
    """Take the files of a local folder; their digest is their revision.

    Raises:
        ModelUnavailable: There is no such folder, or nothing in it that fits.
    """
    if not folder.is_dir():
        raise ModelUnavailable(spec, f"there is no folder {folder}", "name a folder with a saved model")
    files = sorted({file for pattern in patterns for file in folder.rglob(pattern) if file.is_file()})
    if not files:
        raise ModelUnavailable(spec, f"{folder} holds no model", "name a folder with a saved model")
    digest = xxhash.xxh3_128()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    return Snapshot(folder, f"files-{digest.hexdigest()}")
