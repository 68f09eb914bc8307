"""``anyseek duplicates``: files that are the same, nearly the same, or alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.filesize import decimal
from rich.text import Text

from ..types import Kind
from .exits import Exit
from .filter_options import condition_of
from .options import JsonOption, Kinds, LibraryOption, as_kinds
from .output import MARK_OF, STYLE_OF, link, note, plain_table, print_json, show, timecode, write_paths
from .progress import drawn, stop_on_interrupt

if TYPE_CHECKING:
    from ..duplicates.findings import Duplicates, Group, Member

__all__ = ["duplicates"]

LEAST_PATH = 20
"""Columns that a path is given, however narrow the terminal: what stands to the right of it may be lost, it may not."""

TIER_NAMES = {"exact": "the same bytes", "near": "nearly the same", "similar": "alike"}


def duplicates(
    exact: Annotated[bool, typer.Option("--exact", help="Files of the same bytes.")] = False,
    near: Annotated[
        bool, typer.Option("--near", help="Other sizes, formats and qualities of one picture, film or sound; clips of a longer one.")
    ] = False,
    similar: Annotated[bool, typer.Option("--similar", help="Files whose vectors are close: other shots of a scene.")] = False,
    distance: Annotated[
        int | None,
        typer.Option(
            "--distance", min=0, max=15, metavar="N", help="Near pictures: how many of 64 bits may differ (7).", show_default=False
        ),
    ] = None,
    min_similarity: Annotated[
        float | None,
        typer.Option(
            "--min-similarity", metavar="X", help="Similar files: the least cosine (default: by your own files).", show_default=False
        ),
    ] = None,
    kind: Kinds = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", "-f", metavar="EXPR", help="Only files that satisfy it: 'path:Camera/** and date:2024'.", show_default=False
        ),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    paths: Annotated[bool, typer.Option("--paths", "-p", help="Print only the paths that need not be kept, one per line.")] = False,
    print0: Annotated[
        bool, typer.Option("--print0", "-0", help="Print only the paths that need not be kept, each followed by a NUL.")
    ] = False,
) -> None:
    """Find files that are the same, nearly the same or alike, and suggest which to keep; nothing is ever deleted.

    Without --exact, --near and --similar, the first two. Exit code 1 says that there are none.
    """
    from ..duplicates.findings import Tier
    from ..library import Library

    asked = {Tier.EXACT: exact, Tier.NEAR: near or distance is not None, Tier.SIMILAR: similar or min_similarity is not None}
    tiers = [tier for tier, wanted in asked.items() if wanted] or [Tier.EXACT, Tier.NEAR]
    with (
        Library.open(library, readonly=not _is_writable(library)) as opened,
        stop_on_interrupt() as stop,
        drawn("looking for copies") as on_look,
    ):
        found = opened.duplicates(
            tiers=tiers,
            kinds=as_kinds(kind),
            where=condition_of({"where_filter": where}),  # the other filters' --near is a place
            distance=distance,
            min_similarity=min_similarity,
            on_look=on_look,
            stop=stop,
        )
    _finish(found, as_json=as_json, as_paths=paths, nul=print0)


def _is_writable(library: Path | None) -> bool:
    """Whether what is found out about pictures can be kept. No library is made where there is none."""
    from ..config import default_library
    from ..storage.layout import LibraryFolder

    folder = LibraryFolder.at(library.expanduser() if library is not None else default_library())
    return folder.exists and os.access(folder.path, os.W_OK) and os.access(folder.catalog, os.W_OK)


def _finish(found: Duplicates, *, as_json: bool, as_paths: bool, nul: bool) -> None:
    if as_json:
        print_json(_as_json(found))
    elif as_paths or nul:
        write_paths([member.path for group in found for member in group.others], nul=nul)
    else:
        _show(found)
    if not as_json:
        for message in found.notes:
            note(message)
    if found.interrupted:
        note("stopped before the end: what was found until then is there, and the next run goes on from it")
        raise typer.Exit(Exit.INTERRUPTED)
    if not len(found):
        raise typer.Exit(Exit.NO_HITS)


def _as_json(found: Duplicates) -> dict[str, Any]:
    return {
        "looked_at": found.looked_at,
        "took_ms": round(found.took_ms, 1),
        "interrupted": found.interrupted,
        "notes": list(found.notes),
        "min_similarity": {kind.value: round(found.min_similarity[kind], 4) if kind in found.min_similarity else None for kind in Kind},
        "freed": sum(group.freed for group in found),
        "groups": [_group_as_json(group) for group in found],
    }


def _group_as_json(group: Group) -> dict[str, Any]:
    return {
        "tier": group.tier.value,
        "kind": group.kind.value,
        "why": group.why,
        "freed": group.freed,
        "members": [
            {
                "path": member.path,
                "asset_id": member.asset_id,
                "keep": member.keep,
                "alike": round(member.alike, 4),
                "start_ms": member.start_ms,
                "end_ms": member.end_ms,
                "bytes": member.size,
                "width": member.width,
                "height": member.height,
                "duration_ms": member.duration_ms,
            }
            for member in group.members
        ],
    }


def _show(found: Duplicates) -> None:
    others = [member for group in found for member in group.others]
    freed = decimal(sum(one.size for one in others))
    what = f"{_counted(len(found), 'group')}, {_counted(len(others), 'file')} that need not be kept, {freed}"
    show(Text.assemble((what if len(found) else "no duplicates", "bold"), (f"   among {_counted(found.looked_at, 'file')}", "dim")))
    for tier, name in TIER_NAMES.items():
        groups = [group for group in found if group.tier.value == tier]
        if groups:
            limits = f", by {_limits(found)}" if tier == "similar" else ""
            show(Text.assemble(("\n" + tier, "bold"), (f"   {name}{limits}", "dim")))
            _show_groups(groups)


def _limits(found: Duplicates) -> str:
    """From which cosines on files count as similar."""
    given = [f"{least:.2f} at least ({MARK_OF[kind].split()[-1]}s)" for kind, least in found.min_similarity.items()]
    return f"a cosine of {', '.join(given)}"


def _show_groups(groups: list[Group]) -> None:
    table = plain_table(padding=(0, 2, 0, 0))
    least = {"overflow": "fold", "min_width": LEAST_PATH}
    for options in ({"no_wrap": True}, {"no_wrap": True}, least, {"justify": "right", "no_wrap": True}):
        table.add_column(**options)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for place, group in enumerate(groups):
        if place:
            table.add_row()
        style = STYLE_OF[group.kind]
        for row, member in enumerate(group.members):
            mark = Text(MARK_OF[group.kind] if row == 0 else "", style=style)
            kept = Text("keep", style="green") if member.keep else Text()
            said_of = group.why if row == 0 else _told(member, group)
            table.add_row(mark, kept, link(member.path), _measure(member), decimal(member.size), said_of)
    show(table)


def _told(member: Member, group: Group) -> str:
    """How much it is like the first, and which part of it."""
    if member.start_ms is not None and member.end_ms is not None:
        sharper = ", in more pixels" if member.keep else ""
        return f"is {timecode(member.start_ms)} – {timecode(member.end_ms)} of it{sharper}"
    return "" if group.tier.value == "exact" else f"{member.alike:.0%} alike"


def _measure(member: Member) -> str:
    size = f"{member.width} × {member.height}" if member.width and member.height else ""
    length = timecode(member.duration_ms) if member.duration_ms is not None else ""
    return "  ".join(filter(None, (size, length)))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count != 1 else ''}"
