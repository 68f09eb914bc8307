"""The plots of a training's report: how it went, and what it was good for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.plots import COLOURS, draw_svg
from .figures import Compared
from .outcome import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SHOWN", "plot_before_and_after", "plot_classes", "plot_loss", "plot_recall"]

SHOWN = ("success@1", "recall@1", "success@10", "recall@10", "mAP")
WIDTH = 0.38


def plot_loss(epochs: Sequence[Epoch]) -> str:
    """The loss by epoch."""

    def draw(axes: Axes) -> None:
        axes.plot([epoch.number for epoch in epochs], [epoch.loss for epoch in epochs], color=COLOURS[1], label="loss")
        _by_epoch(axes, "loss")

    return draw_svg(draw, "loss", "upper right")


def plot_recall(epochs: Sequence[Epoch], best: int) -> str:
    """The recall of the validation part by epoch, with a dot at the one that is kept."""

    def draw(axes: Axes) -> None:
        axes.plot([epoch.number for epoch in epochs], [epoch.recall for epoch in epochs], color=COLOURS[0], label="validation recall@10")
        kept = [epoch for epoch in epochs if epoch.number == best]
        axes.plot([epoch.number for epoch in kept], [epoch.recall for epoch in kept], "o", color=COLOURS[0])
        axes.set_ylim(0, 1.02)
        _by_epoch(axes, "recall@10")

    return draw_svg(draw, "recall", "lower right")


def plot_before_and_after(overall: Compared) -> str:
    """The figures of all held-out queries as pairs of bars, with intervals of the differences where there are some."""

    def draw(axes: Axes) -> None:
        places = np.arange(len(SHOWN))
        before, after = [overall.before.means[name] for name in SHOWN], [overall.after.means[name] for name in SHOWN]
        axes.bar(places - WIDTH / 2, before, WIDTH, color=COLOURS[5], label="before")
        axes.bar(places + WIDTH / 2, after, WIDTH, color=COLOURS[0], label="after")
        for place, name, start in zip(places, SHOWN, before, strict=True):
            interval = overall.differences.get(name)
            if interval is not None and not overall.by_answers:
                axes.plot([place + WIDTH / 2] * 2, [start + interval.low, start + interval.high], color=COLOURS[1], linewidth=2)
        axes.set_xticks(places, SHOWN)
        axes.set_ylim(0, 1.19)  # room for the legend
        axes.set_yticks(np.linspace(0, 1, 6))

    return draw_svg(draw, "before and after", "upper left")


def plot_classes(classes: Sequence[Compared], measure: str) -> str:
    """The classes, the worst first, before and after: what the mean does not show."""

    def draw(axes: Axes) -> None:
        for name, colour in (("before", COLOURS[5]), ("after", COLOURS[0])):
            values = sorted(getattr(each, name).means[measure] for each in classes)
            axes.step(np.arange(1, len(values) + 1), values, where="mid", color=colour, label=name)
        axes.set(xlabel="classes, the worst first", ylabel=measure, ylim=(0, 1.02))
        _whole(axes)

    return draw_svg(draw, f"classes {measure}", "lower right")


def _by_epoch(axes: Axes, label: str) -> None:
    axes.set(xlabel="epoch", ylabel=label)
    _whole(axes)


def _whole(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
