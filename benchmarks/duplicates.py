"""How long it takes to find near pictures in a large library, and whether all are found."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from anyseek.duplicates.hamming import bits_set, pairs_within
from anyseek.duplicates.pictures import DISTANCE, near_pictures
from anyseek.media.fingerprint import PICTURE, VERSION
from anyseek.storage.fingerprints import LiveContent
from anyseek.types import Kind

from .measure import Row

__all__ = ["measure"]

PICTURES = 1_000_000
COPIED = 0.05
MOST_TURNED = 6
GOAL_SECONDS = 300
ASKED = 2_000


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Look for near pictures among made fingerprints, a twentieth of which are copies with a few bits turned.

    Args:
        folder: Nothing is written.
        quick: A twentieth of the pictures.
    """
    count = PICTURES // 20 if quick else PICTURES
    prints, copies = _made(count, np.random.default_rng(7))
    hashes = np.unique(prints["coarse"])
    took, pairs = _timed(lambda: pairs_within(hashes, DISTANCE))
    asked = hashes[:: max(1, len(hashes) // ASKED)][:ASKED]
    flat, found = _timed(lambda: _one_by_one(hashes, asked))
    there = {tuple(pair) for pair in hashes[pairs].tolist()}
    missed = sum((min(pair), max(pair)) not in there for pair in found)
    contents = [LiveContent(n, Kind.IMAGE, 1, 400, 300, None, None, None, None, 1, 0, f"{n}.jpg") for n in range(count)]
    stored = {n: row.tobytes() for n, row in enumerate(prints)}
    whole, groups = _timed(lambda: near_pictures(contents, stored))
    grouped = sum(len(others) for _, others in groups)
    return [
        Row(
            f"pairs of hashes within {DISTANCE} of 64 bits among {len(hashes):,}",
            f"{took:.1f} s, {len(pairs):,} pairs",
            f"{flat * len(hashes) / len(asked) / 2:,.0f} s each with each (by {len(asked):,} of them); of their pairs {missed} were missed",
            goal="0 missed",
            met=missed == 0,
        ),
        Row(
            f"groups of near pictures among {count:,}",
            f"{whole:.1f} s, {grouped:,} copies found of {copies:,} made",
            goal=f"≤ {GOAL_SECONDS} s, all found",
            met=whole <= GOAL_SECONDS and grouped == copies,
        ),
    ]


def _made(count: int, random: np.random.Generator) -> tuple[np.ndarray, int]:
    """Fingerprints whose hashes have half of their bits set, as pHash makes them, the last of them copies of the first."""
    prints = np.zeros(count, PICTURE)
    prints["version"], prints["contrast"], prints["blue"], prints["red"] = VERSION, 60, 128, 128
    ranks = random.random((count, 64)).argsort(axis=1) < 32
    prints["coarse"] = np.packbits(ranks, axis=1).view(">u8")[:, 0]
    prints["fine"] = random.integers(0, 256, (count, 32), dtype=np.uint8)
    copies = int(count * COPIED)
    prints[-copies:] = prints[:copies]
    for _ in range(MOST_TURNED):
        turned = random.random(copies) < 0.5
        prints["coarse"][-copies:] ^= np.where(turned, np.uint64(1) << random.integers(0, 64, copies, dtype=np.uint64), np.uint64(0))
    return prints, copies


def _one_by_one(hashes: np.ndarray, asked: np.ndarray) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for one in asked:
        near = hashes[bits_set(hashes ^ one) <= DISTANCE]
        found += [(int(one), int(other)) for other in near if other != one]
    return found


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result
