"""The process that the crash tests kill: ``python logged_run.py MEDIA LIBRARY LOG BATCH_SIZE PAUSE_SECONDS``.

It indexes with the encoder that can be computed by hand, and
- says on stdout, one word a line, what it is at: ``scan``, ``decode``, ``encode``, ``commit``, ``generation``, at last ``done N`` with
  the number of segments that the report says were embedded;
- writes a digest of every input to LOG before the encoder gives its vectors back, so that the log holds all that was ever encoded.

What it wraps it calls: everything that is done to files and rows is the product's own doing, only slower, so that each phase lasts.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from fakes import ColourEncoder

from anyseek.indexer.indexer import IndexOptions
from anyseek.indexer.report import IndexEvent, ScanProgress, WorkFound
from anyseek.library import Library
from anyseek.storage import generations
from anyseek.storage.catalog import Catalog, Writer

__all__ = ["PHASES"]

LINGER_S = 0.03
PHASES = ("scan", "decode", "encode", "commit", "generation")


def tell(word: str) -> None:
    os.write(1, f"{word}\n".encode())


class SlowEncoder(ColourEncoder):
    """Takes its time for each batch and keeps a diary."""

    def __init__(self, log: Path, pause_s: float) -> None:
        super().__init__()
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.pause_s = pause_s

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return self.slowly(pictures, super().encode_images(pictures))

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        return self.slowly(windows, super().encode_audio(windows))

    def slowly(self, inputs: Sequence[np.ndarray], vectors: np.ndarray) -> np.ndarray:
        tell("encode")
        time.sleep(self.pause_s)
        digests = [hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest() for one in inputs]
        os.write(self.log, "".join(f"{digest}\n" for digest in digests).encode())
        return vectors


def on_event(event: IndexEvent) -> None:
    if isinstance(event, ScanProgress):
        tell("scan")
        time.sleep(LINGER_S)
    elif isinstance(event, WorkFound):
        tell("decode")


def tell_phases() -> None:
    begin, write = Catalog.transaction, generations.replace_whole

    @contextmanager
    def transaction(self: Catalog) -> Iterator[Writer]:
        tell("commit")
        with begin(self) as writer:
            yield writer
            time.sleep(LINGER_S / 3)
        tell("decode")

    def replace_whole(path: Path, save: Callable[[Path], None]) -> None:
        tell("generation")
        write(path, lambda partial: (save(partial), time.sleep(LINGER_S))[0])

    Catalog.transaction = transaction  # type: ignore[method-assign]
    generations.replace_whole = replace_whole  # type: ignore[attr-defined]


def main(media: str, library: str, log: str, batch_size: str, pause_s: str) -> None:
    tell_phases()
    encoder = SlowEncoder(Path(log), float(pause_s))
    with Library.open(library, encoder=encoder) as opened:
        report = opened.index(media, options=IndexOptions(jobs=2, batch_size=int(batch_size)), on_event=on_event)
    tell(f"done {report.embedded}")


if __name__ == "__main__":
    main(*sys.argv[1:])
