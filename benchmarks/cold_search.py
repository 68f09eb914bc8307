"""What a first question costs, from the start of the process to its end, against one that only imports what no answer could do without."""

from __future__ import annotations

from pathlib import Path

from .libraries import fill_library, made_up_files
from .measure import Row, in_turns, middle, run_python

__all__ = ["measure"]

ASSETS = 10_000
GOAL = 2.5
BARE = "import numpy, onnxruntime, faiss"


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Ask a library of ten thousand assets for a text.

    Args:
        folder: For the library; emptied by the caller.
        quick: Fewer runs.
    """
    place = folder / "library"
    fill_library(place, folder / "media", made_up_files(ASSETS))
    table, paths, bare = in_turns(
        3 if quick else 15,
        lambda: run_python(["-m", "anyseek", "search", "a rooster", "-l", str(place)]),
        lambda: run_python(["-m", "anyseek", "search", "a rooster", "--paths", "-l", str(place)]),
        lambda: run_python(["-c", BARE]),
    )
    least = middle(bare)
    rows = []
    for name, runs in (("a table", table), ("paths", paths)):
        ours = middle(runs)
        rows.append(
            Row(
                f"cold text search over {ASSETS:,} assets, as {name}",
                f"{ours.wall:.2f} s wall ({ours.cpu:.2f} s CPU)",
                f"{BARE}: {least.wall:.2f} s wall ({least.cpu:.2f} s CPU)",
                f"{ours.wall / least.wall:.1f} (CPU {ours.cpu / least.cpu:.1f})",
                f"≤ {GOAL:g}",
                ours.wall / least.wall <= GOAL,
            )
        )
    return rows
