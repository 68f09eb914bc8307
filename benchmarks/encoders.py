"""How near indexing with a model of OpenCLIP comes to the bare model, and how others do with the same weights and photos.

Everything runs in processes of its own, in turns, so that a machine that gets busier is unfair to none; times are without imports and
loading. Ratios are taken within each round, and their median counts.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory

import numpy as np

from .checkpoint import make_checkpoint, write_onnx
from .environments import CACHE, NotInstalled, python_of
from .measure import Row
from .memory import watch
from .photos import VGA, write_photos

__all__ = ["measure"]

PHOTOS = 320
ROUNDS = 3
SMALLER = "ViT-B-32"
LARGER = "ViT-B-32-256"
"""The ViT-B/32 that rclip is built for, and the only size of picture that it prepares."""

GOAL = 0.9
SAME = 0.98
"""Cosine between two ways of decoding and shrinking one photo, at least."""

OWN = ("bare", "adapter", "indexing")
OTHERS = {"rclip": "rclip_run.py", "clip-retrieval": "clip_retrieval_run.py"}
NAMES = {
    "bare": "the bare model on tensors",
    "adapter": "anyseek's encoder on decoded pictures",
    "indexing": "`Library.index`",
    "rclip": "rclip's indexing",
    "clip-retrieval": "clip-retrieval's inference",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One process: photos a second, CPU milliseconds for each, peak MiB with its children, and the vector of the first photo."""

    rate: float
    cpu_ms: float
    peak: float
    vector: np.ndarray


def measure(folder: Path, *, quick: bool, photos: Path | None = None) -> list[Row]:
    """Index photos with a full-size ViT-B/32.

    Args:
        folder: For photos and weights; emptied by the caller.
        quick: Few photos, once, and nobody else.
        photos: A folder of JPEGs to take instead of made ones, as often as is needed.
    """
    count = 32 if quick else PHOTOS
    if photos is None:
        write_photos(folder / "made", count, VGA)
    _gather(photos or folder / "made", folder / "photos", count)
    smaller = _compete(make_checkpoint(SMALLER, folder / SMALLER), folder / "photos", OWN, 1 if quick else ROUNDS)
    rows = list(_against_the_bare_model(f"{count} photos, {SMALLER}", smaller))
    if quick:
        return rows
    checkpoint = make_checkpoint(LARGER, folder / LARGER)
    others, reasons = _installed(checkpoint)
    larger = _compete(checkpoint, folder / "photos", [*OWN, *others], ROUNDS)
    what = f"{count} photos, {LARGER}"
    rows += [*_against_the_bare_model(what, larger), *_against_others(what, larger, others)]
    return [*rows, *(Row(f"{what}: {NAMES[name]}", "", f"not measured: {reason}") for name, reason in reasons.items())]


def _gather(source: Path, target: Path, count: int) -> None:
    """Copy photos into one folder, each a content of its own by the bytes behind its end, which no decoder reads."""
    bodies = [path.read_bytes() for path in sorted(source.rglob("*.jp*g"))]
    target.mkdir()
    for number in range(count):
        (target / f"photo{number:05}.jpg").write_bytes(bodies[number % len(bodies)] + number.to_bytes(8, "little"))


def _installed(checkpoint: Path) -> tuple[list[str], dict[str, str]]:
    """Who else can take part, and why others cannot."""
    there, reasons = [], {}
    for name in OTHERS:
        print(f"setting up {name}", file=sys.stderr)
        try:
            python_of(name)
            if name == "rclip":
                write_onnx(checkpoint, CACHE)
        except NotInstalled as error:
            reasons[name] = str(error)
        except CalledProcessError as error:
            reasons[name] = (error.stderr.strip().splitlines() or ["it failed"])[-1]
        else:
            there.append(name)
    return there, reasons


def _compete(checkpoint: Path, photos: Path, names: Sequence[str], rounds: int) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            runs[name].append(_run(name, checkpoint, photos))
    for name in names:
        cosine = float(_unit(runs[name][0].vector) @ _unit(runs["bare"][0].vector))
        if cosine < SAME:
            raise RuntimeError(f"{name} gives another vector than the bare model: their cosine is {cosine:.4f}")
    return runs


def _run(name: str, checkpoint: Path, photos: Path) -> Run:
    with TemporaryDirectory() as folder:
        if name in OTHERS:
            command = [python_of(name), str(Path("benchmarks") / "contestants" / OTHERS[name])]
        else:
            command = [sys.executable, "-m", "benchmarks.contestants.own", name]
        said, samples = watch([*command, str(checkpoint), str(photos), folder], {**os.environ, "HF_HUB_OFFLINE": "1"})
    told = json.loads(said.strip().splitlines()[-1])
    if told["count"] != sum(1 for _ in photos.iterdir()):
        raise RuntimeError(f"{name} gave {told['count']} vectors")
    vector = np.array(told["vector"])
    return Run(told["count"] / told["seconds"], 1000 * told["cpu"] / told["count"], max(map(sum, samples)), vector)


def _against_the_bare_model(what: str, runs: dict[str, list[Run]]) -> Iterator[Row]:
    for name in ("adapter", "indexing"):
        yield _row(what, runs, name, "bare", f"≥ {GOAL}", GOAL)


def _against_others(what: str, runs: dict[str, list[Run]], others: Sequence[str]) -> Iterator[Row]:
    for name in others:
        yield _row(what, runs, "indexing", name, "> 1", 1)


def _row(what: str, runs: dict[str, list[Run]], ours: str, theirs: str, goal: str, least: float) -> Row:
    ratio, cpu = (
        median(getattr(one, figure) / getattr(other, figure) for one, other in zip(runs[ours], runs[theirs], strict=True))
        for figure in ("rate", "cpu_ms")
    )
    return Row(
        f"{what}: {NAMES[ours]} against {NAMES[theirs]}",
        _told(runs[ours]),
        _told(runs[theirs]),
        f"{ratio:.2f} (CPU {1 / cpu:.2f})",
        goal,
        ratio >= least,
    )


def _told(runs: Sequence[Run]) -> str:
    rate, cpu, peak = (median(getattr(run, figure) for run in runs) for figure in ("rate", "cpu_ms", "peak"))
    return f"{rate:.1f} photos/s, {cpu:.0f} ms CPU each, {peak:,.0f} MiB"


def _unit(vector: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vector / np.linalg.norm(vector)
    return unit
