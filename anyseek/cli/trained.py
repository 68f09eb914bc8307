"""How a training is shown in a terminal: while it goes on, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from .output import link, note, plain, plain_table, printable, said, show

if TYPE_CHECKING:
    from ..training.outcome import Epoch, Judgement, TrainReport
    from ..training.rows import Row

__all__ = ["drawn_training", "show_training"]

MOST_CLASSES = 10


@contextmanager
def drawn_training(epochs: int) -> Iterator[tuple[Callable[[str, int, int], None], Callable[[Epoch], None]]]:
    """Draw on stderr how far a training is, when somebody is looking.

    Args:
        epochs: The most there will be.

    Yields:
        What is to be told of the steps around the training, as by `anyseek.cli.progress.drawn`; and of each epoch.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[figures]}", style="dim", markup=False),
    )
    with Progress(*columns, console=said(), transient=True, disable=not said().is_terminal) as progress:
        task = progress.add_task("reading pairs", total=None, figures="")
        doing = ""

        def step(what: str, done: int, total: int) -> None:
            nonlocal doing
            if what != doing:
                doing = what
                progress.reset(task, description=printable(what), figures="")
            progress.update(task, completed=done, total=total)

        def epoch(done: Epoch) -> None:
            step("training", done.number, epochs)
            progress.update(task, figures=f"loss {done.loss:.4f}  validation recall@10 {done.recall:.3f}")

        yield step, epoch


def show_training(report: TrainReport) -> None:
    """Show what was learnt from, how held-out queries are answered before and after, and whether it is on."""
    from ..training.rows import class_rows, data_rows, figure_rows

    told = f"   {report.method} for {printable(report.space)}"
    told += f" → {printable(report.target)}" if report.target is not None else ""
    told += "" if report.side == "query" else ", stored vectors too"
    show(Text.assemble((printable(report.name), "bold"), (told, "dim")))
    table = plain_table(padding=(0, 2, 0, 0))
    for name, what in data_rows(report.data):
        table.add_row(Text(name, "dim"), plain(what))
    if report.epochs:
        recall = max(epoch.recall for epoch in report.epochs)
        told = f"{len(report.epochs):,} epochs in {report.seconds:.1f} s" if len(report.epochs) > 1 else f"solved in {report.seconds:.1f} s"
        table.add_row(Text("trained", "dim"), f"{told}; validation recall@10 {recall:.3f}")
    show(table)
    if report.judgement is not None:
        show(Text())
        _show_rows("held-out queries", figure_rows(report.judgement), is_total_first=True)
        _show_changes(report.judgement)
        if len(report.judgement.classes) > 1:
            rows, count = class_rows(report.judgement, MOST_CLASSES), len(report.judgement.classes)
            show(Text())
            _show_rows(f"by class, the worst {len(rows)} of {count:,}" if count > len(rows) else "by class", rows, is_total_first=False)
        _show_drift(report.judgement)
    for message in report.notes:
        note(message)
    _show_verdict(report)


def _show_rows(title: str, rows: list[Row], *, is_total_first: bool) -> None:
    from ..training.rows import COLUMNS

    table = plain_table(title, padding=(0, 2, 0, 0))
    table.columns[0].overflow = "fold"
    for header in ("n", *COLUMNS.values()):
        table.add_column(header, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        style = "bold" if is_total_first and place == 0 else ""
        table.add_row(plain(row.name), row.queries, *(_cell(*cell) for cell in row.cells), style=style)
    show(table)


def _cell(before: float, after: float) -> Text:
    change = round(after, 2) - round(before, 2)
    style = "green" if change > 0 else "red" if change < 0 else ""
    return Text.assemble((f"{before:.2f} → ", "dim"), (f"{after:.2f}", style))


def _show_changes(judgement: Judgement) -> None:
    from ..training.rows import change_rows

    rows = change_rows(judgement.overall)
    if not rows:
        return
    over = "right answers, for the queries are few" if judgement.overall.by_answers else "queries"
    show(Text(f"\nchange and its 95 % interval, over {over}; * where that leaves out 0", "dim"))
    table = plain_table(padding=(0, 2, 0, 0))
    for header, interval, told in rows:
        style = ("green" if interval.difference > 0 else "red") if interval.is_significant else ""
        table.add_row(header, Text(told, style))
    show(table)


def _show_drift(judgement: Judgement) -> None:
    drift = judgement.drift
    if drift is not None:
        told = (
            f"\nof {drift.captions:,} captions that nothing was taught about, {drift.first_kept:.1%} keep their first hit and "
            f"{drift.overlap:.1%} of their first ten stay"
        )
        show(Text(told, "dim"))


def _show_verdict(report: TrainReport) -> None:
    if report.interrupted and not report.epochs:
        note("stopped before anything was learnt: the same command begins anew")
    elif report.interrupted:
        note("stopped: what was learnt is kept, and the same command with  --resume  goes on from there")
    elif report.verdict is not None:
        mark, style = ("✓", "bold green") if report.switched_on else ("✗", "bold red")
        told = f"{printable(report.name)} is {'on' if report.switched_on else 'not on'}"
        told += f", instead of {printable(report.replaced)}" if report.switched_on and report.replaced is not None else ""
        show(Text.assemble((f"\n{mark} ", style), (told, "bold"), f": {printable(report.verdict.reason)}"))
        if report.path is not None:
            use = f"anyseek adapters use {report.name}  would switch it on all the same"
            remedy = "anyseek train --rollback  takes it away" if report.switched_on else use
            show(Text.assemble(("  kept in ", "dim"), link(report.path), (f"; {remedy}", "dim")), wrap=False)
    elif report.dry_run:
        note("nothing was trained: leave  --dry-run  out for that")
