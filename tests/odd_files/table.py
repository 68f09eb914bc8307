"""The rows of the table: a file and how it must end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anyseek.errors import FailureCode
from anyseek.types import Kind

__all__ = ["Expected", "OddFile", "failed", "indexed", "skipped"]


@dataclass(frozen=True)
class Expected:
    """How a file must end: indexed as `kind` with at least `segments`, failed with `code`, or skipped by `rule`."""

    state: str
    kind: Kind | None = None
    segments: int = 0
    code: FailureCode | None = None
    rule: str | None = None


def indexed(kind: Kind, segments: int = 1) -> Expected:
    return Expected("indexed", kind=kind, segments=segments)


def failed(code: FailureCode) -> Expected:
    return Expected("failed", code=code)


def skipped(rule: str) -> Expected:
    return Expected("skipped", rule=rule)


@dataclass(frozen=True)
class OddFile:
    """One file.

    Attributes:
        name: Its path below the folder; decoded by `os.fsdecode` where the bytes are no UTF-8.
        make: Writes it to the path it is given, whose folder exists.
        expected: How it must end.
        where_possible: Some systems cannot hold it (a pipe, a name that is no UTF-8): then it is left out.
    """

    name: str
    make: Callable[[Path], None]
    expected: Expected
    where_possible: bool = False
