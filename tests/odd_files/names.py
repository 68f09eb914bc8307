"""Makers of good files in odd places and under odd names, and of things that are no files."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

_made = 0


def picture(path: Path) -> None:
    """A small good PNG, different from every other one, so that no two files share their content."""
    global _made
    _made += 1
    Image.new("RGB", (24, 24), (_made * 37 % 256, _made * 101 % 256, _made)).save(path, "PNG")


def unreadable(path: Path) -> None:
    picture(path)
    path.chmod(0)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def broken_link(path: Path) -> None:
    path.symlink_to("no such file.png")


def self_link(path: Path) -> None:
    path.symlink_to(path.name)


def folder_loop(path: Path) -> None:
    path.symlink_to(path.parent, target_is_directory=True)


def reads_everything() -> bool:
    """Root reads what nobody may."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
