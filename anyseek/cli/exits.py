"""Exit codes, and which error ends with which. The one table of both."""

from __future__ import annotations

from enum import IntEnum

from ..errors import AnyseekError, BadInput, LibraryError, MediaError, MissingExtra, StorageFull

__all__ = ["Exit", "exit_code_of"]


class Exit(IntEnum):
    """What the exit code of a command says."""

    OK = 0
    NO_HITS = 1
    USAGE = 2
    SOME_FAILED = 3
    LIBRARY = 4
    DISK_FULL = 5
    NOT_BETTER = 6
    INTERRUPTED = 130


_EXIT_OF: tuple[tuple[type[AnyseekError], Exit], ...] = (
    (BadInput, Exit.USAGE),
    (MediaError, Exit.USAGE),
    (MissingExtra, Exit.USAGE),
    (LibraryError, Exit.LIBRARY),
    (StorageFull, Exit.DISK_FULL),
)


def exit_code_of(error: AnyseekError) -> Exit:
    """The exit code for an error that ended a command."""
    return next((code for kind, code in _EXIT_OF if isinstance(error, kind)), Exit.LIBRARY)
