"""How hits are shown: as a table, as JSON, or as bare paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..search.references import timecode as exact_timecode
from ..types import Kind
from .exits import Exit
from .output import MARK_OF, STYLE_OF, answers, bar, link, note, plain_table, print_json, printable, show, timecode, write_paths
from .timings import show_timings

if TYPE_CHECKING:
    from ..search.engine import Answer, Hit
    from ..search.hits import Explanation

__all__ = ["PathsOption", "Print0Option", "finish"]

NARROW = 60
"""Columns of a terminal below which moments stand under their paths, which would have no room else."""

PathsOption = Annotated[bool, typer.Option("--paths", "-p", help="Print bare paths, one per line.")]
Print0Option = Annotated[bool, typer.Option("--print0", "-0", help="Print bare paths, each followed by a NUL.")]


def finish(answer: Answer, question: str, *, as_json: bool, as_paths: bool, nul: bool, timings: bool = False, moments: int = 1) -> None:
    """Show an answer, with up to some moments of each hit, and end the command: with code 1 when it is empty."""
    if as_json:
        print_json(answer_as_json(answer, question, timings=timings))
    elif as_paths or nul:
        write_paths([hit.path for hit in answer], nul=nul)
    else:
        show_table(answer, question, moments)
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
        "min_relevance": answer.min_relevance,
        "cursor": answer.cursor,
        "hits": [_hit_as_json(hit) for hit in answer],
    }


def _hit_as_json(hit: Hit) -> dict[str, Any]:
    info = hit.info
    return {
        "path": hit.path,
        "kind": hit.kind.value,
        "relevance": round(hit.relevance, 4),
        "score": round(hit.score, 4),
        "cosine": round(hit.cosine, 4),
        "bias": round(hit.bias, 4),
        "space": hit.space,
        "bridge": hit.bridge,
        "reference": hit.reference,
        **_times_as_json(hit.start_ms, hit.end_ms, hit.best_ms),
        "signals": list(hit.signals),
        "moments": [
            {
                **_times_as_json(moment.start_ms, moment.end_ms, moment.best_ms),
                "relevance": round(moment.relevance, 4),
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
        "tags": list(hit.tags),
        **({"explanation": _explanation_as_json(hit.explanation)} if hit.explanation is not None else {}),
    }


def _times_as_json(start_ms: int | None, end_ms: int | None, best_ms: int | None) -> dict[str, Any]:
    """In milliseconds, and as people write them."""
    times = {"start": start_ms, "end": end_ms, "best": best_ms}
    codes = {name: None if ms is None else exact_timecode(ms) for name, ms in times.items()}
    return {f"{name}_ms": ms for name, ms in times.items()} | codes


def _explanation_as_json(explanation: Explanation) -> dict[str, Any]:
    return {
        "asked": explanation.asked,
        "found": explanation.found,
        "space": explanation.space,
        "bridge": explanation.bridge,
        "adapter": explanation.adapter,
        "cosine": round(explanation.cosine, 4),
        "bias": round(explanation.correction, 4),
        "relevance": round(explanation.relevance, 4),
        "parts": [
            {
                "name": part.name,
                "label": part.label,
                "weight": part.weight,
                "contribution": None if part.contribution is None else round(part.contribution, 4),
                "relevance": None if part.relevance is None else round(part.relevance, 4),
            }
            for part in explanation.parts
        ],
    }


def show_table(answer: Answer, question: str, moments: int = 1) -> None:
    """Show hits as a table, with bars that are as long as the hits are relevant."""
    hits = f"{len(answer)} hit{'s' if len(answer) != 1 else ''}" if len(answer) else "nothing found"
    show(Text.assemble((printable(question), "bold"), (f"   {hits} among {answer.searched:,} segments, {answer.took_ms:.0f} ms", "dim")))
    table = plain_table(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim")
    for _ in ("relevance", "kind"):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    narrow = answers().width < NARROW
    told = _told_apart(answer.spaces)
    if told:
        table.add_column(style="dim")
    for place, hit in enumerate(answer, start=1):
        style = STYLE_OF[hit.kind]
        relevance = Text.assemble(("" if narrow else f"{bar(hit.relevance)} ", style), f"{hit.relevance:.2f}")
        found_in = [printable(told[hit.space]) + (" by bridge" if hit.bridge else "")] if told else []
        what, where = link(hit.path), _where(hit, moments)
        if narrow and where:
            what, where = what.append("\n").append_text(where), Text()
        if hit.explanation is not None:
            what.append("\n").append_text(_explained(hit.explanation))
        table.add_row(str(place), relevance, Text(MARK_OF[hit.kind], style=style), what, where, *found_in)
    if len(answer):
        show(table)
    if answer.cursor is not None:
        show(Text(f"more with  --limit {2 * len(answer)}, or on the next page:  --cursor={answer.cursor}", style="dim"), wrap=False)


def _where(hit: Hit, moments: int) -> Text:
    if hit.start_ms is None or hit.end_ms is None:
        return Text()
    lines = []
    for moment in hit.moments[:moments]:
        signals = f" {' and '.join(moment.signals)}" if hit.kind is Kind.VIDEO else ""
        relevance = f" {moment.relevance:.2f}" if moments > 1 else ""
        lines.append(Text.assemble((f"{timecode(moment.start_ms)} – {timecode(moment.end_ms)}", "bold"), (f"{relevance}{signals}", "dim")))
    rest = len(hit.moments) - moments
    if rest > 0:
        lines[-1].append(f", {rest} more", "dim")
    return Text("\n").join(lines)


def _explained(explanation: Explanation) -> Text:
    """How a hit came about, in two lines: what was measured, and what each part has to do with it."""
    bias = f" less {explanation.correction:.3f} for being near everything" if explanation.correction else ""
    crossed = f" by bridge ({explanation.bridge})" if explanation.bridge else ""
    adapted = f" through the adapter {explanation.adapter}" if explanation.adapter else ""
    measured = (
        f"{explanation.asked} → {explanation.found} in {explanation.space}{crossed}{adapted}: cosine {explanation.cosine:.3f}{bias} "
        f"→ relevance {explanation.relevance:.3f}"
    )
    parts = []
    for part in explanation.parts:
        told = [
            "" if part.contribution is None else f"{part.contribution:+.3f}",
            "" if part.relevance is None else f"relevance {part.relevance:.3f}",
        ]
        parts.append(f"{part.label or part.name}: {', '.join(filter(None, told)) or 'nothing in this space'}")
    of_parts = "\n" + " · ".join(parts) if len(parts) > 1 else ""
    return Text(printable(measured) + "".join(map(_line, of_parts.splitlines())), style="dim")


def _line(text: str) -> str:
    return f"\n{printable(text)}" if text else ""


def _told_apart(specs: Sequence[str]) -> dict[str, str]:
    """Short names of several spaces: their back-ends where that tells them apart; nothing to tell where there is one."""
    backends = {spec: spec.partition(":")[0] for spec in specs}
    names = backends if len(set(backends.values())) == len(specs) else {spec: spec for spec in specs}
    return names if len(specs) > 1 else {}
