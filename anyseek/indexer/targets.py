"""Which part of which source the paths of a run mean, and how sources come to be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import BadInput
from ..storage.catalog import Catalog, SourceRow
from ..storage.roots import places_below

__all__ = ["targets"]


def targets(catalog: Catalog, paths: Sequence[Path]) -> list[tuple[SourceRow, str]]:
    """Name each path as a source and the place below its root; all known sources when there are no paths.

    Raises:
        BadInput: A path does not exist, or nothing was named and the library has no source yet.
    """
    if not paths:
        sources = catalog.sources()
        if not sources:
            raise BadInput("nothing was named and the library has no folder yet: run  anyseek index FOLDER")
        return [(source, below) for source in sources for below in _parts_of(catalog, source)]
    for path in paths:
        _target(catalog, path)  # a folder that is named later may take in the source of one that was named before
    return _without_repetition([_target(catalog, path) for path in paths])


def _parts_of(catalog: Catalog, source: SourceRow) -> list[str]:
    """What of a source belongs to the library: all of it, or the single files that were named as long as it never was."""
    if source.last_scan is not None:  # set as soon as the folder itself was named
        return [""]
    return [path for path, asset in catalog.assets(source.id).items() if asset.state != "deleted"]


def _target(catalog: Catalog, path: Path) -> tuple[SourceRow, str]:
    sources = catalog.sources()
    resolved = path.resolve()
    for source in sources:
        if source.root == resolved:
            return source, ""
    if not os.path.lexists(path):
        raise BadInput(f"{path}: no such file or folder: check the spelling, or plug in the disk that holds it")
    for source_id, relative in places_below(path, {source.root: source.id for source in sources}):
        return next(source for source in sources if source.id == source_id), relative
    if path.is_dir():
        return _new_source(catalog, resolved, whole=True), ""
    return _new_source(catalog, path.parent.resolve(), whole=False), path.name


def _new_source(catalog: Catalog, root: Path, *, whole: bool) -> SourceRow:
    """Make a source, which takes in those that lie below it; not `whole` when only a file of it was named."""
    inner = [source for source in catalog.sources() if source.root.is_relative_to(root)]
    outer = catalog.source_for(root)
    with catalog.transaction() as writer:
        for source in inner:
            writer.absorb_source(source.id, outer.id, source.root.relative_to(root).as_posix())
        if whole:
            writer.mark_scanned(outer.id)
    return outer


def _without_repetition(targets: Iterable[tuple[SourceRow, str]]) -> list[tuple[SourceRow, str]]:
    """Leave out what lies below another target."""
    result: list[tuple[SourceRow, str]] = []
    for source, below in sorted(targets, key=lambda target: (target[0].id, target[1])):
        covered = any(s.id == source.id and (not b or below == b or below.startswith(f"{b}/")) for s, b in result)
        if not covered:
            result.append((source, below))
    return result
