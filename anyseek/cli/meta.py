"""``anyseek meta``: what you write down of a file yourself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, LibraryOption, named_path
from .output import plain, plain_table, print_json, show

__all__ = ["meta"]


def meta(
    path: Annotated[Path, typer.Argument(metavar="FILE", parser=named_path, help="A file that is in the library.", show_default=False)],
    pairs: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="What to write down of it.", show_default=False)
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="KEY", help="Forget this one; may be repeated.", show_default=False)
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write down something of a file, or show what was written down; the file itself stays as it is.

    Find it again with  --meta KEY=VALUE  or  --filter meta.KEY>=4.
    """
    from ..library import Library

    changes: dict[str, str | None] = dict.fromkeys(remove or ())
    changes.update(_pair(text) for text in pairs or ())
    Library.open(library, readonly=True).close()  # so that a wrong name makes no library
    with Library.open(library, readonly=not changes) as opened:
        values = opened.set_metadata(path, changes) if changes else opened.metadata(path)
    if as_json:
        print_json({"path": path, "metadata": values})
        return
    table = plain_table(padding=(0, 2, 0, 0))
    for key, value in values.items():
        table.add_row(plain(key, "dim"), plain(str(value)))
    show(table if values else plain("nothing was written down of it"))


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise typer.BadParameter(f"{text!r} is no pair: write it as  project=lighthouse")
    return key, value
