"""The ``anyseek`` command: its sub-commands and the seam where errors become text and exit codes."""

from __future__ import annotations

import gc
import io
import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from .. import __version__
from ..errors import AnyseekError
from .exits import Exit, exit_code_of
from .output import complain

__all__ = ["COMMANDS", "make_app", "run"]

COMMANDS = {
    "index": "index:index",
    "search": "search:search",
    "similar": "similar:similar",
    "duplicates": "duplicates:duplicates",
    "tag": "tag:tag",
    "meta": "meta:meta",
    "feedback": "feedback:feedback",
    "status": "status:status",
    "errors": "errors:errors",
    "doctor": "doctor:doctor",
    "eval": "eval:evaluate",
    "calibrate": "calibrate:calibrate",
    "train": "train:train",
    "models": "models:models",
    "adapters": "adapters:adapters",
}
"""The sub-commands in the order of the help, each with its module and what it is called there."""


def make_app(only: str | None = None) -> typer.Typer:
    """Put the command together.

    Args:
        only: Load this sub-command alone, for each of them takes its time; all when there is none of that name.
    """
    app = typer.Typer(
        name="anyseek",
        help="Find the picture, the sound, the moment: semantic search over your own media, on your own machine.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=_options,
    )
    for name in [only] if only in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(f".{module}", __package__), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"anyseek {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    """Find the picture, the sound, the moment: semantic search over your own media, on your own machine."""


def run() -> int:
    """Run the command line on ``sys.argv`` and give its exit code."""
    _make_streams_safe()
    gc.set_threshold(100_000, 50, 50)  # rows come by the hundred thousand, and hardly a cycle is among them
    try:
        make_app(next((word for word in sys.argv[1:] if not word.startswith("-")), None))()
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
