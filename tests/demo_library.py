"""The demo media, indexed by the real command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from commandline import CommandLine, Said

__all__ = ["DemoLibrary"]


@dataclass(frozen=True)
class DemoLibrary:
    """The demo media, indexed by the real command in one run.

    Attributes:
        media: ``data/demo``.
        command: Has the library as its default.
        report: What the run said.
    """

    media: Path
    command: CommandLine
    report: Said

    @classmethod
    def make(cls, media: Path, base: Path) -> DemoLibrary:
        """Index it into a library below `base`."""
        command = CommandLine(base / "home", library=base / "library")
        return cls(media, command, command("index", media))
