"""The comparison of what a walk found with what the catalog holds. Pure: it reads no disk and writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..storage.rows import AssetRow
from .scan import Found, Scan

__all__ = ["Diff", "compare"]


@dataclass(slots=True)
class Diff:
    """What has to be done for one source.

    Attributes:
        new: Files that the catalog does not have (or has as deleted).
        changed: Files whose size or time differ, or that have to be read again.
        unchanged: How many need nothing.
        still_failed: How many failed before and are the same as then.
        gone: Assets whose files are not there any more, path to id.
        kept: Assets that were not seen, but may well be there: the walk could not look, or was told not to.
    """

    new: dict[str, Found] = field(default_factory=dict)
    changed: dict[str, Found] = field(default_factory=dict)
    unchanged: int = 0
    still_failed: int = 0
    gone: dict[str, int] = field(default_factory=dict)
    kept: int = 0


def compare(
    scan: Scan,
    known: Mapping[str, AssetRow],
    *,
    below: str = "",
    reread: Collection[str] = (),
    unfinished: Collection[int] = (),
) -> Diff:
    """Tell new, changed and vanished files apart.

    Args:
        scan: The walk.
        known: The assets of the source by path, deleted ones included.
        below: The file or folder that the walk was restricted to; assets outside it are left alone.
        reread: Paths that are read again although nothing about them changed (failures to be retried).
        unfinished: Ids of contents that have not all of their vectors.
    """
    result = Diff()
    for path, found in scan.found.items():
        asset = known.get(path)
        if asset is None or asset.state == "deleted":
            result.new[path] = found
        elif asset.size != found.size or asset.mtime_ns != found.mtime_ns or path in reread or asset.content_id in unfinished:
            result.changed[path] = found
        elif asset.state == "failed":
            result.still_failed += 1
        else:
            result.unchanged += 1
    if not result.new and len(scan.found) == len(known):
        return result
    blind = _Blind(scan)
    for path, asset in known.items():
        if asset.state == "deleted" or path in scan.found or not _lies_below(path, below):
            continue
        if blind.covers(path):
            result.kept += path not in scan.unreadable  # that counts as a failure
        else:
            result.gone[path] = asset.id
    return result


def _lies_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


class _Blind:
    """The places that the walk says nothing about."""

    def __init__(self, scan: Scan) -> None:
        self.files = scan.other_kinds
        self.folders = set(scan.unreadable)

    def covers(self, path: str) -> bool:
        if path in self.files:
            return True
        if not self.folders:
            return False
        parts = path.split("/")
        return "" in self.folders or any("/".join(parts[:n]) in self.folders for n in range(1, len(parts) + 1))
