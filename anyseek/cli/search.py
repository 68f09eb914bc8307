"""``anyseek search``: ask by text, by example, or by both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import BadQuery
from .hits import PathsOption, Print0Option, finish
from .options import BridgeOption, DeviceOption, IndexDeviceOption, JsonOption, Kinds, LibraryOption, LimitOption, as_bridge, as_kinds
from .timings import TimingsOption

__all__ = ["search"]


def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="What to look for, in words.", show_default=False)] = None,
    image: Annotated[
        list[Path] | None, typer.Option("--image", "-i", metavar="FILE", help="Like this picture.", show_default=False)
    ] = None,
    audio: Annotated[list[Path] | None, typer.Option("--audio", "-a", metavar="FILE", help="Like this sound.", show_default=False)] = None,
    video: Annotated[list[Path] | None, typer.Option("--video", metavar="FILE", help="Like this film.", show_default=False)] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            "-w",
            metavar="PART=NUMBER",
            help="How much text, image, audio or video counts; 1 unless told, below 0 pushes away.",
            show_default=False,
        ),
    ] = None,
    kind: Kinds = None,
    limit: LimitOption = 10,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    index_device: IndexDeviceOption = "auto",
    bridge: BridgeOption = "ridge",
    as_json: JsonOption = False,
    paths: PathsOption = False,
    print0: Print0Option = False,
    timings: TimingsOption = False,
) -> None:
    """Find pictures, sounds and moments of films by text, by example, or by several of them together.

    Exit code 1 says that nothing was found.
    """
    from ..encoders.protocol import EncoderSettings
    from ..library import Library

    weights = as_weights(weight or [])
    text = " ".join(words) if words else None
    settings = EncoderSettings(device=device)
    with Library.open(library, readonly=True, settings=settings, index_device=index_device, bridge=as_bridge(bridge)) as opened:
        answer = opened.search(
            text, image=image or (), audio=audio or (), video=video or (), weights=weights, kinds=as_kinds(kind), limit=limit
        )
    parts = [text, *(path.name for path in [*(image or []), *(audio or []), *(video or [])])]
    finish(answer, " + ".join(part for part in parts if part), as_json=as_json, as_paths=paths, nul=print0, timings=timings)


def as_weights(values: list[str]) -> dict[str, float]:
    """Read ``part=number`` pairs.

    Raises:
        BadQuery: One of them is not such a pair.
    """
    weights = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            raise BadQuery(f"{value!r} is no weight: write it as  --weight image=2") from None
    return weights
