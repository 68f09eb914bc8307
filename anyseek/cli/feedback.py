"""``anyseek feedback``: what you thought of answers, kept in the library and nowhere else. Each sub-command is one function."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from .answer_options import SessionOption
from .exits import Exit
from .options import JsonOption, LibraryOption
from .output import link, note, plain, plain_table, print_json, printable, said, show, timecode

if TYPE_CHECKING:
    from ..library import Library
    from ..search.references import Reference
    from ..storage.catalog import FeedbackRow, Verdict

__all__ = ["feedback", "forget", "like", "list_feedback", "open_hit", "reject", "status", "switch_off", "switch_on"]

feedback = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})

STYLES = {"liked": "green", "rejected": "red", "opened": "dim"}

AnswersArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE[@TIME[-TIME]]...", help="Answers: files of the library, or moments of them: film.mp4@0:12-0:18.", show_default=False
    ),
]
QueryOption = Annotated[
    str | None, typer.Option("--query", "-q", metavar="TEXT", help="What was asked, in the same words.", show_default=False)
]
SimilarOption = Annotated[
    str | None,
    typer.Option(
        "--similar-to", metavar="FILE[@TIME[-TIME]]", help="What was asked: what is like this file of the library.", show_default=False
    ),
]
BeforeOption = Annotated[
    datetime | None,
    typer.Option(
        "--before",
        metavar="DATE",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        help="Only what is older, in UTC: 2024-05-17 or 2024-05-17T18:30.",
        show_default=False,
    ),
]


@feedback.callback(invoke_without_command=True)
def _feedback(context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Record which answers you liked, rejected or opened, so that a search can go by it; off until it is switched on.

    It stays in the library, and what is forgotten is gone. Use it with  anyseek search --session.
    """
    if context.invoked_subcommand is None:
        status(library, as_json=as_json)


@feedback.command("status")
def status(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Say whether feedback is recorded, and how much there is of it."""
    from ..library import Library

    with Library.open(library, readonly=True) as opened:
        enabled, counts, sessions = opened.feedback_enabled, opened.catalog.feedback_counts(), opened.catalog.feedback_sessions()
    if as_json:
        print_json(
            {"enabled": enabled, **{verdict: counts.get(verdict, 0) for verdict in ("liked", "rejected", "opened")}, "sessions": sessions}
        )
        return
    there = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in ("liked", "rejected", "opened") if verdict in counts)
    of_sessions = f" in {len(sessions):,} session{'s' if len(sessions) != 1 else ''}" if sessions else ""
    show(
        Text.assemble((f"feedback is {'on' if enabled else 'off'}", "bold"), (f"   {there or 'nothing was recorded'}{of_sessions}", "dim"))
    )
    if not enabled:
        said().print(plain("  switch it on with  anyseek feedback on", "dim"), soft_wrap=True)


@feedback.command("on")
def switch_on(library: LibraryOption = None) -> None:
    """Let feedback be recorded in this library."""
    with _opened(library) as opened:
        opened.enable_feedback()
    said().print("[green]✓[/] feedback is recorded from now on, in this library and nowhere else")


@feedback.command("off")
def switch_off(library: LibraryOption = None) -> None:
    """Record no more; what was recorded stays until  anyseek feedback forget."""
    with _opened(library) as opened:
        opened.enable_feedback(False)
        left = sum(opened.catalog.feedback_counts().values())
    said().print("[green]✓[/] feedback is recorded no more")
    if left:
        note(f"what was recorded stays ({left:,}): forget it with  anyseek feedback forget --all")


@feedback.command()
def like(
    answers: AnswersArgument,
    query: QueryOption = None,
    similar_to: SimilarOption = None,
    session: SessionOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that answers to a query were good; the last verdict on an answer counts."""
    _record("liked", answers, query, similar_to, session, library, as_json=as_json)


@feedback.command()
def reject(
    answers: AnswersArgument,
    query: QueryOption = None,
    similar_to: SimilarOption = None,
    session: SessionOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that answers to a query were wrong; the last verdict on an answer counts."""
    _record("rejected", answers, query, similar_to, session, library, as_json=as_json)


@feedback.command("open")
def open_hit(
    answers: AnswersArgument,
    query: QueryOption = None,
    similar_to: SimilarOption = None,
    session: SessionOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that answers to a query were looked at; for programs that show hits. It replaces no like and no rejection."""
    _record("opened", answers, query, similar_to, session, library, as_json=as_json)


@feedback.command("list")
def list_feedback(
    session: SessionOption = None,
    query: QueryOption = None,
    similar_to: SimilarOption = None,
    before: BeforeOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was recorded, the oldest first; exit code 1 says that there is nothing."""
    from ..library import Library

    with Library.open(library, readonly=True) as opened:
        rows = opened.feedback(session=session, query=_query_of(query, similar_to), before=before)
    if as_json:
        print_json({"feedback": [_row_as_json(row) for row in rows]})
    elif rows:
        _show(rows)
    else:
        narrowed = any(given is not None for given in (session, query, similar_to, before))
        note("nothing like this was recorded" if narrowed else "nothing was recorded")
    if not rows:
        raise typer.Exit(Exit.NO_HITS)


@feedback.command()
def forget(
    everything: Annotated[bool, typer.Option("--all", help="All of it.")] = False,
    session: SessionOption = None,
    query: QueryOption = None,
    similar_to: SimilarOption = None,
    before: BeforeOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget what was recorded, all of it or what is like everything that is named, for good; asks before. Exit code 1: nothing was."""
    from ..errors import BadInput

    asked = _query_of(query, similar_to)
    if everything == any(given is not None for given in (session, asked, before)):
        raise BadInput("say what to forget: --all, or what is to be like --session, --query, --similar-to or --before")
    with _opened(library) as opened:
        found = len(opened.feedback(session=session, query=asked, before=before))
        wanted = found > 0 and (yes or _is_sure(found))
        forgotten = opened.forget_feedback(session=session, query=asked, before=before, everything=everything) if wanted else 0
    if as_json:
        print_json({"forgotten": forgotten})
    elif forgotten:
        said().print(f"[green]✓[/] {_verdicts(forgotten)} forgotten")
    else:
        note("nothing was forgotten" if found else "there is nothing to forget")
    if not forgotten:
        raise typer.Exit(Exit.NO_HITS)


def _record(
    verdict: Verdict,
    answers: list[str],
    query: str | None,
    similar_to: str | None,
    session: str | None,
    library: Path | None,
    *,
    as_json: bool,
) -> None:
    from ..errors import BadInput
    from ..library.liking import DEFAULT_SESSION

    asked = _query_of(query, similar_to)
    if asked is None:
        raise BadInput(f"say which query it was {verdict} as an answer to:  --query TEXT  or  --similar-to FILE")
    place = session if session is not None else DEFAULT_SESSION
    with _opened(library) as opened:
        opened.record_feedback(asked, answers, verdict, session=place)
    if as_json:
        print_json({"verdict": verdict, "query": str(asked), "session": place, "answers": answers})
        return
    said().print(
        Text.assemble(
            ("✓ ", "green"), f"{verdict} as answers to  {printable(str(asked))}  in the session {printable(place)}: {len(answers)}"
        )
    )


def _query_of(query: str | None, similar_to: str | None) -> str | Reference | None:
    from ..errors import BadInput
    from ..search.references import Reference

    if query is not None and similar_to is not None:
        raise BadInput("a query is either of words or of a file: leave out --query or --similar-to")
    return query if similar_to is None else Reference.read(similar_to)


def _opened(path: Path | None) -> Library:
    """Open a library that is there, for opening another one would make it."""
    from ..library import Library

    Library.open(path, readonly=True).close()
    return Library.open(path)


def _is_sure(found: int) -> bool:
    try:
        return typer.confirm(f"forget {_verdicts(found)}?", err=True)
    except typer.Abort:  # there is nobody to ask
        return False


def _verdicts(count: int) -> str:
    return f"{count:,} verdict{'s' if count != 1 else ''}"


def _row_as_json(row: FeedbackRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "session": row.session,
        "query": row.query,
        "query_kind": row.query_kind,
        "path": row.path,
        "start_ms": row.start_ms,
        "end_ms": row.end_ms,
        "verdict": row.verdict,
    }


def _show(rows: list[FeedbackRow]) -> None:
    table = plain_table(padding=(0, 2, 0, 0))
    for title, options in (
        ("when (UTC)", {"no_wrap": True, "style": "dim"}),
        ("session", {"overflow": "fold"}),
        ("query", {"overflow": "fold"}),
        ("verdict", {"no_wrap": True}),
        ("answer", {"overflow": "fold", "min_width": 20}),
        ("", {"no_wrap": True}),
    ):
        table.add_column(title, **options)
    table.show_header = True
    for row in rows:
        asked = plain(row.query) if row.query_kind == "text" else _asked(row.query)
        answer = Text("lies nowhere now", "dim") if row.path is None else link(row.path)
        moment = f"{timecode(row.start_ms)} – {timecode(row.end_ms)}" if row.end_ms else ""
        table.add_row(f"{row.at:%Y-%m-%d %H:%M}", plain(row.session), asked, Text(row.verdict, STYLES[row.verdict]), answer, moment)
    show(table)


def _asked(reference: str) -> Text:
    """A query by something of the library, by its file's name."""
    from ..search.references import Reference, reference_to

    if not reference:
        return Text("a file that lies nowhere now", "dim")
    read = Reference.read(reference)
    return plain(f"like {reference_to(Path(read.path.name), read.start_ms, read.end_ms)}")
