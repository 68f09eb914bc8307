"""What is found in films of which it is known what is seen and heard in them when, with and without calibrated relevance.

    python -m benchmarks.judged [--films N] [--seed N] [--media FOLDER] [--model NAME] [--keep FOLDER] [--failures]

The films are cut together from the photos and sounds of the demo, or of FOLDER, see `benchmarks.judged_library`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from anyseek import Answer, Hit, Library
from anyseek.evaluation.formats import read_queries
from anyseek.evaluation.judged import JudgedQuery, Stretch
from anyseek.types import Kind

from .judged_library import Media, build
from .measure import Row

__all__ = ["measure"]

FILMS, SEED, TOP = 32, 5, 10
GOOD_IOU = 0.5
NAMES = {Kind.IMAGE: "photos", Kind.AUDIO: "sounds", Kind.VIDEO: "films"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and what was answered.

    Attributes:
        query: As judged.
        ranked: The first `TOP` hits, however little relevant.
        shown: The first `TOP` of those that a user sees without further options.
        root: The folder that the query's paths start from.
    """

    query: JudgedQuery
    ranked: Sequence[Hit]
    shown: Sequence[Hit]
    root: Path

    @property
    def iou(self) -> float:
        """Of the best hit's best moment with the right moment that it fits best; 0 for a hit in a wrong place."""
        if not self.ranked:
            return 0.0
        best = self.ranked[0]
        assert best.start_ms is not None  # films and sounds have times
        assert best.end_ms is not None
        found = Stretch(best.start_ms, best.end_ms)
        return max(
            (found.iou(right.stretch) for right in self.query.relevant if self._is_at(best, right.path) and right.stretch), default=0.0
        )

    @property
    def is_first_right(self) -> bool:
        """Whether the best hit is a right file and, where a stretch is judged, its best moment overlaps it."""
        return bool(self.ranked) and any(
            self._is_at(self.ranked[0], right.path) and (right.stretch is None or self._overlaps(self.ranked[0], right.stretch))
            for right in self.query.relevant
        )

    def _is_at(self, hit: Hit, path: str) -> bool:
        return hit.path == self.root / path

    def _overlaps(self, hit: Hit, stretch: Stretch) -> bool:
        return hit.start_ms is not None and hit.end_ms is not None and Stretch(hit.start_ms, hit.end_ms).shared_ms(stretch) > 0


def measure(folder: Path, *, quick: bool = False) -> list[Row]:
    """Ask the demo and films made of it."""
    return _measured(Media.demo(), folder, films=8 if quick else FILMS, seed=SEED)


def _measured(media: Media, folder: Path, *, films: int, seed: int, model: str = "starter", failures: bool = False) -> list[Row]:
    root = folder.resolve() / "media"
    _, queries = build(media, root, films, seed)
    judged = read_queries(queries).queries
    found: dict[bool, list[Asked]] = {}
    for calibrated in (True, False):
        with Library.open(folder / "library", encoder=model, calibrated=calibrated) as library:
            if calibrated:
                library.index(root)
            found[calibrated] = [_ask(library, query, root) for query in judged]
    if failures:
        _tell_failures(found[True])
    return [*_moment_rows(found), *_first_rows(found), *_refusal_rows(found), *_fairness_rows(found)]


def _ask(library: Library, query: JudgedQuery, root: Path) -> Asked:
    examples = {part: [root / path for path in getattr(query, part)] for part in ("image", "audio", "video")}

    def search(**options: float) -> Answer:
        # one more, since a file that is asked with and lies in the library is no answer to itself
        return library.search(list(query.text), **examples, kinds=query.kinds, limit=TOP + 1, **options)

    def others(answer: Answer) -> list[Hit]:
        asked = {path for paths in examples.values() for path in paths}
        return [hit for hit in answer if hit.path not in asked][:TOP]

    return Asked(query, others(search(min_relevance=0.0)), others(search()), root)


Found = dict[bool, list[Asked]]


def _moment_rows(found: Found) -> list[Row]:
    rows = []
    for kind in ("text", "image", "audio"):
        ious = {on: [one.iou for one in asked if one.query.pair == f"{kind} → video" and one.query.relevant] for on, asked in found.items()}
        if not ious[True]:
            continue
        shares = {on: mean(iou >= GOOD_IOU for iou in of) for on, of in ious.items()}
        is_goal = kind == "text"
        what = f"judged films, {kind} → moment ({len(ious[True])} queries): the best hit's IoU ≥ {GOOD_IOU}"
        rows.append(_row(what, shares, _share, goal="≥ 80 %" if is_goal else "", met=shares[True] >= 0.8 if is_goal else None))
        rows.append(_row(f"judged films, {kind} → moment: mean IoU", {on: mean(of) for on, of in ious.items()}, "{:.2f}".format))
        at = {
            on: [one.iou >= GOOD_IOU for one in asked if one.query.pair == f"{kind} → video" and one.is_first_right]
            for on, asked in found.items()
        }
        what = f"judged films, {kind} → moment: IoU ≥ {GOOD_IOU} where the best hit is a right place"
        rows.append(_row(what, {on: mean(of) if of else 0.0 for on, of in at.items()}, _share))
    return rows


def _first_rows(found: Found) -> list[Row]:
    rows = []
    pairs = dict.fromkeys(one.query.pair for one in found[True] if one.query.relevant)
    for pair in [None, *pairs]:
        firsts = {
            on: [one.is_first_right for one in asked if one.query.relevant and pair in {None, one.query.pair}]
            for on, asked in found.items()
        }
        rates = {on: mean(of) for on, of in firsts.items()}
        what = f"judged, R@1 of {'all' if pair is None else pair} ({len(firsts[True])} queries)"
        goal, met = ("≥ without", rates[True] >= rates[False]) if pair is None else ("", None)
        rows.append(_row(what, rates, _share, goal=goal, met=met))
    return rows


def _refusal_rows(found: Found) -> list[Row]:
    empty = {
        held: {on: [not one.shown for one in asked if bool(one.query.relevant) is held] for on, asked in found.items()}
        for held in (True, False)
    }
    refused = {on: mean(of) for on, of in empty[True].items()}
    rows = [_row(f"judged, good queries refused, of {len(empty[True][True])}", refused, _share, goal="≤ 10 %", met=refused[True] <= 0.1)]
    if empty[False][True]:
        absent = {on: mean(of) for on, of in empty[False].items()}
        what = f"judged, queries that nothing answers recognised, of {len(empty[False][True])}"
        rows.insert(0, _row(what, absent, _share, goal="≥ 80 %", met=absent[True] >= 0.8))
    return rows


def _fairness_rows(found: Found) -> list[Row]:
    """How far each kind's share of what is shown lies from its share of what is right."""

    def mixed(asked: Iterable[Asked]) -> list[Asked]:
        return [one for one in asked if one.query.target == "any" and one.query.relevant]

    if not mixed(found[True]):
        return []
    kinds = {".mp4": Kind.VIDEO, ".mkv": Kind.VIDEO, ".webm": Kind.VIDEO}
    right = Counter(
        kinds.get(Path(path).suffix, Kind.AUDIO if path.startswith("sounds") else Kind.IMAGE)
        for one in mixed(found[True])
        for path in {answer.path for answer in one.query.relevant}
    )
    given = {on: Counter(hit.kind for one in mixed(asked) for hit in one.shown) for on, asked in found.items()}
    rows = []
    for kind, name in NAMES.items():
        true = right[kind] / right.total()
        shares = {on: of[kind] / max(of.total(), 1) for on, of in given.items()}
        rows.append(_row(f"judged, {name} among the top ten, where {_share(true)} of the right answers are {name}", shares, _share))
    return rows


def _row(what: str, figures: dict[bool, float], shown: Callable[[float], str], *, goal: str = "", met: bool | None = None) -> Row:
    return Row(what, shown(figures[True]), f"without calibration: {shown(figures[False])}", goal=goal, met=met)


def _share(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _tell_failures(asked: Iterable[Asked]) -> None:
    for one in asked:
        if one.query.relevant and one.query.target == "video" and one.iou < GOOD_IOU:
            best = one.ranked[0] if one.ranked else None
            where = f"{best.path.name} {best.start_ms}-{best.end_ms} {best.signals}" if best else "nothing"
            print(f"{one.query.question}: {where}, {one.iou:.2f}{' right place' if one.is_first_right else ''}", file=sys.stderr)


def main() -> None:
    from .__main__ import show

    parser = argparse.ArgumentParser(prog="python -m benchmarks.judged", description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=FILMS, metavar="N", help="how many to make")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="equal seeds make equal films")
    parser.add_argument(
        "--media", type=Path, metavar="FOLDER", help="other photos and sounds, with photos/labels.csv and sounds/labels.csv"
    )
    parser.add_argument("--model", default="starter", metavar="NAME", help="to index with")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave films, queries and library there; it must not exist")
    parser.add_argument("--failures", action="store_true", help="say which queries missed their moment")
    wanted = parser.parse_args()
    media = Media.demo() if wanted.media is None else Media.labelled(wanted.media)
    with TemporaryDirectory(prefix="anyseek-bench-") as temporary:
        folder = wanted.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = _measured(media, folder, films=wanted.films, seed=wanted.seed, model=wanted.model, failures=wanted.failures)
    show(rows)


if __name__ == "__main__":
    main()
