"""The ``anyseek`` command: its sub-commands and the seam where errors become text and exit codes."""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import AnyseekError
from .calibrate import calibrate
from .doctor import doctor
from .duplicates import duplicates
from .errors import errors
from .eval import evaluate
from .exits import Exit, exit_code_of
from .index import index
from .meta import meta
from .models import models
from .output import complain
from .search import search
from .similar import similar
from .status import status
from .tag import tag

__all__ = ["app", "run"]

app = typer.Typer(
    name="anyseek",
    help="Find the picture, the sound, the moment: semantic search over your own media, on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (index, search, similar, duplicates, tag, meta, status, errors, doctor):
    app.command()(command)
app.command("eval")(evaluate)
app.command()(calibrate)
app.add_typer(models, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"anyseek {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    """Find the picture, the sound, the moment: semantic search over your own media, on your own machine."""


def run() -> int:
    """Run the command line on ``sys.argv`` and give its exit code."""
    _make_streams_safe()
    gc.set_threshold(100_000, 50, 50)  # rows come by the hundred thousand, and hardly a cycle is among them
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.OK
    except AnyseekError as error:
        complain(str(error))
        return exit_code_of(error)
    return Exit.OK


def _make_streams_safe() -> None:
    """Let closed streams swallow, and narrow encodings replace, what is written to them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - stays open as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
