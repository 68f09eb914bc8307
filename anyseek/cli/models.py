"""``anyseek models``: which models there are, and fetching them ahead. Each sub-command is one function."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from .downloads import drawn_download
from .exits import Exit
from .options import JsonOption, LibraryOption, OfflineOption
from .output import link, note, plain, print_json, printable, said, show

if TYPE_CHECKING:
    from ..library import Library

__all__ = ["drop", "models", "opened_library", "pull", "use"]

models = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List presets and known models, fetch one ahead, and change or drop those of a library.

    Others will do as well: open_clip:NAME/TAG, open_clip:hf-hub:ORG/REPO, st:ORG/REPO, clap:ORG/REPO.
    """
    if context.invoked_subcommand is not None:
        return
    from . import model_list

    if as_json:
        print_json(model_list.as_json())
    else:
        model_list.draw()
    raise typer.Exit


@models.command()
def pull(
    names: Annotated[list[str], typer.Argument(metavar="MODEL", help="Presets and encoders.", show_default=False)],
    offline: OfflineOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch the files of models now, so that indexing needs no network later.

    An interrupted download goes on where it stopped. What is fetched goes into the cache of the Hugging Face hub ($HF_HOME).
    """
    from ..encoders.catalogue import check_installed, resolve

    check_installed(names)
    try:
        pulled = [_pull(spec, offline=offline) for spec in resolve(names)]
    except KeyboardInterrupt:
        note("stopped: what was fetched is kept, and the same command goes on from there")
        raise typer.Exit(Exit.INTERRUPTED) from None
    if as_json:
        print_json({"models": pulled})
        raise typer.Exit
    for model in pulled:
        where = link(model["path"]) if model["path"] else plain("needs no files from elsewhere", "dim")
        show(Text.assemble(("✓ ", "bold green"), printable(model["spec"]), "  ", where), wrap=False)
    named = " ".join(f"--model {shlex.quote(name)}" for name in names)
    said().print(plain(f"  next:  anyseek index FOLDER {named}", "dim"), soft_wrap=True)
    raise typer.Exit


def opened_library(path: Path | None) -> Library:
    """Open a library that is there, for opening another one would make it."""
    from ..library import Library

    Library.open(path, readonly=True).close()
    return Library.open(path)


def _pull(spec: str, *, offline: bool) -> dict[str, Any]:
    """Make an encoder, which fetches its files, and say where they lie."""
    from ..encoders.catalogue import licence_note
    from ..encoders.protocol import EncoderSettings
    from ..encoders.registry import load
    from ..errors import ModelUnavailable

    if told := licence_note(spec):
        note(told)
    with drawn_download() as on_download:
        try:
            space = load(spec, EncoderSettings(download=not offline, on_download=on_download)).space
        except ModelUnavailable as error:
            if not offline:
                raise
            raise ModelUnavailable(spec, error.reason, "leave --offline out, or copy it here") from error
    return {"spec": spec, "revision": space.revision, "path": _place_of(spec, space.revision)}


def _place_of(spec: str, revision: str | None) -> Path | None:
    """The folder with a model's files; None where it came without any, or where it lies is the user's own choice."""
    from ..encoders import hub
    from ..encoders.catalogue import card

    known = card(spec)
    repository = known.repository if known else spec.partition(":")[2].removeprefix("hf-hub:")
    if not repository or revision is None:
        return None
    folder = hub.cache_folder(repository) / "snapshots" / revision
    return folder if folder.is_dir() else None


@models.command()
def use(
    names: Annotated[list[str], typer.Argument(metavar="MODEL", help="Presets and encoders.", show_default=False)],
    library: LibraryOption = None,
    dim: Annotated[
        int | None, typer.Option("--dim", min=1, metavar="N", help="Of several lengths of a model's vectors, this one.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let models serve that the library has vectors of: back to an earlier one, or over to one before it is complete."""
    from ..adapters.switches import left_behind

    with opened_library(library) as opened:
        before = opened.catalog.spaces("serving")
        change = opened.use(*names, dim=dim)
        told = left_behind(opened.catalog, [row for row in before if row.id not in {now.id for now in change.target}])
    specs = [row.space.spec for row in change.target]
    if as_json:
        print_json({"serving": specs, "lacking": change.lacking})
        raise typer.Exit
    said().print(f"[green]✓[/] {printable(' and '.join(specs))} serve{'' if len(specs) > 1 else 's'} now")
    if change.lacking:
        note(f"{change.lacking:,} files lack vectors there and are not found until they have them: run  anyseek index")
    if told is not None:
        note(told)
    raise typer.Exit


@models.command()
def drop(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL", help="Presets and encoders; all that served before.", show_default=False)
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget the vectors of models that do not serve, and give their room back to the disk. Files stay as they are."""
    with opened_library(library) as opened:
        dropped = opened.drop(*(names or ()))
    if as_json:
        print_json({"dropped": [{"spec": row.space.spec, "dim": row.space.dim} for row in dropped]})
        raise typer.Exit
    for row in dropped:
        said().print(f"[green]✓[/] the vectors of {printable(row.space.spec)} ({row.space.dim} dimensions) are gone")
    if not dropped:
        note("there is nothing to drop: only models that serve have vectors in this library")
    raise typer.Exit
