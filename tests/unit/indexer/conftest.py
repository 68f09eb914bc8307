"""A way to make the decoder misbehave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

BROKEN_DECODER = '''
"""Stands in for a decoder that hangs, crashes or explodes, which no file does on command: it obeys the text in the file."""
import os, signal, time
import anyseek.media.open as media

real = media.open_media

def open_media(path, options):
    with open(path, "rb") as file:
        order = file.read(32)
    if order.startswith(b"HANG"):
        time.sleep(3600)
    if order.startswith(b"CRASH"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if order.startswith(b"EXIT"):
        os._exit(7)
    if order.startswith(b"PRINT"):
        os.write(1, b"a library talks on stdout")
        path = path.with_suffix(".real.png")
    if order.startswith(b"EXPLODE"):
        hoard = []
        while True:
            hoard.append(bytearray(16 * 1024 * 1024))
    return real(path, options)

media.open_media = open_media
'''


@pytest.fixture
def obedient_decoder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mock at the edge of FFmpeg and Pillow: files that start with HANG, CRASH, EXIT, PRINT or EXPLODE make the decoder do that."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(BROKEN_DECODER)
    monkeypatch.setenv("PYTHONPATH", str(folder))


Ordered = Callable[[str, str], Path]


@pytest.fixture
def ordered(tmp_path: Path) -> Ordered:
    """Writes a file that gives the obedient decoder an order."""

    def write(name: str, order: str) -> Path:
        path = tmp_path / name
        path.write_bytes(order.encode() + b" " * 64)
        return path

    return write
