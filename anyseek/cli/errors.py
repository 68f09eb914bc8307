"""``anyseek errors``: which files could not be indexed, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.text import Text

from .exits import Exit
from .options import JsonOption, LibraryOption
from .output import link, plain, plain_table, print_json, show
from .progress import stop_on_interrupt, watch
from .report import finish

if TYPE_CHECKING:
    from ..storage.catalog import FailureRow

__all__ = ["errors"]


def errors(
    library: LibraryOption = None,
    retry: Annotated[bool, typer.Option("--retry", help="Read them once more.")] = False,
    skipped: Annotated[bool, typer.Option("--skipped", help="List what is passed over by a rule instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the files that could not be indexed, each with its reason; exit code 3 says that there are some."""
    from ..library import Library

    with Library.open(library, readonly=True) as opened:
        if skipped:
            return _list_skipped(opened.skipped(), as_json=as_json)
        failures = opened.failures()
    if retry and failures:
        _retry(library, as_json=as_json)
    _list_failures(failures, as_json=as_json)
    if failures:
        raise typer.Exit(Exit.SOME_FAILED)
    return None


def _retry(library: Path | None, *, as_json: bool) -> NoReturn:
    from ..indexer.indexer import IndexOptions
    from ..library import Library

    with Library.open(library) as opened, stop_on_interrupt() as stop, watch(verbose=False) as on_event:
        report = opened.index(options=IndexOptions(retry=True), on_event=on_event, stop=stop)
        folder = opened.path
    finish(report, folder, as_json=as_json)
    raise typer.Exit


def _list_failures(failures: list[FailureRow], *, as_json: bool) -> None:
    if as_json:
        print_json({"failures": [{"path": row.path, "code": row.code, "reason": row.reason} for row in failures]})
    elif failures:
        table = plain_table("reason", "file", "what is wrong", padding=(0, 2, 0, 0))
        for row in failures:
            table.add_row(Text(row.code, "red"), link(row.path), plain(row.reason))
        show(table)
    else:
        show("[green]✓[/] every file could be indexed")


def _list_skipped(passed: list[tuple[Path, str]], *, as_json: bool) -> None:
    if as_json:
        print_json({"skipped": [{"path": path, "rule": rule} for path, rule in passed]})
    elif passed:
        table = plain_table("rule", "file or folder", padding=(0, 2, 0, 0))
        for path, rule in passed:
            table.add_row(Text(rule, "yellow"), link(path))
        show(table)
    else:
        show("[green]✓[/] nothing is passed over")
