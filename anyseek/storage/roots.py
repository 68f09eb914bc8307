"""Roots of sources as they are stored: relative where a library and its media move together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .layout import LibraryFolder

__all__ = ["absolute_root", "places_below", "stored_root"]


def stored_root(folder: LibraryFolder, root: Path) -> str:
    """Write down a root.

    It is relative to the folder that the library lies in when one of the two lies inside the other, so that moving that folder moves
    both; else it is absolute.
    """
    home = folder.path.parent.resolve()
    root = root.resolve()
    if home.is_relative_to(root) or root.is_relative_to(home):
        return Path(os.path.relpath(root, home)).as_posix()
    return str(root)


def absolute_root(folder: LibraryFolder, stored: str) -> Path:
    """Undo `stored_root` for where the library lies now."""
    return Path(os.path.normpath(folder.path.parent.resolve() / stored))


def places_below(path: Path, roots: dict[Path, int]) -> Iterator[tuple[int, str]]:
    """Name the sources that a path may lie in and what it is called there, innermost source first.

    Links are followed in each of the folders above the file, for a source may be reached by one, and then for the whole path.

    Args:
        path: Any path, absolute or not.
        roots: Source ids by root.
    """
    lexical = Path(os.path.abspath(path))  # noqa: PTH100 - absolute() would keep ".."
    for candidate in dict.fromkeys((lexical, _real(lexical))):
        for parent in candidate.parents:
            source_id = roots.get(_real(parent))
            if source_id is not None:
                yield source_id, candidate.relative_to(parent).as_posix()


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises on links that lead in circles
