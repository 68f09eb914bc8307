"""``anyseek search``: ask by text, by example, by what the library holds, or by several of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import BadQuery
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
from .options import (
    BridgeOption,
    DeviceOption,
    IndexDeviceOption,
    JsonOption,
    Kinds,
    LibraryOption,
    LimitOption,
    as_bridge,
    as_kinds,
    named_path,
)
from .timings import TimingsOption

__all__ = ["search"]


@with_filters
def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="What to look for, in words.", show_default=False)] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            "--text", metavar="TEXT", help="Another text beside the first; with  --fusion max  one or the other.", show_default=False
        ),
    ] = None,
    negative: Annotated[list[str] | None, typer.Option("--not", metavar="TEXT", help="Not this, in words.", show_default=False)] = None,
    image: Annotated[
        list[Path] | None, typer.Option("--image", "-i", metavar="FILE", parser=named_path, help="Like this picture.", show_default=False)
    ] = None,
    audio: Annotated[
        list[Path] | None, typer.Option("--audio", "-a", metavar="FILE", parser=named_path, help="Like this sound.", show_default=False)
    ] = None,
    video: Annotated[
        list[Path] | None, typer.Option("--video", metavar="FILE", parser=named_path, help="Like this film.", show_default=False)
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(
            "--like",
            metavar="FILE[@TIME[-TIME]]",
            help="More like this file of the library, or like this moment of it: film.mp4@0:12-0:18.",
            show_default=False,
        ),
    ] = None,
    unlike: Annotated[
        list[str] | None, typer.Option("--unlike", metavar="FILE[@TIME[-TIME]]", help="Less like that.", show_default=False)
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            "-w",
            metavar="PART=NUMBER",
            help="How much text, image, audio, video or like counts, how strongly negative and unlike push away; 1 unless told.",
            show_default=False,
        ),
    ] = None,
    fusion: Annotated[
        str,
        typer.Option(
            "--fusion",
            metavar="NAME",
            help="How several parts, and the sides of a film, are joined: mean, agreement (by how much parts agree), weighted or network "
            "(as trained, see  anyseek train), max (by the best of their relevances) or rrf (reciprocal ranks).",
        ),
    ] = "mean",
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
    device: DeviceOption = "auto",
    index_device: IndexDeviceOption = "auto",
    bridge: BridgeOption = "ridge",
    as_json: JsonOption = False,
    paths: PathsOption = False,
    print0: Print0Option = False,
    timings: TimingsOption = False,
    *,
    where: Condition | None = None,
) -> None:
    """Find pictures, sounds and moments of films by text, by example, or by several of them together.

    Exit code 1 says that nothing relevant was found.
    """
    from ..encoders.protocol import EncoderSettings
    from ..library import Library

    weights = as_weights(weight or [])
    texts = [*([" ".join(words)] if words else []), *(text or [])]
    settings = EncoderSettings(device=device)
    with Library.open(library, readonly=True, settings=settings, index_device=index_device, bridge=as_bridge(bridge)) as opened:
        answer = opened.search(
            texts,
            negative=negative or (),
            image=image or (),
            audio=audio or (),
            video=video or (),
            like=like or (),
            unlike=unlike or (),
            weights=weights,
            liked=liked or (),
            rejected=rejected or (),
            session=session,
            kinds=as_kinds(kind),
            where=where,
            fusion=fusion,
            min_relevance=least_of(min_relevance, everything=everything),
            order=order,
            reverse=reverse,
            moments=moments,
            explain=explain,
            limit=limit,
            cursor=cursor,
        )
    wanted = [*texts, *(path.name for path in [*(image or []), *(audio or []), *(video or [])]), *(Path(one).name for one in like or [])]
    unwanted = [*(negative or []), *(Path(one).name for one in unlike or [])]
    question = ", ".join([*filter(None, [" + ".join(filter(None, wanted))]), *(f"not {part}" for part in unwanted)])
    finish(answer, question, as_json=as_json, as_paths=paths, nul=print0, timings=timings, moments=moments or 1)


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
