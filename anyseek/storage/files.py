"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

__all__ = ["TEMPORARY_PATTERN", "replace_whole", "sync_folder"]

TEMPORARY_PATTERN = "*.tmp-*"


def replace_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file under a temporary name, bring it to the disk, and only then give it its name."""
    partial = path.with_name(f"{path.name}.tmp-{secrets.token_hex(4)}")
    try:
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk. Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
