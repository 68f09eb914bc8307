"""Keeps torch's libraries from talking to the user while they load: what counts is raised, and anyseek says it in its own words."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["quiet"]

_lock = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back warnings, log lines and progress bars of torch, transformers, OpenCLIP and the hub's library.

    All of these are settings of the whole process, put back at the end; so one thread at a time is in here. What others log meanwhile is
    heard as ever.
    """
    with _lock, warnings.catch_warnings(), _open_clip_silent(), _transformers_silent():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _open_clip_silent() -> Iterator[None]:
    """OpenCLIP logs by `logging.info` and the like: as the root logger, which thereby gets a handler to stderr for good if it has none."""
    root, placeholder = logging.getLogger(), logging.NullHandler()
    root.addHandler(placeholder)
    root.addFilter(_is_of_others)
    try:
        yield
    finally:
        root.removeFilter(_is_of_others)
        root.removeHandler(placeholder)


def _is_of_others(record: logging.LogRecord) -> bool:
    return "open_clip" not in Path(record.pathname).parts


@contextmanager
def _transformers_silent() -> Iterator[None]:
    if find_spec("transformers") is None:
        yield
        return
    from transformers.utils import logging as transformers_logging

    chatter: Any = transformers_logging
    level, bars = chatter.get_verbosity(), chatter.is_progress_bar_enabled()
    chatter.set_verbosity(logging.CRITICAL + 1)
    chatter.disable_progress_bar()
    try:
        yield
    finally:
        chatter.set_verbosity(level)
        if bars:
            chatter.enable_progress_bar()
