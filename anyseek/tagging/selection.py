"""Which contents are to be tagged, in pieces that fit in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..errors import BadInput
from ..filters import Condition
from ..search.spaces import SearchSpace
from ..storage.catalog import Catalog, LocatedAsset
from ..storage.vectors.protocol import Ids

__all__ = ["Selection", "embedded_contents"]

CHUNK_ROWS = 16_384
READ_ROWS = 20_000


class Selection:
    """The contents of a library that lie at some paths and satisfy a condition.

    Args:
        catalog: Of the library.
        contents: (n,) ids of those to choose from, each as often as it has segments.
        paths: Files, and folders with all that lies below; the whole library when there are none.
        where: What an asset must satisfy.

    Raises:
        BadInput: The library knows nothing at one of the paths.
    """

    def __init__(self, catalog: Catalog, contents: Ids, paths: Sequence[Path], where: Condition | None) -> None:
        self.catalog = catalog
        self.where = where
        self.paths = [_variants(path) for path in paths]
        unknown = next((variants[0] for variants in self.paths if not any(map(self._is_known, variants))), None)
        if unknown is not None:
            raise BadInput(f"nothing in the library lies at {unknown}: run  anyseek index  on it first")
        self._contents, self._sizes = np.unique(contents, return_counts=True)

    def __len__(self) -> int:
        """How many contents, before paths are looked at."""
        return len(self._contents)

    def chunks(self) -> Iterator[tuple[int, dict[int, list[LocatedAsset]]]]:
        """Go through them.

        Yields:
            How many contents were looked at so far, and of the new ones those that lie at one of the paths, with their assets there.
        """
        pieces = np.cumsum(self._sizes) // CHUNK_ROWS
        bounds = [*np.flatnonzero(np.diff(pieces, prepend=-1)), len(self._contents)]
        for start, end in pairwise(bounds):
            located = self.catalog.assets_of(self._contents[start:end].tolist(), self.where)
            found: dict[int, list[LocatedAsset]] = {}
            for content_id, assets in located.items():
                here = [asset for asset in assets if self._lies_here(asset.path)]
                if here:
                    found[content_id] = here
            yield int(end), found

    def _lies_here(self, path: Path) -> bool:
        return not self.paths or any(path.is_relative_to(one) for variants in self.paths for one in variants)

    def _is_known(self, path: Path) -> bool:
        for source in self.catalog.sources():
            if source.root.is_relative_to(path):
                return True
            if path.is_relative_to(source.root):
                relative = path.relative_to(source.root).as_posix()
                known = self.catalog.assets(source.id)
                return relative in known or any(one.startswith(f"{relative}/") for one in known)
        return False


def embedded_contents(catalog: Catalog, spaces: Iterable[SearchSpace], where: Condition | None) -> Ids:
    """The contents that some spaces hold something of, each once for every vector, in no particular order."""
    owners: list[int] = []
    for space in spaces:
        ids = catalog.live_embeddings(space.id, where=where)
        for start in range(0, len(ids), READ_ROWS):
            owners += [row.content_id for row in catalog.segments_of(ids[start : start + READ_ROWS])]
    return np.array(owners, np.int64)


def _variants(path: Path) -> tuple[Path, ...]:
    """A path as it was written, made absolute, and as it is behind links."""
    written = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - links stay as they were indexed
    return tuple(dict.fromkeys((written, path.expanduser().resolve())))
