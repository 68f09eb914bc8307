"""Where the files lie that judged queries name, and what the library knows of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import BadInput
from ..storage.catalog import Catalog, LocatedAsset

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
        for path in self._everywhere(written):
            if _is_file(path):
                return path
        looked = ", ".join(str(folder) for folder in (*self.folders, *self.sources))
        raise BadInput(f"{name}: there is no file {written!r} to ask with in {looked}: name a further folder with --root")

    def _everywhere(self, written: str) -> Iterator[Path]:
        for folder in (*self.folders, *self.sources):
            yield folder / written

    def _indexed(self, path: Path) -> LocatedAsset | None:
        try:
            asset = self.catalog.find_asset(Path(os.path.abspath(path)))  # noqa: PTH100 - links stay as they were indexed
        except OSError:  # such as a name that no file system takes
            return None
        if asset is None or asset.content_id is None or asset.id not in self._readable(asset):
            return None
        return asset

    def _readable(self, asset: LocatedAsset) -> set[int]:
        """The assets of a content that are indexed; those that failed are not."""
        assert asset.content_id is not None
        return {known.id for known in self.catalog.assets_of([asset.content_id]).get(asset.content_id, ())}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
