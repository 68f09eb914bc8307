"""What people see: answers on stdout, everything else on stderr. All colours and marks are named here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ..errors import AnyseekError
from ..types import Kind
from .exits import Exit

__all__ = [
    "MARK_OF",
    "bar",
    "complain",
    "link",
    "note",
    "plain",
    "plain_table",
    "print_json",
    "printable",
    "said",
    "show",
    "timecode",
    "wait_for",
    "write_paths",
]

MARK_OF = {Kind.IMAGE: "▣ picture", Kind.AUDIO: "♪ sound", Kind.VIDEO: "▶ film"}
STYLE_OF = {Kind.IMAGE: "green", Kind.AUDIO: "magenta", Kind.VIDEO: "cyan"}
STYLE_OF_STATE = {"on": "green", "off": "dim", "does not fit": "yellow", "damaged": "red"}
PIPED_WIDTH = 160
EIGHTHS = " ▏▎▍▌▋▊▉█"


@cache
def answers() -> Console:
    """Stdout: what was asked for, and nothing else."""
    console = _Answers(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


@cache
def said() -> Console:
    """Stderr: progress, notes and errors."""
    return Console(stderr=True, highlight=False)


class _Answers(Console):
    def on_broken_pipe(self) -> None:
        """Called by rich."""
        self.quiet = True
        _end_in_silence()


def _end_in_silence() -> NoReturn:
    """Whoever reads our output has seen enough, as ``head`` has after ten lines: that is no error, and not the 1 of "nothing found"."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still in the buffer goes there when Python ends
    raise SystemExit(Exit.OK)


def complain(message: str) -> None:
    """Print an error."""
    said().print(Text.assemble(("anyseek: ", "bold red"), printable(message)), soft_wrap=True)


def note(message: str) -> None:
    """Print a remark."""
    said().print(Text.assemble(("note: ", "yellow"), printable(message)), soft_wrap=True)


def wait_for(what: str) -> AbstractContextManager[Any]:
    """Show that something takes a moment, when somebody is looking."""
    return said().status(what) if said().is_terminal else nullcontext()


@contextmanager
def reader() -> Iterator[None]:
    """Write an answer; a reader that has seen enough and closed the pipe is no error.

    Raises:
        AnyseekError: The answer cannot be written.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the flush at exit finds a reader
        raise typer.Exit from None
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise AnyseekError(f"the answer cannot be written: {error.strerror}") from error


def show(*things: RenderableType, wrap: bool = True) -> None:
    """Print something for a person."""
    with reader():
        answers().print(*things, soft_wrap=not wrap)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON document; bytes of a path that are no UTF-8 become lone surrogates, as `os.fsdecode` has them."""
    with reader():
        sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def write_paths(paths: list[Path], *, nul: bool) -> None:
    """Print paths byte for byte as they are, each with its end mark."""
    end = b"\0" if nul else b"\n"
    with reader():
        sys.stdout.buffer.write(b"".join(os.fsencode(path) + end for path in paths))
        sys.stdout.buffer.flush()


def printable(text: str) -> str:
    """The same with control characters and undecodable bytes shown as escapes, so that a file name cannot drive the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode() for character in text
    )


def plain(text: str, style: str = "") -> Text:
    """Text in which nothing is markup."""
    return Text(printable(text), style=style)


def link(path: Path, style: str = "") -> Text:
    """A path as short as it can be said from here, which a terminal may open."""
    shown = path
    for base, prefix in ((_here(), ""), (Path.home(), "~/")):
        if base is not None and base != Path(base.anchor) and path.is_relative_to(base):
            shown = Path(f"{prefix}{path.relative_to(base)}")
            break
    folder, name = os.path.split(shown)
    text = Text(overflow="fold", style=style)
    text.append(printable(os.path.join(folder, "")), "dim")  # noqa: PTH118 - "~" is no folder that Path should see
    text.append(printable(name))
    try:
        text.stylize(f"link {path.as_uri()}")
    except (ValueError, UnicodeEncodeError):
        return text
    return text


def _here() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted under us
        return None


def timecode(ms: int) -> str:
    """A time as ``m:ss``, or ``h:mm:ss`` from one hour on."""
    seconds = ms // 1000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def bar(share: float, width: int = 8) -> str:
    """A bar that is `share` of `width` characters long."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(width)


def plain_table(*columns: str, **options: Any) -> Table:
    """A table without a frame, as all of ours are."""
    table = Table(*columns, box=None, pad_edge=False, header_style="dim", **options)
    table.show_header = bool(columns)
    return table
