"""What a few likes and rejections do to the rest of an answer, on broad queries to the demo.

    python -m benchmarks.feedback

It prints the table of docs/feedback.md. A person looks at the first ten answers to a query, likes the first right ones among them and
rejects the first wrong ones. What is measured is the rest: what was liked or rejected counts neither before nor after.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from anyseek import Library
from anyseek.evaluation.intervals import paired_interval

from .measure import ROOT, Row

__all__ = ["measure"]

DEMO = (ROOT / "data" / "demo").resolve()
JUDGEMENTS = ((1, 0), (2, 0), (0, 2), (1, 1), (2, 2), (3, 3))
LOOKED_AT = 10
FEWEST_RIGHT = 3
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "a bird": ("bird", "owl", "chicken", "crow", "parrot"),
    "an animal": ("animal", "bird", "dog", "cat", "cow", "sheep", "horse", "owl", "chicken", "gibbon", "monkey", "dragon", "lizard",
                  "crocodile", "cheetah", "butterfly", "parrot"),
    "a reptile": ("dragon", "lizard", "crocodile"),
    "a pet": ("dog", "cat"),
    "a farm animal": ("cow", "sheep", "horse", "chicken"),
    "a primate": ("gibbon", "monkey"),
    "a famous building": ("monument", "eiffel", "church", "castle"),
    "a landscape": ("mountains", "beach", "boardwalk"),
    "a musical instrument": ("drums", "guitar", "trumpet"),
    "music": ("drums", "guitar", "trumpet", "horn"),
    "the sea": ("beach", "underwater", "waves"),
}  # fmt: skip
"""Words → things of fusion.toml."""
FOLDERS = {"holiday": "photos/holiday", "at the zoo": "photos/zoo", "on the farm": "photos/farm 2022", "in the wild": "photos/nature"}
"""Words → the folder of the pictures that are right."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and what is right.

    Attributes:
        kind: Of the answers.
        right: Paths below the demo.
    """

    text: str
    kind: str
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rest:
    """The answers that nobody judged: how good their order is, and how many of those that are shown are right."""

    precision: float
    shown: int
    shown_right: int


def measure(folder: Path, *, quick: bool = False) -> list[Row]:
    """Ask the demo. It is the same with `quick`."""
    del quick
    queries = list(_queries())
    rows = []
    with Library.open(folder / "library", encoder="starter") as library:
        library.index(DEMO)
        for likes, rejections in JUDGEMENTS:
            pairs = [pair for query in queries if (pair := _compared(library, query, likes, rejections)) is not None]
            before, after = ([pair[number] for pair in pairs] for number in (0, 1))
            name = f"{likes} liked, {rejections} rejected, {len(pairs)} queries"
            rows.append(Row(name, _told(after), _told(before), _interval(before, after)))
    return rows


def _queries() -> Iterator[Asked]:
    things = tomllib.loads((ROOT / "benchmarks" / "fusion.toml").read_text(encoding="utf-8"))["things"]
    for text, names in SUBJECTS.items():
        paths = {path for name in names for path in things[name] if "@" not in path}
        for kind, part in (("image", "photos"), ("audio", "sounds")):
            right = frozenset(path for path in paths if path.startswith(part))
            if len(right) >= FEWEST_RIGHT:
                yield Asked(text, kind, right)
    for text, folder in FOLDERS.items():
        yield Asked(text, "image", frozenset(path.relative_to(DEMO).as_posix() for path in (DEMO / folder).iterdir()))


def _compared(library: Library, query: Asked, likes: int, rejections: int) -> tuple[Rest, Rest] | None:
    """The rest before and after; None where there is nothing to judge among the first answers, or no rest."""
    first = _answers(library, query, min_relevance=0.0)[:LOOKED_AT]
    liked = [path for path in first if path in query.right][:likes]
    rejected = [path for path in first if path not in query.right][:rejections]
    if len(liked) < likes or len(rejected) < rejections or len(query.right) == len(liked):
        return None
    judged = {"liked": [DEMO / path for path in liked], "rejected": [DEMO / path for path in rejected]}
    rests = []
    for refinement in ({}, judged):
        ranked, shown = (_answers(library, query, min_relevance=least, **refinement) for least in (0.0, None))
        rests.append(_rest(ranked, shown, {*liked, *rejected}, query.right))
    return rests[0], rests[1]


def _answers(library: Library, query: Asked, **wanted: object) -> list[str]:
    answer = library.search(query.text, kinds=[query.kind], limit=1000, **wanted)  # type: ignore[arg-type]
    return [hit.path.relative_to(DEMO).as_posix() for hit in answer]


def _rest(ranked: Sequence[str], shown: Sequence[str], judged: Collection[str], right: frozenset[str]) -> Rest:
    """Average precision over all of the rest, and what is shown of it."""
    left, found, total = right - set(judged), 0, 0.0
    for place, path in enumerate((path for path in ranked if path not in judged), 1):
        if path in left:
            found += 1
            total += found / place
    told = [path for path in shown if path not in judged]
    return Rest(total / len(left), len(told), sum(path in left for path in told))


def _told(rests: Sequence[Rest]) -> str:
    right, shown = sum(rest.shown_right for rest in rests), sum(rest.shown for rest in rests)
    return f"mAP {mean(rest.precision for rest in rests):.3f}, {right} right of {shown} shown"


def _interval(before: Sequence[Rest], after: Sequence[Rest]) -> str:
    found = paired_interval([rest.precision for rest in before], [rest.precision for rest in after])
    return "" if found is None else f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def main() -> None:
    with TemporaryDirectory() as folder:
        print("| judged | the rest before | the rest after | mAP, difference (95 %) |\n|---|---|---|---|")
        for row in measure(Path(folder)):
            print(f"| {row.what} | {row.theirs} | {row.ours} | {row.ratio} |")


if __name__ == "__main__":
    main()
