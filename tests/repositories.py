"""Repositories of a hub that are on this machine, without a hub."""

from __future__ import annotations

import shutil
from pathlib import Path

from anyseek.encoders.hub import Snapshot, needed
from anyseek.encoders.protocol import EncoderSettings
from anyseek.errors import ModelUnavailable

__all__ = ["Repositories"]


class Repositories:
    """Stands in for `hub.obtain`: gives the files that are asked for and no others, so that what an adapter forgets to ask for is missing.

    Args:
        folder: Where what is given is put.
        files: By repository, the folder of its files.

    Attributes:
        asked: (repository, revision) of every request.
        version: Of all that is given from now on, followed by the repository's name.
    """

    def __init__(self, folder: Path, files: dict[str, Path]) -> None:
        self.folder = folder
        self.files = files
        self.version = "commit"
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, spec: str, repository: str, settings: EncoderSettings, patterns: list[str]) -> Snapshot:
        """Give them."""
        self.asked.append((repository, settings.revision))
        if repository not in self.files:
            raise ModelUnavailable(spec, "it is not on this machine")
        source, place = self.files[repository], self.folder / repository
        for name in needed((file.relative_to(source).as_posix() for file in source.rglob("*") if file.is_file()), patterns):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, place / name)
        return Snapshot(place, f"{self.version} of {repository}")
