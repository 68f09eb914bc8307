"""``anyseek index``: bring the library in line with folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, LibraryOption, as_kinds, named_path
from .progress import stop_on_interrupt, watch
from .report import finish

__all__ = ["index"]


def index(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", parser=named_path, help="Files and folders; all folders of the library when left out.", show_default=False
        ),
    ] = None,
    library: LibraryOption = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            "-x",
            metavar="GLOB",
            help="Pass over names or paths like this, as in a .gitignore; remembered for the folder.",
            show_default=False,
        ),
    ] = None,
    no_exclude: Annotated[bool, typer.Option("--no-exclude", help="Forget what was excluded before.")] = False,
    kinds: Annotated[
        list[str] | None, typer.Option("--kinds", metavar="KINDS", help="Only these, such as image,video.", show_default=False)
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, metavar="N", help="Decoding processes (default: one per core).", show_default=False)
    ] = None,
    video_backend: Annotated[str, typer.Option("--video-backend", metavar="pyav|decord", help="What reads films.")] = "pyav",
    prune: Annotated[
        bool, typer.Option("--prune", help="Forget for good what is gone; a folder that is named and missing or empty is meant to be.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name every file that is indexed, skipped or failed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Index files and folders: new and changed ones are read, moved and copied ones recognised, deleted ones dropped.

    Ctrl-C stops after the batch in flight, a second one at once; the next run goes on from there.
    """
    from ..indexer.indexer import IndexOptions
    from ..indexer.targets import require_existing
    from ..library import Library
    from ..media.protocol import DecodeOptions

    if video_backend not in ("pyav", "decord"):
        raise typer.BadParameter(f"{video_backend!r} is no video backend: use pyav or decord")
    options = IndexOptions(
        exclude=() if no_exclude else tuple(exclude) if exclude else None,
        kinds=as_kinds(kinds),
        jobs=jobs,
        prune=prune,
        decode=DecodeOptions(video_backend=video_backend),
    )
    if not Library.exists(library):  # then opening it makes it, which a slip of the keys should not
        if not paths:
            raise typer.BadParameter("nothing is named, and there is no library yet: run  anyseek index FOLDER")
        require_existing(paths)
    with Library.open(library) as opened, stop_on_interrupt() as stop, watch(verbose=verbose) as on_event:
        report = opened.index(*(paths or ()), options=options, on_event=on_event, stop=stop)
        folder = opened.path
    finish(report, folder, as_json=as_json)
