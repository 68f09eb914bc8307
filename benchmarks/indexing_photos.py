"""How near indexing photos comes to the limit: all cores doing nothing but decoding and encoding.

Decoding and encoding are timed alone, on the same files and in this process, with one thread. Their sum divided by the cores is what no
indexer could go below. The machine may have other work: the cores that it took meanwhile are measured, and the limit is taken of those
that were left. That flatters us where others fill gaps of ours, so the share of all cores is told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from anyseek import Library
from anyseek.encoders.protocol import EncoderSettings
from anyseek.encoders.registry import load
from anyseek.media.open import open_media
from anyseek.media.protocol import DecodeOptions
from anyseek.types import Picture

from .measure import Row, Spent, busy, spent
from .photos import MEGAPIXEL_1, MEGAPIXELS_12, write_photos

__all__ = ["measure"]

BATCH = 16
GOAL = 0.85


@dataclass(frozen=True, slots=True)
class Indexed:
    """One run: its times, and how many cores others had meanwhile."""

    spent: Spent
    others: float


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Index folders of photos of two sizes.

    Args:
        folder: For the photos; emptied by the caller.
        quick: Fewer photos and runs.
    """
    rows: list[Row] = []
    for name, count, size in (("12-MP", 240, MEGAPIXELS_12), ("1-MP", 800, MEGAPIXEL_1)):
        paths = write_photos(folder / name, count // 8 if quick else count, size)
        rows += _compare(f"{len(paths)} photos of {name}", folder / name, paths, rounds=1 if quick else 3)
    return rows


def _compare(what: str, folder: Path, paths: Sequence[Path], rounds: int) -> list[Row]:
    cores = psutil.cpu_count() or 1
    pure, runs = [], []
    for _ in range(rounds):
        pure.append(_decode_and_encode(paths))
        runs.append(_index(folder))
    decode, encode = (median(values) for values in zip(*pure, strict=True))
    shares = [(decode + encode) / (cores - run.others) / run.spent.wall for run in runs]
    share, wall = median(shares), median(run.spent.wall for run in runs)
    cpu, others = median(run.spent.cpu for run in runs), median(run.others for run in runs)
    count, each = len(paths), 1000 / len(paths)
    free = cores - others
    return [
        Row(
            f"{what}: throughput against the limit",
            f"{count / wall:.1f} photos/s with {free:.2f} cores free",
            f"{count / (decode + encode) * free:.1f} photos/s",
            f"{share:.2f} (of {cores} cores {(decode + encode) / cores / wall:.2f})",
            f"≥ {GOAL}",
            share >= GOAL,
        ),
        Row(
            f"{what}: CPU time of one",
            f"{cpu * each:.1f} ms",
            f"decoding {decode * each:.1f} ms + encoding {encode * each:.1f} ms",
            f"{(decode + encode) / cpu:.2f}",
        ),
    ]


def _decode_and_encode(paths: Sequence[Path]) -> tuple[float, float]:
    """CPU seconds of both, after a first picture that pays for imports and for loading the network."""
    encoder = load("starter", EncoderSettings(threads=1))
    options = DecodeOptions(image_size=encoder.image_size)
    first: list[np.ndarray] = []
    _decode(paths[:1], options, first)
    encoder.encode_images(first)
    decoding = encoding = 0.0
    for start in range(0, len(paths), BATCH):
        batch: list[np.ndarray] = []
        decoding += spent(partial(_decode, paths[start : start + BATCH], options, batch)).cpu
        encoding += spent(partial(encoder.encode_images, batch)).cpu
    return decoding, encoding


def _decode(paths: Sequence[Path], options: DecodeOptions, into: list[np.ndarray]) -> None:
    for path in paths:
        with open_media(path, options) as media:
            into.extend(piece.pixels for piece in media.segments() if isinstance(piece, Picture))


def _index(folder: Path) -> Indexed:
    """Index a folder into a new library, from opening it to the saved vector index."""
    with TemporaryDirectory() as place:
        before = busy()
        with Library.open(Path(place) / "library") as library:
            run = spent(lambda: library.index(folder))
        return Indexed(run, max(0.0, (busy() - before - run.cpu) / run.wall))
