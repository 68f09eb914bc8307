"""The plots of a report, as SVG that takes its colour of ink from the page, so that it can be read on dark and on light."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import MissingExtra
from .course import Evaluated
from .results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "check_plots_installed", "draw_svg", "plot_relevance", "plot_success"]

INK = "#010203"
"""Stands for the page's colour of text until the SVG is written."""
COLOURS = ("#2f81f7", "#d9730d", "#2da44e", "#a475f9", "#cf222e", "#6e7781")
BINS = 20
SIZE = (5.4, 3.0)


def check_plots_installed(extra: str = "eval") -> None:
    """See that what draws is there, before long work.

    Args:
        extra: What to install if it is not.

    Raises:
        MissingExtra: It is not.
    """
    for package in ("matplotlib", "jinja2"):
        if find_spec(package) is None:
            raise MissingExtra(package, extra)


def plot_success(evaluated: Sequence[Evaluated], depth: int) -> str:
    """The share of good queries with a right answer among the first k, for every k up to `depth`."""

    def draw(axes: Axes) -> None:
        ks = np.arange(1, depth + 1)
        for number, each in enumerate(evaluated):
            ranks = np.array([result.rank or np.inf for result in each.results if result.question.is_good])
            shares = (ranks[:, None] <= ks).mean(axis=0) if len(ranks) else np.zeros(depth)
            axes.step(ks, shares, where="post", color=COLOURS[number % len(COLOURS)], label=each.configuration.name)
        axes.set(xlabel="k", ylabel="queries answered within k", xscale="log", ylim=(0, 1.02), xlim=(1, depth))
        axes.xaxis.set_major_formatter("{x:g}")

    return draw_svg(draw, "success", "lower right")


def plot_relevance(results: Sequence[Result], name: str) -> str:
    """How relevant the first hits were said to be: those that are right, those that are wrong, and those where nothing is right."""
    groups: dict[str, list[float]] = {"right": [], "wrong": [], "nothing is right": []}
    for result in results:
        if result.found:
            sort = "nothing is right" if result.question.is_absent else "right" if result.found[0].truth is not None else "wrong"
            groups[sort].append(result.found[0].relevance)
    colours = {"right": COLOURS[2], "wrong": COLOURS[4], "nothing is right": COLOURS[5]}

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        there = {sort: values for sort, values in groups.items() if values}
        labels = [f"{sort} ({len(values)})" for sort, values in there.items()]
        axes.hist(
            list(there.values()), bins=BINS, range=(0, 1), stacked=True, color=[colours[sort] for sort in there], label=labels
        )  # fmt: skip
        axes.set(xlabel="relevance of the first hit", ylabel="queries", xlim=(0, 1))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))

    return draw_svg(draw, f"relevance {name}", "upper left")


def draw_svg(draw: Callable[[Axes], None], salt: str, legend: Literal["lower right", "upper left", "upper right"]) -> str:
    """Draw one pair of axes. The salt keeps the ids of several SVGs in one page apart."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    inks = dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK)
    style: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": salt, "font.family": "sans-serif", "font.size": 10, **inks}
    with rc_context(style):
        figure = Figure(figsize=SIZE, layout="constrained", facecolor="none")
        canvas: Any = FigureCanvasSVG(figure)  # its print_svg is not typed
        axes = figure.subplots()
        axes.set_facecolor("none")
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            axes.legend(handles, labels, frameon=False, loc=legend)
        written = io.BytesIO()
        canvas.print_svg(written, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = written.getvalue().decode("utf-8")
    return text[text.index("<svg") :].replace(INK, "currentColor")
