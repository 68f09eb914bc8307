"""``anyseek similar``: what resembles a file of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .hits import PathsOption, Print0Option, finish
from .options import BridgeOption, IndexDeviceOption, JsonOption, Kinds, LibraryOption, LimitOption, as_bridge, as_kinds
from .timings import TimingsOption

__all__ = ["similar"]


def similar(
    path: Annotated[Path, typer.Argument(help="A file that is in the library.", show_default=False)],
    kind: Kinds = None,
    limit: LimitOption = 10,
    library: LibraryOption = None,
    index_device: IndexDeviceOption = "auto",
    bridge: BridgeOption = "ridge",
    as_json: JsonOption = False,
    paths: PathsOption = False,
    print0: Print0Option = False,
    timings: TimingsOption = False,
) -> None:
    """Find what resembles a file of the library, across kinds; nothing is decoded for it."""
    from ..library import Library

    with Library.open(library, readonly=True, index_device=index_device, bridge=as_bridge(bridge)) as opened:
        answer = opened.similar(path, kinds=as_kinds(kind), limit=limit)
    finish(answer, path.name, as_json=as_json, as_paths=paths, nul=print0, timings=timings)
