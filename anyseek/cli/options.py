"""Options that several commands share."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..config import default_library
from ..types import Kind

if TYPE_CHECKING:
    from ..search.bridges import BridgeMethod

__all__ = [
    "BridgeOption",
    "DeviceOption",
    "IndexDeviceOption",
    "JsonOption",
    "Kinds",
    "LibraryOption",
    "LimitOption",
    "OfflineOption",
    "as_bridge",
    "as_kinds",
    "library_option",
    "named_path",
]


def named_path(value: str) -> Path:
    """Read a path that must not be empty: an unset variable of a shell would else mean the current folder.

    Raises:
        typer.BadParameter: It is empty.
    """
    if not value:
        raise typer.BadParameter("a path is empty: name a file or folder")
    return Path(value)


LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        "-l",
        metavar="DIR",
        parser=named_path,
        help="The library folder, or a media folder with a library in its .anyseek (default: $ANYSEEK_LIBRARY, else your own).",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="Most hits to show.")]
DeviceOption = Annotated[
    str,
    typer.Option("--device", metavar="DEVICE", help="What models compute on: auto, cpu, mps, cuda or cuda:N; starter needs the CPU only."),
]
IndexDeviceOption = Annotated[
    str,
    typer.Option("--index-device", metavar="DEVICE", help="Where vectors are searched: auto (a GPU where FAISS has one), cpu or gpu."),
]
BridgeOption = Annotated[
    str,
    typer.Option(
        "--bridge",
        metavar="ridge|labels",
        help="With several models: how a picture finds sounds and a sound pictures; by a linear map, or by what both are called.",
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even the files of a model that is named.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", "-k", metavar="KIND", help="Only image, audio or video; repeat it or separate by commas.", show_default=False),
]


def library_option(folder: Path) -> str:
    """What must be added to a command so that it means the library in a folder: nothing if it does so anyway."""
    usual = Path(os.path.abspath(default_library()))  # noqa: PTH100 - links stay as they are, as in the library's own path
    return "" if folder == usual else f" --library {shlex.quote(str(folder))}"


def as_bridge(value: str) -> BridgeMethod:
    """Read how spaces are bridged.

    Raises:
        typer.BadParameter: There is no such way.
    """
    ways: dict[str, BridgeMethod] = {"ridge": "ridge", "labels": "labels"}
    if value in ways:
        return ways[value]
    raise typer.BadParameter(f"no bridge is called {value!r}: use ridge or labels")


def as_kinds(values: list[str] | None) -> frozenset[Kind]:
    """Read kinds that were given one by one or separated by commas.

    Raises:
        typer.BadParameter: One of them is none.
    """
    if values is not None and not any(value.strip(" ,") for value in values):
        raise typer.BadParameter(f"no kind is named: use {', '.join(Kind)}, or leave the option out")
    names = [name.strip() for value in values or [] for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Kind)]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no kind: use {', '.join(Kind)}")
    return frozenset(map(Kind, names))
