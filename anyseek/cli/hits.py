"""How hits are shown: as a table, as JSON, or as bare paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..types import Kind
from .exits import Exit
from .output import MARK_OF, STYLE_OF, bar, link, note, plain_table, print_json, printable, show, timecode, write_paths
from .timings import show_timings

if TYPE_CHECKING:
    from ..search.engine import Answer, Hit

__all__ = ["PathsOption", "Print0Option", "finish"]

PathsOption = Annotated[bool, typer.Option("--paths", "-p", help="Print bare paths, one per line.")]
Print0Option = Annotated[bool, typer.Option("--print0", "-0", help="Print bare paths, each followed by a NUL.")]


def finish(answer: Answer, question: str, *, as_json: bool, as_paths: bool, nul: bool, timings: bool = False) -> None:
    """Show an answer and end the command: with code 1 when it is empty."""
    if as_json:
        print_json(answer_as_json(answer, question, timings=timings))
    elif as_paths or nul:
        write_paths([hit.path for hit in answer], nul=nul)
    else:
        show_table(answer, question)
    if not as_json:
        for message in answer.notes:
            note(message)
        if timings:
            show_timings(answer.timings)
    if not len(answer):
        raise typer.Exit(Exit.NO_HITS)


def answer_as_json(answer: Answer, question: str, *, timings: bool = False) -> dict[str, Any]:
    """An answer as the JSON that ``--json`` prints."""
    taken = {"timings": {stage: round(taken, 1) for stage, taken in answer.timings.items()}} if timings else {}
    return {
        "query": question,
        "searched": answer.searched,
        "took_ms": round(answer.took_ms, 1),
        **taken,
        "spaces": list(answer.spaces),
        "notes": list(answer.notes),
        "hits": [_hit_as_json(hit) for hit in answer],
    }


def _hit_as_json(hit: Hit) -> dict[str, Any]:
    info = hit.info
    return {
        "path": hit.path,
        "kind": hit.kind.value,
        "score": round(hit.score, 4),
        "cosine": round(hit.cosine, 4),
        "space": hit.space,
        "bridge": hit.bridge,
        "start_ms": hit.start_ms,
        "end_ms": hit.end_ms,
        "best_ms": hit.best_ms,
        "signals": list(hit.signals),
        "moments": [
            {
                "start_ms": moment.start_ms,
                "end_ms": moment.end_ms,
                "best_ms": moment.best_ms,
                "score": round(moment.score, 4),
                "signals": list(moment.signals),
            }
            for moment in hit.moments
        ],
        "asset_id": hit.asset_id,
        "width": info.width,
        "height": info.height,
        "duration_ms": info.duration_ms,
        "format": info.format,
        "bytes": info.size,
        "captured_at": hit.captured.at.isoformat(),
        "captured_from": hit.captured.origin,
        "camera": info.camera,
        "latitude": info.latitude,
        "longitude": info.longitude,
        "title": info.title,
        "artist": info.artist,
        "rating": info.rating,
        "keywords": list(info.keywords),
    }


def show_table(answer: Answer, question: str) -> None:
    """Show hits as a table, with bars that are as long as the scores are high."""
    hits = f"{len(answer)} hit{'s' if len(answer) != 1 else ''}" if len(answer) else "nothing found"
    show(Text.assemble((printable(question), "bold"), (f"   {hits} among {answer.searched:,} segments, {answer.took_ms:.0f} ms", "dim")))
    table = plain_table(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim")
    for _ in ("score", "kind"):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    told = _told_apart(answer.spaces)
    if told:
        table.add_column(style="dim")
    best = max((hit.score for hit in answer), default=0.0)
    for place, hit in enumerate(answer, start=1):
        style = STYLE_OF[hit.kind]
        length = hit.score / best if best > 0 else 0.0
        score = Text.assemble((bar(length), style), f" {hit.score:.2f}")
        found_in = [printable(told[hit.space]) + (" by bridge" if hit.bridge else "")] if told else []
        table.add_row(str(place), score, Text(MARK_OF[hit.kind], style=style), link(hit.path), _where(hit), *found_in)
    if len(answer):
        show(table)


def _where(hit: Hit) -> Text:
    if hit.start_ms is None or hit.end_ms is None:
        return Text()
    signals = f" {' and '.join(hit.signals)}" if hit.kind is Kind.VIDEO else ""
    more = f", {len(hit.moments) - 1} more" if len(hit.moments) > 1 else ""
    return Text.assemble((f"{timecode(hit.start_ms)} – {timecode(hit.end_ms)}", "bold"), (f"{signals}{more}", "dim"))


def _told_apart(specs: Sequence[str]) -> dict[str, str]:
    """Short names of several spaces: their back-ends where that tells them apart; nothing to tell where there is one."""
    backends = {spec: spec.partition(":")[0] for spec in specs}
    names = backends if len(set(backends.values())) == len(specs) else {spec: spec for spec in specs}
    return names if len(specs) > 1 else {}
