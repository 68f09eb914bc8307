"""What indexing a folder again costs when nothing in it has changed, against a bare walk that looks at every file once."""

from __future__ import annotations

from pathlib import Path

from anyseek import Library

from .bare_walk import walk
from .libraries import File, fill_library
from .measure import Row, Spent, in_turns, middle, run_python, spent

__all__ = ["measure"]

FILES, FOLDERS = 100_000, 200
GOAL = 3.0


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Run the real command, and the library's call alone, over a library that knows every file.

    Args:
        folder: For files and library; emptied by the caller.
        quick: A tenth of the files, fewer runs.
    """
    count = FILES // 10 if quick else FILES
    media, place = folder / "media", folder / "library"
    fill_library(place, media, _write_files(media, count))
    rounds = 3 if quick else 7
    command, walking = in_turns(
        rounds,
        lambda: run_python(["-m", "anyseek", "index", str(media), "-l", str(place)]),
        lambda: run_python(["benchmarks/bare_walk.py", str(media)]),
    )
    with Library.open(place) as library:
        call, walked = in_turns(rounds, lambda: _index(library, media, count), lambda: spent(lambda: walk(str(media))))
    return [
        _row(f"unchanged re-run over {count:,} files: the command", command, walking),
        _row(f"unchanged re-run over {count:,} files: the call alone", call, walked),
    ]


def _row(what: str, ours: list[Spent], theirs: list[Spent]) -> Row:
    mine, bare = middle(ours), middle(theirs)
    ratio = mine.cpu / bare.cpu
    return Row(
        what,
        f"{mine.cpu:.2f} s CPU ({mine.wall:.2f} s wall)",
        f"os.scandir and stat: {bare.cpu:.2f} s CPU ({bare.wall:.2f} s wall)",
        f"{ratio:.1f} (wall {mine.wall / bare.wall:.1f})",
        f"≤ {GOAL:g}",
        ratio <= GOAL,
    )


def _write_files(media: Path, count: int) -> list[File]:
    files: list[File] = []
    for number in range(count):
        relative = f"{number % FOLDERS:03}/photo{number:06}.jpg"
        path = media / relative
        if number < FOLDERS:
            path.parent.mkdir(parents=True)
        path.write_bytes(number.to_bytes(4, "little"))
        stat = path.stat()
        files.append((relative, stat.st_size, stat.st_mtime_ns))
    return files


def _index(library: Library, media: Path, count: int) -> Spent:
    reports: list = []
    result = spent(lambda: reports.append(library.index(media)))
    if reports[0].unchanged != count or reports[0].embedded:
        raise RuntimeError(f"the files should be unchanged: {reports[0]}")
    return result
