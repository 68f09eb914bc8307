"""``anyseek status``: what the library holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from ..types import Kind, Modality
from .options import JsonOption, LibraryOption, library_option
from .output import MARK_OF, STYLE_OF, STYLE_OF_STATE, link, plain_table, print_json, printable, show

if TYPE_CHECKING:
    from ..library import Library
    from ..storage.catalog import SpaceRow

__all__ = ["space_as_json", "status", "told_space"]


def status(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show what the library holds: folders, files of each kind, segments, failures, the models that serve, adapters."""
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
    return {
        "library": library.path,
        "sources": [source.root for source in library.sources()],
        "files": {kind.value: counts.kinds.get(kind, 0) for kind in Kind},
        "failed": counts.assets.get("failed", 0),
        "deleted": counts.assets.get("deleted", 0),
        "contents": counts.contents,
        "segments": {modality.value: counts.segments.get(modality, 0) for modality in Modality if modality is not Modality.TEXT},
        "models": [space_as_json(library, row) for row in library.catalog.spaces()],
        "adapters": [{"name": known.name, "state": known.state} for known in library.adapters()],
        "bytes": _size_of(library.path),
    }


def space_as_json(library: Library, row: SpaceRow) -> dict[str, Any]:
    """A space as the JSON that ``--json`` prints."""
    counts = library.catalog.space_counts(row.id)
    return {
        "spec": row.space.spec,
        "dim": row.space.dim,
        "revision": row.space.revision,
        "fingerprint": row.space.fingerprint,
        "state": row.state,
        "vectors": counts.embeddings,
        "lacking": counts.lacking,
        "refused": counts.refused,
    }


def told_space(model: dict[str, Any]) -> Text:
    """A space in a line."""
    state = "" if model["state"] == "serving" else f", {model['state']}"
    lacking = f", {model['lacking']:,} files lack vectors" if model["lacking"] and model["state"] != "kept" else ""
    refused = f", {model['refused']:,} files refused" if model["refused"] else ""
    return Text.assemble(
        printable(model["spec"]), (f"  {model['dim']} dimensions, {model['vectors']:,} vectors{state}{lacking}{refused}", "dim")
    )  # fmt: skip


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
    for place, model in enumerate(facts["models"]):
        table.add_row("models" if place == 0 else "", told_space(model))
    if not facts["models"]:
        table.add_row("models", "none yet")
    for place, adapter in enumerate(facts["adapters"]):
        told = Text.assemble(printable(adapter["name"]), (f"  {adapter['state']}", STYLE_OF_STATE[adapter["state"]]))
        table.add_row("adapters" if place == 0 else "", told)
    table.add_row("on disk", f"{facts['bytes'] / 2**20:,.1f} MiB")
    show(table)
