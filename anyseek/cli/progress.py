"""What a person sees while long work goes on, and how Ctrl-C reaches it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from .output import link, note, printable, said

if TYPE_CHECKING:
    from ..indexer.report import IndexEvent, OnEvent

__all__ = ["drawn", "stop_on_interrupt", "watch"]


@contextmanager
def watch(*, verbose: bool) -> Iterator[OnEvent]:
    """Draw the events of a run on stderr, when somebody is looking; `verbose` names every file."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", style="dim", markup=False),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[name]}", style="dim", markup=False),
        console=said(),
        transient=True,
        disable=not said().is_terminal,
    )
    with progress:
        yield _Drawing(progress, verbose).take


@contextmanager
def drawn(first: str) -> Iterator[Callable[[str, int, int], None]]:
    """Draw on stderr how far something is, when somebody is looking.

    Args:
        first: What is being done before anything is told.

    Yields:
        What is to be told: what is being done, how much of it is done, and how much there is.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=said(), transient=True, disable=not said().is_terminal) as progress:
        task = progress.add_task(first, total=None)
        doing = first

        def take(what: str, done: int, total: int) -> None:
            nonlocal doing
            if what != doing:
                doing = what
                progress.reset(task, description=printable(what))  # so that how long it takes is not told by what was done before
            progress.update(task, completed=done, total=total)

        yield take


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Let the first Ctrl-C set the event and a second one end the command at once."""
    stop = threading.Event()

    def first(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        note("stopping after the batch in flight; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class _Drawing:
    def __init__(self, progress: Progress, verbose: bool) -> None:
        self.progress = progress
        self.verbose = verbose
        self.task = progress.add_task("looking around", total=None, rate="", name="")

    def take(self, event: IndexEvent) -> None:
        from ..indexer.report import FileDone, Outcome, ScanProgress, SidesJoined, Skipped, TextsEncoded, WorkFound

        match event:
            case ScanProgress(root, found):
                self.progress.update(self.task, description=f"looking around in {printable(root.name)}", name=f"{found:,} files")
            case Skipped(path, rule) if self.verbose:
                self.say("yellow", rule.value, path)
            case WorkFound(files):
                self.progress.update(self.task, description="indexing", total=files, completed=0, name="")
            case FileDone(path, outcome, reason):
                speed = self.progress.tasks[0].speed
                rate = f"{speed:.1f} files/s" if speed else ""
                self.progress.update(self.task, advance=1, name=printable(path.name)[:32], rate=rate)
                if self.verbose:
                    self.say("red" if outcome is Outcome.FAILED else "green", reason or outcome.value, path)

            case TextsEncoded(spec, done, total):
                self.progress.update(
                    self.task, description="making models comparable", total=total, completed=done, rate="", name=printable(spec)[:32]
                )

            case SidesJoined(spec, done, total):
                self.progress.update(
                    self.task, description="joining what belongs together", total=total, completed=done, rate="", name=printable(spec)[:32]
                )

    def say(self, style: str, what: str, path: Path) -> None:
        self.progress.console.print(Text.assemble((f"{printable(what):>12}  ", style), link(path)), soft_wrap=True)
