"""What a table of a training shows, in a terminal and in the report alike."""

from __future__ import annotations

from dataclasses import dataclass

from ..evaluation.columns import told_difference
from ..evaluation.intervals import Interval
from .figures import Compared
from .outcome import DataSummary, Judgement

__all__ = ["COLUMNS", "Row", "change_rows", "class_rows", "data_rows", "figure_rows"]

COLUMNS = {"success@1": "S@1", "success@10": "S@10", "recall@1": "R@1", "recall@10": "R@10", "mAP": "mAP"}
"""The measures that are shown, with what they are called in little room."""
FEW = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table.

    Attributes:
        name: What it is about.
        queries: How many queries, and how many right answers they have: ``12 / 30``.
        cells: What stands below `COLUMNS`, before and after.
    """

    name: str
    queries: str
    cells: tuple[tuple[float, float], ...]


def figure_rows(judgement: Judgement) -> list[Row]:
    """All held-out queries, then by pair of kinds and by source where there are several, then unrelated ones."""
    rows = [judgement.overall]
    rows += judgement.pairs if len(judgement.pairs) > 1 else ()
    rows += judgement.sources if len(judgement.sources) > 1 else ()
    shown = [_row(each) for each in rows]
    if len(judgement.classes) > 1:
        cells = tuple(judgement.worst_classes(measure) for measure in COLUMNS)
        shown.append(Row("worst tenth of the classes", f"{-(-len(judgement.classes) // 10)}", cells))
    if judgement.general is not None:
        shown.append(_row(judgement.general))
    return shown


def class_rows(judgement: Judgement, most: int | None = None) -> list[Row]:
    """The classes, those first that are answered worst after the training."""
    worst = sorted(judgement.classes, key=lambda each: (each.after.means["recall@10"], each.after.means["mAP"], each.name))
    return [_row(each) for each in worst[:most]]


def change_rows(compared: Compared) -> list[tuple[str, Interval, str]]:
    """By column, a difference with its interval, and the same as text, with an asterisk where the interval leaves out 0."""
    found = ((header, compared.differences.get(measure)) for measure, header in COLUMNS.items())
    return [(header, interval, told_difference(interval)) for header, interval in found if interval is not None]


def data_rows(data: DataSummary) -> list[tuple[str, str]]:
    """What was learnt from, as pairs of a word and what there is of it."""
    sources = ", ".join(f"{name} {count:,}" for name, count in data.sources.items())
    rows = [("pairs", f"{data.pairs:,}" + (f", {data.negatives:,} of them say what is not right" if data.negatives else ""))]
    rows.append(("from", sources))
    rows.append(("queries", f"{data.queries:,} different ones for {data.targets:,} files and moments"))
    if data.classes:
        rows.append(("classes", _told_classes(data)))
    rows.append(("groups", f"{data.groups:,} of files that are nearly the same; none is on two sides"))
    rows.append(("parts", ", ".join(f"{name} {count:,}" for name, count in data.parts.items())))
    rows += [("left out", f"{count:,} {reason}") for reason, count in data.left_out.items()]
    return rows


def _told_classes(data: DataSummary) -> str:
    counts = list(data.classes.items())
    if len(counts) <= 2 * FEW:
        return f"{len(counts):,}: " + ", ".join(f"{name} {count:,}" for name, count in counts)
    most, least = counts[:FEW], counts[-FEW:]
    named = [", ".join(f"{name} {count:,}" for name, count in some) for some in (most, least)]
    return f"{len(counts):,}: from {named[0]} … to {named[1]}"


def _row(compared: Compared) -> Row:
    cells = tuple((compared.before.means[measure], compared.after.means[measure]) for measure in COLUMNS)
    return Row(compared.name, f"{compared.queries:,} / {compared.answers:,}", cells)
