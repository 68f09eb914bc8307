"""What a person sees while a model's files are fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from .output import printable, said

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ..encoders.protocol import OnDownload

__all__ = ["drawn_download", "human_size"]


@contextmanager
def drawn_download() -> Iterator[OnDownload]:
    """Draw a bar for each repository on stderr, when somebody is looking and nothing else is being drawn; what is here shows none."""
    from rich.errors import LiveError
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        console=said(),
        transient=True,
        disable=not said().is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def take(repository: str, here: int, total: int) -> None:
        if repository not in tasks:
            with suppress(LiveError):
                progress.start()
            tasks[repository] = progress.add_task(printable(repository), total=total)
        progress.update(tasks[repository], completed=here, visible=here < total)

    try:
        yield take
    finally:
        progress.stop()


def human_size(count: int) -> str:
    """Bytes as a person reads them: ``612 MB``, ``1.5 GB``."""
    if count < 10**6:
        return f"{count / 10**3:.0f} kB"
    return f"{count / 10**6:.0f} MB" if count < 10**9 else f"{count / 10**9:.1f} GB"
