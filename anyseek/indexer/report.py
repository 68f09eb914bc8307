"""What an indexing run tells: events while it goes on, a report at its end. Nothing here is printed; the doors draw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..errors import FailureCode
from .scan import Rule

__all__ = [
    "Failure",
    "FileDone",
    "IndexEvent",
    "IndexReport",
    "OnEvent",
    "Outcome",
    "Refusal",
    "ScanProgress",
    "SidesJoined",
    "Skipped",
    "TextsEncoded",
    "WorkFound",
]


class Outcome(StrEnum):
    """How one file ended; FILLED when it was in the library already, and only got vectors that a space lacked."""

    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"
    COPIED = "copied"
    UNCHANGED = "unchanged"
    FILLED = "filled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """A walk goes on: `found` media files so far below `root`."""

    root: Path
    found: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path was passed over by a rule."""

    path: Path
    rule: Rule


@dataclass(frozen=True, slots=True)
class WorkFound:
    """All walks are done: `files` have to be read, of which `known` are in the library already and lack vectors in some space."""

    files: int
    known: int = 0


@dataclass(frozen=True, slots=True)
class FileDone:
    """A file has reached its end state, which is committed."""

    path: Path
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TextsEncoded:
    """What several spaces are compared by is being worked out: `done` of `total` texts are encoded with the model `spec`."""

    spec: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SidesJoined:
    """What belongs together is being joined: `done` of `total` files were looked at in the space of the model `spec`."""

    spec: str
    done: int
    total: int


IndexEvent = ScanProgress | Skipped | WorkFound | FileDone | TextsEncoded | SidesJoined
OnEvent = Callable[[IndexEvent], None]


@dataclass(slots=True)
class Failure:
    """A file that could not be indexed."""

    path: Path
    code: FailureCode
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is in the library, but of which one space has nothing, because its encoder did not take it or it could not be read."""

    path: Path
    spec: str
    code: FailureCode
    reason: str


@dataclass(slots=True)
class IndexReport:
    """What one run did.

    Attributes:
        new: Files that were not in the library.
        changed: Files whose bytes are others than before.
        moved: Files found under another path; nothing of them was embedded.
        copied: Files with bytes that the library has already; nothing of them was embedded.
        unchanged: Files that needed nothing.
        filled: Files that are what they were and got vectors that a space lacked.
        filled_in: Files that the library had already and that got such vectors, by the spec of the space: moved and copied ones, too.
        still_failed: Files that failed in an earlier run and have not changed since; they are tried again on request.
        removed: Files that are gone.
        kept: Files that were not seen but may be there, because a folder could not be read or another kind was asked for.
        failed: Files that could not be read; each is listed in `failures`.
        refused: Files that one space has nothing of, although another one has.
        embedded: Segments that were encoded.
        joined: Moments of which what is seen, heard and said was joined to one vector.
        skipped: Paths passed over, by rule.
        unavailable: Sources that were not there or suddenly empty; nothing of them was removed.
        changed_to: The specs of the spaces that took over with this run, if any did.
        changed_from: The specs of those that served until then and do no more; their vectors are kept until they are dropped.
        purged: Files that were forgotten for good (only with `prune`).
        seconds: Time it took.
        interrupted: It was stopped; the next run goes on from here.
        notes: What else a person should know.
    """

    new: int = 0
    changed: int = 0
    moved: int = 0
    copied: int = 0
    unchanged: int = 0
    filled: int = 0
    filled_in: Counter[str] = field(default_factory=Counter)
    still_failed: int = 0
    removed: int = 0
    kept: int = 0
    failed: int = 0
    embedded: int = 0
    joined: int = 0
    skipped: Counter[Rule] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unavailable: list[Path] = field(default_factory=list)
    changed_to: tuple[str, ...] = ()
    changed_from: tuple[str, ...] = ()
    purged: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def has_changed_the_library(self) -> bool:
        """Whether there is something else to be found than before."""
        return any((self.new, self.changed, self.moved, self.copied, self.filled, self.removed, self.embedded, self.joined, self.purged))

    def count(self, outcome: Outcome) -> None:
        """Add one file to the number that its outcome names."""
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)
