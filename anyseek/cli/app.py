"""The ``anyseek`` command: its sub-commands and the seam where errors become text and exit codes."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import AnyseekError
from .doctor import doctor
from .errors import errors
from .exits import Exit, exit_code_of
from .index import index
from .output import complain
from .search import search
from .similar import similar
from .status import status

__all__ = ["app", "run"]

app = typer.Typer(
    name="anyseek",
    help="Find the picture, the sound, the moment: semantic search over your own media, on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (index, search, similar, status, errors, doctor):
    app.command()(command)


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
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # marks and bars must not crash a terminal that is not UTF-8
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.OK
    except AnyseekError as error:
        complain(str(error))
        return exit_code_of(error)
    except KeyboardInterrupt:
        complain("interrupted: what was committed is safe")
        return Exit.INTERRUPTED
    return Exit.OK
