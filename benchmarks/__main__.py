"""``python -m benchmarks [--only NAME,NAME] [--quick]``: measure the promises and print a Markdown table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from . import (
    cold_search,
    duplicates,
    encoders,
    feedback,
    filters,
    fusion,
    gather,
    indexing_photos,
    judged,
    learning,
    memory,
    relevance,
    search_latency,
    unchanged_rerun,
)
from .film import film_table
from .machine import machine
from .measure import Row

Benchmark = Callable[..., list[Row]]

BENCHMARKS: dict[str, Benchmark] = {
    "photos": indexing_photos.measure,
    "rerun": unchanged_rerun.measure,
    "cold": cold_search.measure,
    "memory": memory.measure,
    "latency": search_latency.measure,
    "filters": filters.measure,
    "gather": gather.measure,
    "encoders": encoders.measure,
    "duplicates": duplicates.measure,
    "judged": judged.measure,
    "relevance": relevance.measure,
    "fusion": fusion.measure,
    "feedback": feedback.measure,
    "learning": learning.measure,
}
FILM = "film"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the project promises.")
    parser.add_argument("--only", metavar="NAMES", help=f"separated by commas: {', '.join([*BENCHMARKS, FILM])}")
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, to see that everything runs; without the film")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="JPEGs for the encoders, instead of made ones")
    wanted = parser.parse_args()
    benchmarks = {**BENCHMARKS, "encoders": partial(encoders.measure, photos=wanted.photos)}
    names = wanted.only.split(",") if wanted.only else [*BENCHMARKS, *([] if wanted.quick else [FILM])]
    unknown = set(names) - {*BENCHMARKS, FILM}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    print(machine())
    print("| what | anyseek | compared with | ratio | goal | |\n|---|---|---|---|---|---|", flush=True)
    for name in names:
        if name in benchmarks:
            print(f"measuring {name}", file=sys.stderr)
            with TemporaryDirectory(prefix="anyseek-bench-") as folder:
                show(benchmarks[name](Path(folder), quick=wanted.quick))
    if FILM in names:
        print(f"\n```\n{film_table().strip()}\n```")


def show(rows: Iterable[Row]) -> None:
    for row in rows:
        verdict = {None: "", True: "met", False: "**not met**"}[row.met]
        print(f"| {row.what} | {row.ours} | {row.theirs} | {row.ratio} | {row.goal} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
