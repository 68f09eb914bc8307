"""Which folder is the library, and where things lie inside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LibraryFolder"]

CATALOG_NAME = "catalog.db"
LIBRARY_SUFFIX = ".anyseek"


@dataclass(frozen=True, slots=True)
class LibraryFolder:
    """A folder that holds a library, or is going to.

    Attributes:
        path: Absolute; links are not followed.
    """

    path: Path

    @classmethod
    def at(cls, path: Path | str) -> LibraryFolder:
        """Find out which folder a user means by `path`.

        That is `path` itself if it holds a catalog, is named ``.anyseek`` or ``*.anyseek``, is empty or not there yet.
        A folder with anything else in it is media, and its library is the ``.anyseek`` inside.
        """
        folder = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, absolute() would keep ".."
        if (folder / CATALOG_NAME).exists() or folder.name.endswith(LIBRARY_SUFFIX) or not folder.is_dir() or _is_empty(folder):
            return cls(folder)
        return cls(folder / LIBRARY_SUFFIX)

    @property
    def catalog(self) -> Path:
        """The SQLite file that is the truth."""
        return self.path / CATALOG_NAME

    @property
    def index_dir(self) -> Path:
        """The folder of the index generations, a cache."""
        return self.path / "index"

    @property
    def derived(self) -> Path:
        """The folder of arrays that were worked out from what the library holds, a cache."""
        return self.path / "derived"

    @property
    def adapters(self) -> Path:
        """The folder of what was trained on the library's vectors, a file for each."""
        return self.path / "adapters"

    @property
    def trainings(self) -> Path:
        """The folder of what interrupted trainings go on from."""
        return self.path / "trainings"

    @property
    def lock(self) -> Path:
        """Locked by the one process that writes."""
        return self.path / "writer.lock"

    @property
    def holder(self) -> Path:
        """Says who holds, or last held, the lock."""
        return self.path / "writer.json"

    @property
    def backups(self) -> Path:
        """Copies of the catalog from before a migration or a repair."""
        return self.path / "backups"

    @property
    def exists(self) -> bool:
        """Whether there is a library."""
        return self.catalog.is_file()


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except PermissionError:
        return False
