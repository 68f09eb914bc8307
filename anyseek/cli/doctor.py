"""``anyseek doctor``: verify the library, and mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from .exits import Exit
from .options import JsonOption, LibraryOption
from .output import link, plain, print_json, show, wait_for

if TYPE_CHECKING:
    from ..storage.doctor import Report

__all__ = ["doctor"]

STYLES = {"error": "red", "warning": "yellow", "info": "dim"}


def doctor(
    library: LibraryOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is found, after a backup; nothing is lost by it.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Write the index anew from the catalog in any case.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify catalog and index against each other and say what to do; exit code 4 says that something needs attention."""
    from ..library import Library

    with wait_for("examining the library"):
        report = Library.examine(library, repair=repair, rebuild=rebuild)
    if as_json:
        print_json(_as_json(report))
    else:
        _show(report)
    if not report.healthy:
        raise typer.Exit(Exit.LIBRARY)


def _as_json(report: Report) -> dict[str, Any]:
    findings = [
        {"code": finding.code, "severity": finding.severity.value, "text": finding.text, "remedy": finding.remedy}
        for finding in report.findings
    ]
    return {"healthy": report.healthy, "findings": findings, "repaired": report.repaired, "backup": report.backup}


def _show(report: Report) -> None:
    for deed in report.repaired:
        show(Text.assemble(("mended   ", "green"), plain(deed)), wrap=False)
    if report.backup is not None:
        show(Text.assemble(("backup   ", "dim"), link(report.backup)), wrap=False)
    for finding in report.findings:
        severity = finding.severity.value
        show(Text.assemble((f"{severity:<8} ", STYLES[severity]), plain(finding.text)), wrap=False)
        if finding.remedy:
            show(plain(f"         {finding.remedy}", "dim"), wrap=False)
    if report.healthy:
        show("[green]✓[/] catalog and index agree")
