"""What calibrated relevance gives on the demo, beside cosines, with nothing measured, and in smaller libraries; and each method tried.

    python -m benchmarks --only relevance
    python -m benchmarks.relevance --media FOLDER

With ``--media`` the methods are tried on labelled media, too: ``photos/labels.csv`` and ``sounds/labels.csv`` in FOLDER have the columns
file and label, as for `benchmarks.starter_quality`. Every label is asked as it is, and as "a photo of" or "the sound of" it.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from anyseek import Library
from anyseek.calibrating import calibrate
from anyseek.evaluation.configurations import Configuration
from anyseek.evaluation.course import Evaluated, evaluate
from anyseek.evaluation.formats import read_queries
from anyseek.evaluation.judged import JudgedQueries
from anyseek.evaluation.summary import ABSENT_REFUSED, GOOD_REFUSED
from anyseek.search.vocabulary import CAPTIONS, Vocabulary

from .measure import ROOT, Row

__all__ = ["measure"]

DATA = ROOT / "data"
SHARES = (1.0, 0.5, 0.2)
WAYS = (Configuration("with", calibrated=True), Configuration("without", calibrated=False))
FORMS = {"photos": ("{}", "a photo of {}"), "sounds": ("{}", "the sound of {}")}


def measure(folder: Path, *, quick: bool = False) -> list[Row]:
    """Ask the demo, of which only texts: those that something answers and those that nothing does."""
    queries = read_queries(DATA / "queries.json")
    texts = replace(queries, queries=tuple(query for query in queries.queries if query.kind == "text"))
    files = sorted(path for path in (DATA / "demo").rglob("*") if path.is_file())
    rows: list[Row] = []
    for share in SHARES[:1] if quick else SHARES:
        chosen = files[:: round(1 / share)]
        with Library.open(folder / f"library {share}", encoder="starter") as library:
            library.index(*chosen)
            rows += _rows(f"demo, {len(chosen)} files", library, texts)
            if share == 1:
                rows += _tried("demo", library, queries)
                rows += _unmeasured(library, texts)
    return rows


def _rows(name: str, library: Library, queries: JudgedQueries) -> list[Row]:
    with_, without = evaluate(library, queries, WAYS, roots=[DATA / "demo", DATA]).evaluated
    good, absent = (_values(with_, of) for of in (GOOD_REFUSED, ABSENT_REFUSED))
    first, raw = (mean(_values(each, "success@1")) for each in (with_, without))
    return [
        Row(
            f"{name}: texts that nothing answers recognised, of {len(absent)}", f"{mean(absent):.0%}", "", "", "≥ 80 %", mean(absent) >= 0.8
        ),
        Row(f"{name}: good texts refused, of {len(good)}", f"{mean(good):.0%}", "", "", "≤ 10 %", mean(good) <= 0.1),
        Row(f"{name}: R@1 of good texts", f"{first:.3f}", f"cosines: {raw:.3f}", "", "≥ cosines", first >= raw),
    ]


def _unmeasured(library: Library, queries: JudgedQueries) -> list[Row]:
    """As a space that nobody has measured starts: the same captions in another order are others."""
    with library.catalog.transaction() as writer:
        writer.put_setting(CAPTIONS, Vocabulary.of(Vocabulary.shipped().texts[::-1]).to_setting())
    library.engine.prepare()
    return [replace(row, goal="", met=None) for row in _rows("demo, by captions alone", library, queries)]


def _tried(name: str, library: Library, queries: JudgedQueries, roots: Sequence[Path] = (DATA / "demo", DATA)) -> list[Row]:
    """Every method, cross-validated."""
    (chosen,) = calibrate(library, queries, roots, keep=False)
    rows = []
    for trial in chosen.calibration.trials:
        what = f"{trial.strength} × bias by {trial.nearest} captions" if trial.strength else "nothing"
        rows.append(Row(f"{name}: {what} taken off", f"R@1 {trial.recall:.3f}, mAP {trial.precision:.3f}, loss {trial.loss:.3f}"))
    return rows


def _values(evaluated: Evaluated, measure: str) -> list[float]:
    return [result.values[measure] for result in evaluated.results if measure in result.values]


def _labelled(media: Path, folder: Path) -> Path:
    """A file of judged queries that asks for every label."""
    queries = []
    for part, forms in FORMS.items():
        files: dict[str, list[str]] = defaultdict(list)
        with (media / part / "labels.csv").open(newline="", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                files[row["label"]].append(str(media / part / row["file"]))
        for label, paths in files.items():
            relevant = [{"path": path} for path in paths]
            queries += [
                {"id": f"{part} {form.format(label)}", "kind": "text", "query": form.format(label), "relevant": relevant} for form in forms
            ]
    written = folder / "queries.json"
    written.write_text(json.dumps({"version": 1, "queries": queries}), encoding="utf-8")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, required=True, metavar="FOLDER")
    media: Path = parser.parse_args().media.resolve()
    with TemporaryDirectory() as folder, Library.open(Path(folder) / "library", encoder="starter") as library:
        library.index(media)
        queries = read_queries(_labelled(media, Path(folder)))
        for row in _tried(f"{len(queries.queries)} labels", library, queries, [media]):
            print(f"| {row.what} | {row.ours} |")


if __name__ == "__main__":
    main()
