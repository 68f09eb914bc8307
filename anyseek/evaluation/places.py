"""Where the files lie that judged queries name, and what the library knows of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import BadInput
from ..storage.catalog import Catalog, LocatedAsset
from ..types import Kind

__all__ = ["Places"]


class Places:
    """Looks for files relative to the file that names them, then to further folders, then to those that the library scans.

    Args:
        catalog: Of the library.
        folders: Where to look first, in this order: that of the file of queries, and what else the caller names.
    """

    def __init__(self, catalog: Catalog, folders: Sequence[Path]) -> None:
        self.catalog = catalog
        self.folders = tuple(folders)
        self.sources = tuple(source.root for source in catalog.sources())
        self._looked_up: dict[Path, LocatedAsset | None] = {}  # of a picture with five captions, once
        self._kinds: dict[int, Kind] = {}

    def asset(self, written: str, name: str) -> LocatedAsset | None:
        """What the library holds under a path; None if it holds nothing there, or nothing that could be read.

        Args:
            written: The path.
            name: Of the query, for errors.

        Raises:
            BadInput: Several files can be meant.
        """
        for folder in self.folders:
            found = self._indexed(folder / written)
            if found is not None:
                return found
        several = [found for found in (self._indexed(root / written) for root in self.sources) if found is not None]
        if len({found.id for found in several}) > 1:
            raise BadInput(f"{name}: {written!r} may be {several[0].path} or {several[1].path}: write the whole path")
        return several[0] if several else None

    def example(self, written: str, name: str) -> Path:
        """A file to ask with.

        Raises:
            BadInput: There is none.
        """
        for folder in (*self.folders, *self.sources):
            if _is_file(folder / written):
                return folder / written
        looked = ", ".join(str(folder) for folder in (*self.folders, *self.sources))
        raise BadInput(f"{name}: there is no file {written!r} to ask with in {looked}: name a further folder with --root")

    def kind_of(self, asset: LocatedAsset) -> Kind:
        """What an indexed file is."""
        return self._kinds[asset.id]

    def _indexed(self, path: Path) -> LocatedAsset | None:
        path = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they were indexed
        if path not in self._looked_up:
            self._looked_up[path] = self._look_up(path)
        return self._looked_up[path]

    def _look_up(self, path: Path) -> LocatedAsset | None:
        try:
            asset = self.catalog.find_asset(path)
        except OSError:  # such as a name that no file system takes
            return None
        if asset is None or asset.content_id is None:
            return None
        kind = self.catalog.content_info([asset.content_id])[asset.content_id].kind
        indexed = self.catalog.assets_of([asset.content_id]).get(asset.content_id, ())  # those that failed are not among them
        if kind is None or asset.id not in {known.id for known in indexed}:
            return None
        self._kinds[asset.id] = kind
        return asset


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
