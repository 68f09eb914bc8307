"""What the benchmarks share: rows of the table, and the time that a process, or a part of this one, takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

__all__ = ["ROOT", "Row", "Spent", "busy", "in_turns", "middle", "run_python", "spent"]

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured, in words.
        ours: Its figure.
        theirs: The figure of what it is compared to.
        ratio: The figure that the promise is about; empty when there is none.
        goal: What was promised of it.
        met: Whether it was kept; None where nothing was promised.
    """

    what: str
    ours: str
    theirs: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None


class Spent(NamedTuple):
    """Seconds by the clock, and of all cores together (those of ended children included)."""

    wall: float
    cpu: float


def spent(work: Callable[[], object]) -> Spent:
    """Time a call in this process."""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    work()
    return Spent(time.perf_counter() - wall, _cpu_seconds() - cpu)


def run_python(arguments: Sequence[str], *, fails: bool = False) -> Spent:
    """Time a Python process from its start to its end, with the checkout as its working folder and no output."""
    children = os.times()
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=not fails)
    wall, after = time.perf_counter() - started, os.times()
    return Spent(wall, after.children_user + after.children_system - children.children_user - children.children_system)


def in_turns(rounds: int, *works: Callable[[], Spent]) -> list[list[Spent]]:
    """Do some works one after the other, again and again, so that a machine that gets busier or hotter is unfair to none."""
    results: list[list[Spent]] = [[] for _ in works]
    for _ in range(rounds):
        for result, work in zip(results, works, strict=True):
            result.append(work())
    return results


def middle(runs: Sequence[Spent]) -> Spent:
    """The medians."""
    return Spent(median(run.wall for run in runs), median(run.cpu for run in runs))


def busy() -> float:
    """Core-seconds that the whole machine has worked so far: what grows beyond our own share was taken by others."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
