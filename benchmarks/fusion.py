"""The ways to join the parts of a query, against each other, on queries of several parts to the demo.

    python -m benchmarks --only fusion
    python -m benchmarks.fusion [--keep FOLDER]

The second prints the table of docs/evaluation.md. With ``--keep`` the library and its ``queries.json`` stay, for ``anyseek eval``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from anyseek import Library
from anyseek.evaluation.configurations import Configuration
from anyseek.evaluation.course import evaluate
from anyseek.evaluation.formats import read_queries
from anyseek.evaluation.judged import JudgedQueries, JudgedQuery
from anyseek.evaluation.results import Result
from anyseek.evaluation.summary import differences, summarise
from anyseek.indexer.indexer import IndexOptions

from .fusion_queries import SLIP, UNWANTED, composed_queries, sort_of
from .measure import ROOT, Row

__all__ = ["measure"]

DATA = ROOT / "data"
WAYS = ("mean", "agreement", "max", "rrf")  # those that need no training
MEASURES = {"success@1": "S@1", "recall@5": "R@5", "mAP": "mAP", "nDCG@10": "nDCG@10"}
SHARE = {UNWANTED: "unwanted"}  # among the first five
WEAKER = 0.5
ALL = "all"
MOMENT = "a moment that shows one thing and sounds like another"

Answers = Mapping[str, Sequence[Result]]
"""Way to join → results of the same queries in the same order; the first way is what the others are compared with."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How some queries are answered if they are joined in one way.

    Attributes:
        sort: Of queries.
        count: How many there are.
        way: How they are joined.
        figures: Name → mean.
        intervals: Name → 95 % interval of the difference to the first way, as text; empty for the first way and for too few queries.
    """

    sort: str
    count: int
    way: str
    figures: Mapping[str, float]
    intervals: Mapping[str, str]

    def cell(self, name: str) -> str:
        """A figure, with what is known of its difference."""
        return f"{self.figures[name]:.3f}" + (f" ({self.intervals[name]})" if name in self.intervals else "")


def measure(folder: Path, *, quick: bool = False) -> list[Row]:
    """Ask the demo. It is the same with `quick`: all of it takes a minute."""
    del quick
    return [
        Row(f"joining, {each.sort}, {each.count} queries: {each.way}", ", ".join(f"{name} {each.cell(name)}" for name in each.figures))
        for each in _compared(folder)
    ]


def _compared(folder: Path) -> list[Compared]:
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "queries.json"
    written.write_text(json.dumps({"version": 1, "queries": composed_queries()}, indent=1), encoding="utf-8")
    queries = read_queries(written)
    right = [query for query in queries.queries if not query.id.startswith((UNWANTED, SLIP))]
    slips = [query for query in queries.queries if sort_of(query.id) == SLIP]
    with Library.open(folder / "library", encoder="starter") as library:
        library.index(DATA / "demo")
        return [
            *_by_sort(_asked(library, queries, right)),
            *_rows(SLIP, _asked(library, queries, slips), MEASURES),
            *_by_negative(library, queries),
            *_by_index(library, queries, right),
        ]


def _by_index(library: Library, queries: JudgedQueries, right: Sequence[JudgedQuery]) -> list[Compared]:
    """What is seen and heard at one time, joined in the library itself or not; of the demo that is true of films alone."""
    answers: dict[str, Sequence[Result]] = {}
    for fuse in ("off", "mean", "agreement"):
        library.index(DATA / "demo", options=IndexOptions(fuse=fuse))
        answers[f"mean, --fuse {fuse}"] = _asked(library, queries, right, ["mean"])["mean"]
    return [row for row in _by_sort(answers) if row.sort in (ALL, MOMENT)]


def _by_negative(library: Library, queries: JudgedQueries) -> list[Compared]:
    """What is not meant, pushed away as much as what is meant draws, less, and not at all, which is the same in all ways."""
    pushed = [query for query in queries.queries if query.negative and not query.id.startswith(UNWANTED)]
    unwanted = [query for query in queries.queries if query.id.startswith(UNWANTED)]
    answers: dict[str, Sequence[Result]] = {}
    for weight in (1.0, WEAKER, 0.0):
        right, wrong = (
            _asked(library, queries, [replace(query, weights={"negative": weight}) for query in each]) for each in (pushed, unwanted)
        )
        for way, results in list(right.items())[: None if weight else 1]:
            answers[f"{way}, negative {weight:g}" if weight else "without the negative"] = [
                replace(result, values={**result.values, UNWANTED: twin.values["precision@5"]})
                for result, twin in zip(results, wrong[way], strict=True)
            ]
    return _rows(sort_of(pushed[0].id), answers, MEASURES | SHARE)


def _asked(
    library: Library, queries: JudgedQueries, chosen: Sequence[JudgedQuery], ways: Sequence[str] = WAYS
) -> dict[str, Sequence[Result]]:
    compared = [Configuration(name, fusion=name) for name in ways]
    evaluation = evaluate(library, replace(queries, queries=tuple(chosen)), compared, roots=[DATA / "demo", DATA])
    if evaluation.has_problems or evaluation.missing:
        problems = [result.problem for each in evaluation.evaluated for result in each.results if result.problem]
        raise RuntimeError(f"the demo cannot answer all queries: {problems or evaluation.missing}")
    return {each.configuration.name: each.results for each in evaluation.evaluated}


def _by_sort(answers: Answers) -> list[Compared]:
    first = next(iter(answers.values()))
    rows = _rows(ALL, answers, MEASURES)
    for sort in dict.fromkeys(sort_of(result.question.judged.id) for result in first):
        of_sort = {way: [result for result in results if sort_of(result.question.judged.id) == sort] for way, results in answers.items()}
        rows += _rows(sort, of_sort, MEASURES)
    return rows


def _rows(sort: str, answers: Answers, measures: Mapping[str, str]) -> list[Compared]:
    before = next(iter(answers.values()))
    rows = []
    for way, results in answers.items():
        means = summarise(results).overall.means
        changed = {} if results is before else differences(before, results)
        intervals = {
            name: f"{changed[of].low:+.2f} to {changed[of].high:+.2f}{'*' if changed[of].is_significant else ''}"
            for of, name in measures.items()
            if of in changed
        }
        rows.append(Compared(sort, len(results), way, {name: means[of] for of, name in measures.items()}, intervals))
    return rows


def _table(rows: Iterable[Compared]) -> Iterable[str]:
    """Markdown; a new head wherever the figures change."""
    names: list[str] = []
    sort = ""
    for row in rows:
        if list(row.figures) != names:
            names, sort = list(row.figures), ""
            yield f"\n| queries | n | joined by | {' | '.join(names)} |\n|{'---|' * (3 + len(names))}"
        told = (row.sort, str(row.count)) if row.sort != sort else ("", "")
        sort = row.sort
        yield f"| {' | '.join([*told, row.way, *map(row.cell, names)])} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fusion", description="The ways to join the parts of a query.")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave queries and library in this new folder")
    wanted = parser.parse_args()
    with TemporaryDirectory(prefix="anyseek-bench-") as temporary:
        print("\n".join(_table(_compared(wanted.keep or Path(temporary)))))


if __name__ == "__main__":
    main()
