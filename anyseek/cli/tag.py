"""``anyseek tag``: say in words what is in the media, so that filters can use it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..filters import Condition
from .exits import Exit
from .filter_options import with_filters
from .options import DeviceOption, JsonOption, LibraryOption, named_path
from .output import MARK_OF, STYLE_OF, link, note, plain_table, print_json, printable, show, timecode
from .progress import drawn, stop_on_interrupt

if TYPE_CHECKING:
    from ..tagging.report import Tag, TaggedAsset, TagReport

__all__ = ["tag"]

MOST_STRETCHES = 3
MOST_LABELS = 30


@with_filters
def tag(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", parser=named_path, help="Files and folders of the library; all of it when left out.", show_default=False
        ),
    ] = None,
    vocabulary: Annotated[
        str, typer.Option("--vocabulary", "-V", metavar="FILE|builtin", help="The labels: a text file with one on each line, or builtin.")
    ] = "builtin",
    min_relevance: Annotated[
        float | None, typer.Option("--min-relevance", metavar="X", help="How sure a tag must be, from 0 to 1 (0.5).", show_default=False)
    ] = None,
    max_tags: Annotated[
        int | None, typer.Option("--max-tags", min=1, metavar="N", help="Most tags of one file (5).", show_default=False)
    ] = None,
    redo: Annotated[bool, typer.Option("--redo", help="Also files that were tagged in just this way before.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the tags by this vocabulary instead.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, metavar="N", help="Most files to list; --json lists all.")] = 20,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    where: Condition | None = None,
) -> None:
    """Tag what is seen and heard with the labels of a vocabulary; --tag and  --filter tag:dog  find it.

    Ctrl-C stops after the piece in hand; what was done is kept. Exit code 1 says that no file has a tag.
    """
    from ..encoders.protocol import EncoderSettings
    from ..library import Library
    from ..tagging.report import LEAST, MOST_TAGS, TagOptions

    least = LEAST if min_relevance is None else min_relevance
    options = TagOptions(least, MOST_TAGS if max_tags is None else max_tags, where, redo=redo, dry_run=dry_run)
    settings = EncoderSettings(device=device)
    Library.open(library, readonly=True).close()  # so that a wrong name makes no library
    with Library.open(library, readonly=dry_run, settings=settings) as opened, stop_on_interrupt() as stop, drawn("tagging") as told:
        if remove:
            report = opened.untag(*(paths or ()), vocabulary=vocabulary, options=options)
        else:
            on_tagging = partial(told, "tagging")
            report = opened.tag(*(paths or ()), vocabulary=vocabulary, options=options, on_tagging=on_tagging, stop=stop)
    if as_json:
        print_json(_as_json(report))
    else:
        _show(report, limit, removing=remove)
    if report.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    if not report.counts:
        raise typer.Exit(Exit.NO_HITS)


def _as_json(report: TagReport) -> dict[str, Any]:
    return {
        "vocabulary": report.vocabulary,
        "labels": report.labels,
        "models": list(report.spaces),
        "dry_run": report.dry_run,
        "removed": report.removed,
        "interrupted": report.interrupted,
        "notes": list(report.notes),
        "counts": dict(report.counts.most_common()),
        "assets": [_asset_as_json(asset) for asset in report.assets],
    }


def _asset_as_json(asset: TaggedAsset) -> dict[str, Any]:
    return {
        "path": asset.path,
        "kind": asset.kind.value,
        "unchanged": asset.unchanged,
        "tags": [
            {
                "tag": one.text,
                "confidence": one.confidence,
                "stretches": [
                    {"start_ms": stretch.start_ms, "end_ms": stretch.end_ms, "confidence": stretch.confidence} for stretch in one.stretches
                ],
            }
            for one in asset.tags
        ],
    }


def _show(report: TagReport, limit: int, *, removing: bool) -> None:
    tagged = [asset for asset in report.assets if asset.tags]
    show(_headline(report, len(tagged), removing=removing))
    if tagged[:limit]:
        table = plain_table(padding=(0, 2, 0, 0))
        for options in ({"no_wrap": True}, {"overflow": "fold"}, {"overflow": "fold"}):
            table.add_column(**options)
        for asset in tagged[:limit]:
            table.add_row(Text(MARK_OF[asset.kind], style=STYLE_OF[asset.kind]), link(asset.path), _told(asset.tags))
        show(table)
    if len(tagged) > limit:
        show(Text(f"… and {len(tagged) - limit:,} more files: list them with  --limit", style="dim"))
    common = report.counts.most_common(MOST_LABELS)
    if common:
        more = len(report.counts) - len(common)
        listed = ", ".join(f"{printable(text)} {count:,}" for text, count in common)
        show(Text.assemble(("\nby tag  ", "dim"), listed, (f", and {more:,} more tags" if more else "", "dim")))
    for message in report.notes:
        note(message)
    if report.interrupted:
        note("stopped before the end: what was tagged is kept, and the next run goes on from there")


def _headline(report: TagReport, tagged: int, *, removing: bool) -> Text:
    files = f"{len(report.assets):,} file{'s' if len(report.assets) != 1 else ''}"
    if removing:
        return Text(f"{report.removed:,} tags of {files} {'would be' if report.dry_run else 'were'} removed", style="bold")
    unchanged = sum(asset.unchanged for asset in report.assets)
    told = f"   {report.labels:,} labels of {printable(report.vocabulary)}, asked of {' and '.join(map(printable, report.spaces))}"
    known = f"; {unchanged:,} were tagged before" if unchanged else ""
    would = " would" if report.dry_run else ""
    return Text.assemble((f"{tagged:,} of {files}{would} have tags", "bold"), (f"{told}{known}", "dim"))


def _told(tags: tuple[Tag, ...]) -> Text:
    text = Text()
    for place, one in enumerate(tags):
        stretches = ", ".join(f"{timecode(at.start_ms)} – {timecode(at.end_ms)}" for at in one.stretches[:MOST_STRETCHES])
        more = " …" if len(one.stretches) > MOST_STRETCHES else ""
        text.append(", " if place else "")
        text.append(printable(one.text), "bold")
        text.append(f" {one.confidence:.2f}{f' at {stretches}{more}' if stretches else ''}", "dim")
    return text
