"""``anyseek index``: bring the library in line with folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .downloads import drawn_download
from .options import DeviceOption, JsonOption, LibraryOption, OfflineOption, as_kinds, library_option, named_path
from .output import note
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
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A preset or an encoder, see  anyseek models; repeat it for several. Another one than the library's is built beside it "
            "and takes over when it is complete.",
            show_default=False,
        ),
    ] = None,
    dim: Annotated[
        int | None,
        typer.Option("--dim", min=1, metavar="N", help="Cut vectors to this length, where the model can be cut.", show_default=False),
    ] = None,
    device: DeviceOption = "auto",
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", min=1, metavar="N", help="Segments encoded at a time (default: as many as suit).", show_default=False),
    ] = None,
    offline: OfflineOption = False,
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
    fuse: Annotated[
        str | None,
        typer.Option(
            "--fuse",
            metavar="NAME",
            help="Join what is seen, heard and said of one moment, or a picture and its words, to one vector more: mean, agreement, "
            "weighted, network, or off; remembered by the library.",
            show_default=False,
        ),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Forget for good what is gone; a folder that is named and missing or empty is meant to be.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name every file that is indexed, skipped or failed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Index files and folders: new and changed ones are read, moved and copied ones recognised, deleted ones dropped.

    Ctrl-C stops after the batch in flight, a second one at once; the next run goes on from there.
    """
    from ..encoders.catalogue import better_model_hint, check_installed, licence_note, resolve
    from ..encoders.protocol import EncoderSettings
    from ..indexer.indexer import IndexOptions
    from ..indexer.targets import require_existing
    from ..library import Library
    from ..media.protocol import DecodeOptions

    if video_backend not in ("pyav", "decord"):
        raise typer.BadParameter(f"{video_backend!r} is no video backend: use pyav or decord")
    if dim is not None and not model:
        raise typer.BadParameter("--dim needs the model that it cuts: name it with --model")
    options = IndexOptions(
        exclude=() if no_exclude else tuple(exclude) if exclude else None,
        kinds=as_kinds(kinds),
        jobs=jobs,
        prune=prune,
        batch_size=batch_size,
        fuse=fuse,
        decode=DecodeOptions(video_backend=video_backend),
    )
    check_installed(model or ())
    for told in filter(None, map(licence_note, resolve(model or ()))):
        note(told)
    is_new = not Library.exists(library)
    if is_new:  # then opening it makes it, which a slip of the keys should not
        if not paths:
            raise typer.BadParameter("nothing is named, and there is no library yet: run  anyseek index FOLDER")
        require_existing(paths)
    with drawn_download() as on_download:
        settings = EncoderSettings(device=device, dim=dim, batch_size=batch_size, on_download=on_download)
        opened = Library.open(library, encoder=model if is_new else None, settings=settings, offline=offline)
        with opened, stop_on_interrupt() as stop, watch(verbose=verbose) as on_event:
            report = opened.index(*(paths or ()), model=model, options=options, on_event=on_event, stop=stop)
            folder = opened.path
    if is_new and not model:
        report.notes.append(better_model_hint(library_option(folder)))
    finish(report, folder, as_json=as_json)
