"""How much memory indexing takes, and whether it grows with what was indexed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile

import psutil

from .measure import ROOT, Row
from .photos import VGA, write_photos

__all__ = ["measure", "watch"]

PHOTOS = 10_000
GOAL_MIB = 1024
FLAT = 1.1
SAMPLE_SECONDS = 0.2


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Index ten thousand photos with the real command and watch it and its decoding processes.

    Args:
        folder: For photos and library; emptied by the caller.
        quick: A twentieth of the photos.
    """
    count = PHOTOS // 20 if quick else PHOTOS
    write_photos(folder / "media", count, VGA, pictures=50)
    _, samples = watch([sys.executable, "-m", "anyseek", "index", str(folder / "media"), "-l", str(folder / "library")])
    quarter = len(samples) // 4
    second, last = (median(sum(sample) for sample in part) for part in (samples[quarter : 2 * quarter], samples[-quarter:]))
    largest = max(samples, key=sum)
    peak = sum(largest)
    return [
        Row(
            f"peak memory while indexing {count:,} photos",
            f"{peak:.0f} MiB (the parent {largest[0]:.0f}, {len(largest) - 1} decoding processes the rest)",
            goal=f"≤ {GOAL_MIB} MiB",
            met=peak <= GOAL_MIB,
        ),
        Row(
            "memory in the last quarter of it against the second",
            f"{last:.0f} MiB",
            f"{second:.0f} MiB",
            f"{last / second:.2f}",
            f"≤ {FLAT}",
            last <= FLAT * second,
        ),
    ]


def watch(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[str, list[list[float]]]:
    """Run a command; gives what it printed, and the resident MiB of the process and then of each of its children, over and over."""
    samples: list[list[float]] = []
    with TemporaryFile("w+") as said, TemporaryFile("w+") as complained:
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=complained) as child:
            process = psutil.Process(child.pid)
            while child.poll() is None:
                family = [_resident(one) for one in [process, *process.children(recursive=True)]]
                samples.append([mib for mib in family if mib])
                time.sleep(SAMPLE_SECONDS)
        if child.returncode:
            complained.seek(0)
            raise RuntimeError(f"{command} ended with {child.returncode}: {complained.read()[-2000:]}")
        said.seek(0)
        return said.read(), [sample for sample in samples if sample]


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.Error:  # it has ended meanwhile
        return 0.0
