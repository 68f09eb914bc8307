"""An evaluation as one HTML page that needs nothing else: no script, no request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ..errors import BadInput
from .columns import columns, difference_rows, group_rows, meanings, told_difference
from .course import Evaluation
from .judged import Stretch
from .plots import check_plots_installed, plot_relevance, plot_success
from .results import Result

__all__ = ["misses_first", "report_page", "write_report"]

TEMPLATE = "report.html.j2"
MOST_ROWS = 500
MOST_FOUND = 5


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Write the page.

    Raises:
        BadInput: It cannot be written there.
        MissingExtra: A package is not installed.
    """
    page = report_page(evaluation)
    try:
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise BadInput(f"{path}: the report cannot be written there ({error.strerror}): name another file") from error


def report_page(evaluation: Evaluation) -> str:
    """The page as text. Whatever files and queries are called is text in it, and never markup.

    Raises:
        MissingExtra: A package is not installed.
    """
    check_plots_installed()
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        autoescape=True, loader=PackageLoader(__package__, "."), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    environment.filters |= {"place": _place, "rank": _rank}
    shown = columns(evaluation)
    return environment.get_template(TEMPLATE).render(
        evaluation=evaluation,
        columns=shown,
        meanings=meanings(shown),
        groups=group_rows(evaluation.evaluated),
        differences=difference_rows(evaluation.evaluated, shown),
        told=told_difference,
        success=plot_success(evaluation.evaluated, evaluation.settings.depth),
        relevance=[plot_relevance(each.results, each.configuration.name) for each in evaluation.evaluated],
        rows=[misses_first(each.results)[:MOST_ROWS] for each in evaluation.evaluated],
        most_found=MOST_FOUND,
    )


def misses_first(results: Sequence[Result]) -> list[Result]:
    """Results in the order in which somebody who wants to mend something should read them.

    First what could not be asked, then what was not found or stands far down, then what was refused or wrongly shown.
    """

    def badness(result: Result) -> tuple[bool, float, bool]:
        rank = (result.rank or math.inf) if result.question.is_good else 1.0
        return result.problem is not None, rank, result.refused is not result.question.is_absent

    return sorted(results, key=badness, reverse=True)


def _place(path: Path, stretches: Sequence[Stretch] = ()) -> str:
    """A file and where in it, as short as it can be told apart."""
    times = ", ".join(f"{stretch.start_ms / 1000:g}–{stretch.end_ms / 1000:g} s" for stretch in stretches)
    return f"{path.parent.name}/{path.name}" + (f" @ {times}" if times else "")


def _rank(result: Result) -> str:
    return "" if not result.question.is_good else "–" if result.rank is None else str(result.rank)
