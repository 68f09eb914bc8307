"""How people name a moment of a file: ``PATH``, ``PATH@0:12-0:18`` for a stretch, ``PATH@0:12`` for an instant."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..errors import BadQuery

__all__ = ["Reference", "reference_to", "timecode"]

_TIME = r"(?:(?:\d{1,4}:)?\d{1,3}:)?\d{1,7}(?:\.\d{1,3})?"
_MOMENT = re.compile(rf"(?P<path>.+)@(?P<start>{_TIME})(?:-(?P<end>{_TIME}))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reference:
    """A file of the library, or a stretch of it.

    Attributes:
        path: As it was written.
        start_ms: First millisecond; None for the whole file.
        end_ms: The millisecond after the last; None for the whole file, and for an instant.
    """

    path: Path
    start_ms: int | None = None
    end_ms: int | None = None

    @classmethod
    def read(cls, text: str | os.PathLike[str]) -> Self:
        """Read a reference. A file that exists under the whole name is meant as a whole, whatever its name looks like.

        Raises:
            BadQuery: The stretch ends before it begins.
        """
        written = os.fspath(text)
        if not written:
            raise BadQuery("a path is empty: name a file of the library")
        found = None if os.path.lexists(os.path.expanduser(written)) else _MOMENT.fullmatch(written)  # noqa: PTH111 - as the shell has it
        if found is None:
            return cls(Path(written).expanduser())
        start, end = _milliseconds(found["start"]), None if found["end"] is None else _milliseconds(found["end"])
        if end is not None and end <= start:
            raise BadQuery(f"{written!r} ends before it begins: write it as  PATH@0:12-0:18")
        return cls(Path(found["path"]).expanduser(), start, end)

    @property
    def stretch(self) -> tuple[int, int]:
        """From the first millisecond to the one after the last; (0, 0) for the whole file. An instant is one millisecond long."""
        if self.start_ms is None:
            return 0, 0
        return self.start_ms, self.start_ms + 1 if self.end_ms is None else self.end_ms

    def __str__(self) -> str:
        return reference_to(self.path, self.start_ms, self.end_ms)


def reference_to(path: Path, start_ms: int | None, end_ms: int | None) -> str:
    """Write a reference as `Reference.read` reads it."""
    if start_ms is None:
        return str(path)
    return f"{path}@{timecode(start_ms)}" + ("" if end_ms is None else f"-{timecode(end_ms)}")


def timecode(ms: int) -> str:
    """A time to the millisecond: ``0:12.000``, or ``1:02:03.500`` from one hour on."""
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1000:02}.{rest % 1000:03}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def _milliseconds(text: str) -> int:
    *larger, seconds = text.split(":")
    minutes = 0
    for part in larger:
        minutes = minutes * 60 + int(part)
    whole, _, fraction = seconds.partition(".")
    return (minutes * 60 + int(whole)) * 1000 + int(fraction.ljust(3, "0"))
