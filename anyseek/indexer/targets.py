"""Which part of which source the paths of a run mean, and how sources come to be."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..errors import BadInput
from ..storage.catalog import Catalog, SourceRow
from ..storage.roots import places_below

__all__ = ["require_existing", "targets"]


def targets(catalog: Catalog, paths: Sequence[Path]) -> list[tuple[SourceRow, str]]:
    """Name each path as a source and the place below its root; all known sources when there are no paths.

    A folder that is named is a whole source, or a part of one that lies above it. A file that is named lies in the innermost source
    above it, or in one that stands for its folder but does not take in its neighbours.

    Raises:
        BadInput: A path does not exist, or nothing was named and the library has no source yet.
    """
    if not paths:
        sources = catalog.sources()
        if not sources:
            raise BadInput("nothing was named and the library has no folder yet: run  anyseek index FOLDER")
        return [(source, below) for source in sources for below in _parts_of(catalog, source)]
    require_existing(paths, {source.root for source in catalog.sources()})
    for path in paths:
        _target(catalog, path)  # a folder that is named later may take in the source of one that was named before
    return _without_repetition([_target(catalog, path) for path in paths])


def require_existing(paths: Iterable[Path], roots: Collection[Path] = ()) -> None:
    """See that each path is there, or is the root of a source that may be unplugged.

    Raises:
        BadInput: One is not.
    """
    for path in paths:
        if not os.path.lexists(path) and _real(path) not in roots:
            raise BadInput(f"{path}: no such file or folder: check the spelling, or plug in the disk that holds it")


def _parts_of(catalog: Catalog, source: SourceRow) -> list[str]:
    if source.whole:
        return [""]
    return [path for path, asset in catalog.assets(source.id).items() if asset.state != "deleted"]


def _target(catalog: Catalog, path: Path) -> tuple[SourceRow, str]:
    sources = catalog.sources()
    real = _real(path)
    is_folder = path.is_dir() or any(source.root == real for source in sources)
    above = {source.root: source for source in sources if source.whole or not is_folder}
    if real in above:
        return above[real], ""
    for source_id, relative in places_below(path, {root: source.id for root, source in above.items()}):
        return next(source for source in sources if source.id == source_id), relative
    if is_folder:
        return _whole_source(catalog, real), ""
    return catalog.source_for(_real(path.parent)), path.name


def _whole_source(catalog: Catalog, root: Path) -> SourceRow:
    """Make a folder a source that has all of what other sources have below it."""
    taker = catalog.source_for(root)
    others = [source for source in catalog.sources() if source.id != taker.id]
    with catalog.transaction() as writer:
        writer.describe_source(taker.id, whole=True)
        for giver in others:
            if giver.root.is_relative_to(root) or root.is_relative_to(giver.root):
                writer.hand_over(giver, taker)
    return taker._replace(whole=True)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises on links that lead in circles


def _without_repetition(targets: Iterable[tuple[SourceRow, str]]) -> list[tuple[SourceRow, str]]:
    """Leave out what lies below another target."""
    result: list[tuple[SourceRow, str]] = []
    for source, below in sorted(targets, key=lambda target: (target[0].id, target[1])):
        covered = any(s.id == source.id and (not b or below == b or below.startswith(f"{b}/")) for s, b in result)
        if not covered:
            result.append((source, below))
    return result
