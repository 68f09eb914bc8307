"""Which figures of an evaluation are shown in a table, and what they are called there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .course import Evaluated, Evaluation, Settings
from .intervals import Interval
from .moments import ENOUGH
from .summary import ABSENT_REFUSED, GOOD_REFUSED, Group

__all__ = ["Column", "columns", "difference_rows", "group_rows", "meanings", "told_difference"]

COUNT = "n"
RANK = "rank"


@dataclass(frozen=True, slots=True)
class Column:
    """A figure.

    Attributes:
        header: What it is called, in little room.
        symbol: The same for any number of hits: ``S@k``.
        meaning: What it is, in a few words.
        measure: Its name among the means of a group; ``n`` for how many there are, and ``rank`` for the median rank.
        is_better_when_lower: Whether less is better.
    """

    header: str
    symbol: str
    meaning: str
    measure: str
    is_better_when_lower: bool = False

    def cell(self, group: Group) -> str:
        """The figure of some questions as text; nothing where it does not apply."""
        if self.measure == COUNT:
            good = group.questions - group.absent
            return f"{good:,}+{group.absent:,}" if group.absent else f"{good:,}"
        if self.measure == RANK:
            rank = group.median_rank
            return "" if rank is None else "–" if math.isinf(rank) else f"{rank:g}"
        value = group.means.get(self.measure)
        return "" if value is None else f"{value:.3f}"


def columns(evaluation: Evaluation) -> list[Column]:
    """The figures that are shown, in their order, without those that apply to no query."""
    groups = [group for _, row in group_rows(evaluation.evaluated) for _, group in row]
    return [column for column in _all(evaluation.settings) if any(map(column.cell, groups))]


def _all(settings: Settings) -> list[Column]:
    last = settings.cutoffs[-1]
    return [
        Column("n", "n", "queries with a right answer, and after the plus queries without any", COUNT),
        *(Column(f"S@{k}", "S@k", "share of queries with a right answer among the first k hits", f"success@{k}") for k in settings.cutoffs),
        Column(f"R@{last}", "R@k", "share of the right answers that is among the first k hits", f"recall@{last}"),
        Column("mAP", "mAP", f"mean average precision of the first {settings.depth} hits", "mAP"),
        Column(f"nDCG@{last}", "nDCG@k", "normalised discounted cumulative gain of the first k hits", f"nDCG@{last}"),
        Column("rank", "rank", f"median rank of the first right answer; – where it is not among the first {settings.depth}", RANK, True),
        Column("IoU≥½", "IoU≥½", "share of queries for moments whose best hit's best moment is the right one by half", f"iou>={ENOUGH}"),
        Column("IoU", "IoU", "how much of both together is common to both, on average (intersection over union)", "iou"),
        Column("refused", "refused", "good queries that were answered with nothing", GOOD_REFUSED, True),
        Column("absent", "absent", "queries without any right answer that were answered with nothing", ABSENT_REFUSED),
    ]


def meanings(shown: Sequence[Column]) -> dict[str, str]:
    """What the columns mean, by their symbols."""
    return {column.symbol: column.meaning for column in shown}


def told_difference(interval: Interval) -> str:
    """A difference and its interval as text, with an asterisk where the interval leaves out 0."""
    return f"{'* ' if interval.is_significant else ''}{interval.difference:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def group_rows(evaluated: Sequence[Evaluated]) -> list[tuple[str, list[tuple[str, Group]]]]:
    """The groups of questions, all of them first, each with its figures by the name of the configuration."""
    rows: dict[str, list[tuple[str, Group]]] = {}
    for each in evaluated:
        for group in (each.summary.overall, *each.summary.pairs):
            rows.setdefault(group.name, []).append((each.configuration.name, group))
    return list(rows.items())


def difference_rows(evaluated: Sequence[Evaluated], shown: Sequence[Column]) -> list[tuple[Column, list[Interval]]]:
    """By column, how each configuration but the first differs from the first; empty where there is nothing to compare."""
    others = evaluated[1:]
    return [
        (column, [each.differences[column.measure] for each in others])
        for column in shown
        if others and all(column.measure in each.differences for each in others)
    ]
