"""``anyseek similar``: what resembles a file of the library, or a moment of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..filters import Condition
from .answer_options import (
    AllOption,
    CursorOption,
    ExplainOption,
    LikedOption,
    MinRelevanceOption,
    MomentsOption,
    OrderOption,
    RejectedOption,
    ReverseOption,
    SessionOption,
    least_of,
)
from .filter_options import with_filters
from .hits import PathsOption, Print0Option, finish
from .options import BridgeOption, IndexDeviceOption, JsonOption, Kinds, LibraryOption, LimitOption, as_bridge, as_kinds
from .timings import TimingsOption

__all__ = ["similar"]


@with_filters
def similar(
    path: Annotated[
        str,
        typer.Argument(
            metavar="FILE[@TIME[-TIME]]", help="A file that is in the library, or a moment of it: film.mp4@0:12-0:18.", show_default=False
        ),
    ],
    liked: LikedOption = None,
    rejected: RejectedOption = None,
    session: SessionOption = None,
    kind: Kinds = None,
    min_relevance: MinRelevanceOption = None,
    everything: AllOption = False,
    order: OrderOption = "relevance",
    reverse: ReverseOption = False,
    limit: LimitOption = 10,
    cursor: CursorOption = None,
    moments: MomentsOption = None,
    explain: ExplainOption = False,
    library: LibraryOption = None,
    index_device: IndexDeviceOption = "auto",
    bridge: BridgeOption = "ridge",
    as_json: JsonOption = False,
    paths: PathsOption = False,
    print0: Print0Option = False,
    timings: TimingsOption = False,
    *,
    where: Condition | None = None,
) -> None:
    """Find what resembles a file of the library, across kinds; nothing is decoded for it.

    Exit code 1 says that nothing does.
    """
    from ..library import Library

    with Library.open(library, readonly=True, index_device=index_device, bridge=as_bridge(bridge)) as opened:
        answer = opened.similar(
            path,
            liked=liked or (),
            rejected=rejected or (),
            session=session,
            kinds=as_kinds(kind),
            where=where,
            min_relevance=least_of(min_relevance, everything=everything),
            order=order,
            reverse=reverse,
            moments=moments,
            explain=explain,
            limit=limit,
            cursor=cursor,
        )
    finish(answer, Path(path).name, as_json=as_json, as_paths=paths, nul=print0, timings=timings, moments=moments or 1)
