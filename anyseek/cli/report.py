"""How the report of an indexing run is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from .exits import Exit
from .options import library_option
from .output import link, note, plain, plain_table, print_json, said

if TYPE_CHECKING:
    from ..indexer.report import IndexReport

__all__ = ["finish"]

SHOWN_FAILURES = 5


def finish(report: IndexReport, folder: Path, *, as_json: bool) -> None:
    """Show what a run did and end the command with the code that says so."""
    if as_json:
        print_json(report_as_json(report, folder))
    else:
        show_report(report, folder)
    if report.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    if report.failed:
        raise typer.Exit(Exit.SOME_FAILED)


def report_as_json(report: IndexReport, folder: Path) -> dict[str, Any]:
    """The report as the JSON that ``--json`` prints."""
    files = ("new", "changed", "moved", "copied", "unchanged", "filled", "removed", "kept", "failed", "still_failed")
    counts = (*files, "embedded", "joined", "purged")
    return {
        "library": folder,
        **{name: getattr(report, name) for name in counts},
        "skipped": {rule.value: count for rule, count in sorted(report.skipped.items())},
        "filled_in": dict(report.filled_in),
        "failures": [{"path": failure.path, "code": failure.code.value, "reason": failure.reason} for failure in report.failures],
        "refused": [
            {"path": refusal.path, "model": refusal.spec, "code": refusal.code.value, "reason": refusal.reason}
            for refusal in report.refused
        ],
        "changed_to": list(report.changed_to),
        "changed_from": list(report.changed_from),
        "unavailable": report.unavailable,
        "interrupted": report.interrupted,
        "seconds": round(report.seconds, 3),
        "notes": report.notes,
    }


def show_report(report: IndexReport, folder: Path) -> None:
    """Say in a few lines what a run did."""
    out = said()
    mark = ("✗ ", "bold red") if report.failed and not (report.new or report.changed or report.unchanged) else ("✓ ", "bold green")
    out.print(Text.assemble(mark, _summary(report)))
    if report.skipped:
        passed = ", ".join(f"{count:,} {rule.value}" for rule, count in report.skipped.most_common())
        out.print(plain(f"  passed over: {passed} (-v names them)", "dim"))
    for path in report.unavailable:
        note(f"{path} is not there or empty: nothing of it was removed; if that is meant, name it:  anyseek index --prune {path}")
    for message in report.notes:
        note(message)
    if report.failures:
        _show_failures([(failure.path, failure.reason) for failure in report.failures], folder)
    if report.refused:
        out.print(plain(f"  {len(report.refused):,} files are in the library, but not with every model:", "yellow"))
        _show_failures([(refusal.path, f"{refusal.spec}: {refusal.reason}") for refusal in report.refused], folder)
    if report.changed_to:
        out.print(plain(f"  {_change(report, folder)}", "bold"), soft_wrap=True)
    if report.interrupted and report.embedded:
        note("stopped: what was indexed so far can be searched, and the next run goes on from here")
    out.print(Text.assemble(("  library: ", "dim"), link(folder)))


def _summary(report: IndexReport) -> str:
    counts = [(name, getattr(report, name)) for name in ("new", "changed", "moved", "copied", "removed", "purged", "failed")]
    told = [f"{count:,} {name}" for name, count in counts if count]
    told += [f"{count:,} known embedded with {spec}" for spec, count in report.filled_in.items()]
    told += [f"{report.joined:,} moments joined"] if report.joined else []
    rest = [f"{report.unchanged:,} unchanged"] if report.unchanged else []
    if report.still_failed:
        rest.append(f"{report.still_failed:,} failed before (anyseek errors)")
    if told:
        return f"{', '.join(told + rest)}; {report.embedded:,} segments embedded in {report.seconds:.1f} s"
    if report.interrupted:
        return f"Stopped before anything was indexed ({report.seconds:.1f} s)"
    return f"Nothing to do: {', '.join([*rest, 'nothing embedded'])} ({report.seconds:.1f} s)"


def _change(report: IndexReport, folder: Path) -> str:
    took_over = f"{' and '.join(report.changed_to)} took over"
    if not report.changed_from:
        return took_over
    drop = f"anyseek models drop{library_option(folder)}"
    before = [f"other vectors of {spec}" if spec in report.changed_to else spec for spec in report.changed_from]
    return f"{took_over} from {' and '.join(before)}, whose vectors are kept until you run  {drop}"


def _show_failures(failures: list[tuple[Path, str]], folder: Path) -> None:
    table = plain_table(padding=(0, 2, 0, 0))
    for path, reason in failures[:SHOWN_FAILURES]:
        table.add_row(Text("  ✗", "red"), link(path), plain(reason, "dim"))
    said().print(table)
    more = len(failures) - SHOWN_FAILURES
    rest = f"and {more:,} more; " if more > 0 else ""
    where = library_option(folder)
    said().print(plain(f"  {rest}all of them: anyseek errors{where}; try again: anyseek errors --retry{where}", "dim"), soft_wrap=True)
