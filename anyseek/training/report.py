"""A training as one HTML page that needs nothing else: no script, no request."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import BadInput
from ..evaluation.plots import check_plots_installed
from .outcome import TrainReport
from .plots import plot_before_and_after, plot_classes, plot_loss, plot_recall
from .rows import COLUMNS, change_rows, class_rows, data_rows, figure_rows

__all__ = ["report_page", "write_report"]

TEMPLATE = "report.html.j2"
MOST_CLASSES = 500
SEVERAL = 3


def write_report(report: TrainReport, path: Path) -> None:
    """Write the page.

    Raises:
        BadInput: It cannot be written there.
        MissingExtra: A package is not installed.
    """
    page = report_page(report)
    try:
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise BadInput(f"{path}: the report cannot be written there ({error.strerror}): name another file") from error


def report_page(report: TrainReport) -> str:
    """The page as text. Whatever classes and files are called is text in it, and never markup.

    Raises:
        MissingExtra: A package is not installed.
    """
    check_plots_installed("train")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        autoescape=True, loader=PackageLoader(__package__, "."), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    judgement = report.judgement
    plots = []
    if len(report.epochs) > 1:
        plots += [(plot_loss(report.epochs), "Loss by epoch")]
        plots += [(plot_recall(report.epochs, report.best_epoch), "Recall of the validation part by epoch; the dot is what is kept")]
    if judgement is not None:
        plots.append(
            (plot_before_and_after(judgement.overall), "Held-out queries before and after; lines are 95 % intervals of the change")
        )
        if len(judgement.classes) >= SEVERAL:
            plots.append((plot_classes(judgement.classes, "recall@10"), "Classes by their recall, the worst first"))
    return environment.get_template(TEMPLATE).render(
        report=report,
        columns=COLUMNS,
        data=data_rows(report.data),
        plots=plots,
        rows=[] if judgement is None else figure_rows(judgement),
        changes=[] if judgement is None else change_rows(judgement.overall),
        classes=[] if judgement is None else class_rows(judgement, MOST_CLASSES),
        settings=[(name, json.dumps(value, ensure_ascii=False)) for name, value in report.settings.items()],
    )
