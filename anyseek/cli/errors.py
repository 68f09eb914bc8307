"""``anyseek errors``: which files could not be indexed, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from .exits import Exit
from .options import JsonOption, LibraryOption
from .output import answers, link, plain, plain_table, print_json
from .progress import stop_on_interrupt, watch
from .report import finish

__all__ = ["errors"]


def errors(
    library: LibraryOption = None,
    retry: Annotated[bool, typer.Option("--retry", help="Read them once more.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the files that could not be indexed, each with its reason; exit code 3 says that there are some."""
    from ..indexer.indexer import IndexOptions
    from ..library import Library

    if retry:
        with Library.open(library) as opened, stop_on_interrupt() as stop, watch(verbose=False) as on_event:
            report = opened.index(options=IndexOptions(retry=True), on_event=on_event, stop=stop)
            folder = opened.path
        return finish(report, folder, as_json=as_json)
    with Library.open(library, readonly=True) as opened:
        failures = opened.failures()
    if as_json:
        rows: list[dict[str, Any]] = [{"path": row.path, "code": row.code, "reason": row.reason} for row in failures]
        print_json({"failures": rows})
    elif failures:
        table = plain_table("reason", "file", "what is wrong", padding=(0, 2, 0, 0))
        for row in failures:
            table.add_row(Text(row.code, "red"), link(row.path), plain(row.reason))
        answers().print(table)
    else:
        answers().print("[green]✓[/] every file could be indexed")
    if failures:
        raise typer.Exit(Exit.SOME_FAILED)
    return None
