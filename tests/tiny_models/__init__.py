"""Checkpoints with random weights that are far too small to know anything: every adapter runs on them, in seconds and without a network.

A module of this package is a kind of model, and its `build` writes one into a folder, the same on every call.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path

__all__ = ["tiny"]


@cache
def tiny(name: str, build: str = "build") -> Path:
    """The folder of a tiny checkpoint, built by the first call of this process and only to be read.

    Args:
        name: A module of this package.
        build: Which of its functions.
    """
    from anyseek.encoders.quiet import quiet

    folder = Path(tempfile.mkdtemp(prefix=f"tiny-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with quiet():
        made: Path = getattr(import_module(f"{__name__}.{name}"), build)(folder)
    return made
