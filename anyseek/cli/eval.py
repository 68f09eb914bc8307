"""``anyseek eval``: how well a library answers judged queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import BadInput
from .evaluated import show_evaluation
from .exits import Exit
from .options import BridgeOption, DeviceOption, IndexDeviceOption, JsonOption, LibraryOption, as_bridge, named_path
from .output import note, print_json
from .progress import drawn

if TYPE_CHECKING:
    from ..evaluation.course import Evaluation
    from ..evaluation.judged import JudgedQueries, JudgedQuery

__all__ = ["evaluate"]

NAMED_FEW = 3


def evaluate(
    queries: Annotated[
        Path, typer.Argument(metavar="QUERIES", parser=named_path, help="A file of judged queries, or of captions as COCO has them.")
    ],
    compare: Annotated[
        list[str] | None,
        typer.Option(
            "--compare",
            "-c",
            metavar="NAME=VALUE,VALUE",
            help="Compare fusion=mean,agreement,weighted,network,max,rrf, calibration=on,off, bridge=ridge,labels, adapter=off,on,NAME or "
            "models of the library: model=A,B,A+B.",
            show_default=False,
        ),
    ] = None,
    k: Annotated[str, typer.Option("--k", metavar="K,K", help="How many of the first hits count.")] = "1,5,10",
    depth: Annotated[int, typer.Option("--depth", min=1, metavar="N", help="How many hits of each query are looked at.")] = 100,
    min_relevance: Annotated[
        float | None,
        typer.Option(
            "--min-relevance",
            metavar="X",
            help="Take less relevant hits for not shown when counting refusals; else the library's own cut.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="KIND[:TARGET]", help="Only queries asked with this, such as text or text:video.", show_default=False
        ),
    ] = None,
    limit_queries: Annotated[
        int | None, typer.Option("--limit-queries", min=1, metavar="N", help="Only N of the queries, spread evenly.", show_default=False)
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root",
            metavar="DIR",
            parser=named_path,
            help="Paths in the queries may be relative to this folder, too, beside that of QUERIES and those of the library.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", parser=named_path, help="Write a report with plots.", show_default=False)
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            metavar="FILE",
            parser=named_path,
            help="Write a TREC run, and FILE.qrels beside it, for other tools.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    index_device: IndexDeviceOption = "auto",
    bridge: BridgeOption = "ridge",
) -> None:
    """Ask the library judged queries and measure how well it answers, also in several ways side by side.

    Exit code 3 says that some queries could not be asked. See docs/evaluation.md for the format of QUERIES and for what is measured.
    """
    from ..encoders.protocol import EncoderSettings
    from ..evaluation.configurations import configurations
    from ..evaluation.course import Settings
    from ..evaluation.course import evaluate as measure
    from ..evaluation.formats import read_queries
    from ..evaluation.plots import check_plots_installed
    from ..library import Library

    for file in (html, run):
        if file is not None and not file.absolute().parent.is_dir():
            raise BadInput(f"{file}: there is no folder {file.parent} to write to: make it, or name another file")
    if html is not None:
        check_plots_installed()
    settings = Settings(_cutoffs(k), depth, min_relevance)
    judged = chosen(read_queries(queries), only or [], limit_queries)
    encoders = EncoderSettings(device=device)
    with Library.open(library, readonly=True, settings=encoders, index_device=index_device, bridge=as_bridge(bridge)) as opened:
        compared = configurations(compare or [], opened)
        with drawn("reading the questions") as told:
            evaluation = measure(
                opened, judged, compared, settings, roots=root or (), on_question=lambda name, *counts: told(f"asking, {name}", *counts)
            )
    _write(evaluation, html, run)
    _show(evaluation, as_json=as_json)
    if evaluation.has_problems:
        raise typer.Exit(Exit.SOME_FAILED)


def chosen(judged: JudgedQueries, only: Sequence[str], limit: int | None) -> JudgedQueries:
    """Leave out queries that are not wanted.

    Args:
        judged: All of them.
        only: What they are asked with, and after a colon what for; all when empty.
        limit: How many to leave, spread evenly over the file; all when None.

    Raises:
        BadInput: None is left.
    """
    left = [query for query in judged.queries if not only or any(_is_asked(query, each) for each in only)]
    if not left:
        there = ", ".join(dict.fromkeys(f"{query.kind}:{query.target}" for query in judged.queries))
        raise BadInput(f"{judged.path}: no query is asked with {' or '.join(only)}: there are {there}")
    if limit is not None and limit < len(left):
        left = [left[place * len(left) // limit] for place in range(limit)]
    return replace(judged, queries=tuple(left))


def _is_asked(query: JudgedQuery, kind: str) -> bool:
    asked, _, target = kind.partition(":")
    return query.kind == asked and target in ("", query.target)


def _cutoffs(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} are no numbers: write them as  --k 1,5,10") from None


def _write(evaluation: Evaluation, html: Path | None, run: Path | None) -> None:
    from ..evaluation.report import write_report
    from ..evaluation.trec import write_trec

    if run is not None:
        for number, each in enumerate(evaluation.evaluated, 1):
            file = run if number == 1 else run.with_name(f"{run.stem}.{number}{run.suffix}")
            write_trec(each.results, file, each.configuration.name)
    if html is not None:
        write_report(evaluation, html)


def _show(evaluation: Evaluation, *, as_json: bool) -> None:
    from ..evaluation.document import as_document

    if as_json:
        return print_json(as_document(evaluation))
    show_evaluation(evaluation)
    for message in evaluation.notes:
        note(message)
    if evaluation.missing:
        paths = list(dict.fromkeys(missing.path for missing in evaluation.missing))
        more = f" and {len(paths) - NAMED_FEW:,} more" if len(paths) > NAMED_FEW else ""
        note(
            f"not in the library, though right: {', '.join(paths[:NAMED_FEW])}{more}; {len(evaluation.unjudged):,} queries have no other "
            "right answer and were left out"
        )
    for each in evaluation.evaluated:
        for result in each.results:
            if result.problem is not None:
                note(f"query {result.question.judged.id!r} could not be asked ({each.configuration.name}): {result.problem}")
    return None
