"""How an evaluation is shown in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from .output import MARK_OF, plain, plain_table, printable, show

if TYPE_CHECKING:
    from ..evaluation.columns import Column
    from ..evaluation.course import Evaluated, Evaluation

__all__ = ["show_evaluation"]


def show_evaluation(evaluation: Evaluation) -> None:
    """Show its figures as tables: of all queries and of each pair of kinds, what differs, and how long it took."""
    from ..evaluation.columns import columns, meanings

    shown = columns(evaluation)
    judged = len(evaluation.evaluated[0].results)
    show(Text.assemble((printable(evaluation.queries.name), "bold"), (f"   {judged:,} of {evaluation.asked:,} queries judged", "dim")))
    _show_groups(evaluation, shown)
    if len(evaluation.evaluated) > 1:
        _show_differences(evaluation, shown)
    table = plain_table(padding=(0, 2, 0, 0))
    for symbol, meaning in meanings(shown).items():
        table.add_row(Text(symbol, "dim"), Text(meaning, "dim"))
    show(Text(), table)
    for each in evaluation.evaluated:
        _show_time_and_kinds(each)


def _show_groups(evaluation: Evaluation, shown: list[Column]) -> None:
    from ..evaluation.columns import group_rows

    several = len(evaluation.evaluated) > 1
    table = plain_table("asked with → for", padding=(0, 1, 0, 0))
    if several:
        table.add_column("configuration", overflow="fold")
    for column in shown:
        table.add_column(column.header, justify="right", no_wrap=True)
    for name, of_group in group_rows(evaluation.evaluated):
        for place, (configuration, group) in enumerate(of_group):
            cells = [column.cell(group) for column in shown]
            label = [plain(name if place == 0 else ""), *([plain(configuration)] if several else [])]
            table.add_row(*label, *cells, style="bold" if name == evaluation.evaluated[0].summary.overall.name else "")
    show(table)


def _show_differences(evaluation: Evaluation, shown: list[Column]) -> None:
    from ..evaluation.columns import difference_rows, told_difference

    others = evaluation.evaluated[1:]
    rows = difference_rows(evaluation.evaluated, shown)
    first = evaluation.evaluated[0].configuration.name
    if not rows:
        show(Text("\ntoo few queries to say how sure differences are", "dim"))
        return
    show(Text(f"\ndifference to {printable(first)} and its 95 % interval; * where that leaves out 0", "dim"))
    table = plain_table("", padding=(0, 2, 0, 0))
    for each in others:
        table.add_column(printable(each.configuration.name), justify="right", overflow="fold")
    for column, intervals in rows:
        cells = []
        for interval in intervals:
            is_better = (interval.difference > 0) != column.is_better_when_lower
            style = ("green" if is_better else "red") if interval.is_significant else ""
            cells.append(Text(told_difference(interval), style))
        table.add_row(Text(column.header), *cells)
    show(table)


def _show_time_and_kinds(each: Evaluated) -> None:
    name = f"{printable(each.configuration.name)}: "
    times = ", ".join(f"p{percentile} {taken:.0f} ms" for percentile, taken in each.summary.latency_ms.items())
    if times:
        show(Text(f"{name}a search takes {times}", "dim"))
    if each.summary.shares:
        shares = ", ".join(f"{MARK_OF[share.kind]}s {share.first:.2f} ({share.right:.2f})" for share in each.summary.shares)
        show(Text(f"{name}share of kinds in the first ten hits (and of the right answers): {shares}", "dim"))
