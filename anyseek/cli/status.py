"""``anyseek status``: what the library holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..types import Kind, Modality
from .options import JsonOption, LibraryOption, library_option
from .output import MARK_OF, STYLE_OF, link, plain_table, print_json, show

if TYPE_CHECKING:
    from ..library import Library

__all__ = ["status"]


def status(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show what the library holds: folders, files of each kind, segments, failures and the encoder."""
    from ..library import Library

    with Library.open(library, readonly=True) as opened:
        facts = _facts(opened)
        if as_json:
            print_json(facts)
        else:
            _show(opened, facts)
    raise typer.Exit


def _facts(library: Library) -> dict[str, Any]:
    counts = library.counts()
    active = library.catalog.space()
    return {
        "library": library.path,
        "sources": [source.root for source in library.sources()],
        "files": {kind.value: counts.kinds.get(kind, 0) for kind in Kind},
        "failed": counts.assets.get("failed", 0),
        "deleted": counts.assets.get("deleted", 0),
        "contents": counts.contents,
        "segments": {modality.value: counts.segments.get(modality, 0) for modality in (Modality.IMAGE, Modality.AUDIO)},
        "encoder": active.space.spec if active else None,
        "dim": active.space.dim if active else None,
        "fingerprint": active.space.fingerprint if active else None,
        "bytes": _size_of(library.path),
    }


def _size_of(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # another process tidies up
            total += file.lstat().st_size
    return total


def _show(library: Library, facts: dict[str, Any]) -> None:
    table = plain_table(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column()
    table.add_row("library", link(library.path))
    for place, source in enumerate(library.sources()):
        table.add_row("folders" if place == 0 else "", link(source.root))
    for kind in Kind:
        table.add_row(f"[{STYLE_OF[kind]}]{MARK_OF[kind]}s[/]", f"{facts['files'][kind.value]:,}")
    table.add_row("segments", ", ".join(f"{count:,} {name}" for name, count in facts["segments"].items() if count) or "0")
    if facts["failed"]:
        table.add_row("[red]failed[/]", f"{facts['failed']:,}  [dim](anyseek errors{library_option(library.path)} lists them)[/]")
    table.add_row("encoder", f"{facts['encoder']}, {facts['dim']} dimensions" if facts["encoder"] else "none yet")
    table.add_row("on disk", f"{facts['bytes'] / 2**20:,.1f} MiB")
    show(table)
