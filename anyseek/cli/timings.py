"""``--timings``: where the time of a search went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.text import Text

from .output import plain_table, said

__all__ = ["TimingsOption", "show_timings"]

TimingsOption = Annotated[bool, typer.Option("--timings", help="Say where the time went; a first search also loads the model.")]


def show_timings(timings: Mapping[str, float]) -> None:
    """Show the stages of a search on stderr, each in milliseconds."""
    from ..search.timings import STAGES

    table = plain_table(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for stage, taken in timings.items():
        table.add_row(stage, f"{taken:,.1f} ms", STAGES[stage])
    table.add_row(Text("total", "bold"), Text(f"{sum(timings.values()):,.1f} ms", "bold"), "")
    said().print(table)
