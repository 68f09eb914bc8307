"""Every error anyseek raises on purpose.

    AnyseekError
    ├── BadInput                 what the caller gave cannot be used
    │   ├── BadQuery             empty, too long, nothing to search with
    │   │   └── BadFilter        a filter that cannot be read
    │   ├── UnknownEncoder       no encoder has that name
    │   └── UnsupportedModality  the encoder cannot take that kind of input
    ├── MissingExtra             an optional package is not installed
    ├── AdapterMismatch          what was trained for one space does not fit another
    ├── ModelUnavailable         a model's files are not on this machine, or are not what they should be
    ├── EncoderFailed            the encoder cannot work at all
    ├── MediaError               one file cannot be read; `code` says why (see `FailureCode`)
    ├── LibraryError
    │   ├── LibraryNotFound
    │   ├── LibraryLocked        another process is writing; names it
    │   ├── LibraryTooNew        made by a newer anyseek
    │   ├── LibraryDamaged       the catalog cannot be trusted; nothing was changed
    │   └── SpaceMismatch        the library was made with another encoder
    └── StorageFull              the disk has no room left; what was committed is safe

A message names the thing, the reason and the remedy, and each error carries its data as attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

__all__ = [
    "AdapterMismatch",
    "AnyseekError",
    "BadFilter",
    "BadInput",
    "BadQuery",
    "EncoderFailed",
    "FailureCode",
    "LibraryDamaged",
    "LibraryError",
    "LibraryLocked",
    "LibraryNotFound",
    "LibraryTooNew",
    "MediaError",
    "MissingExtra",
    "ModelUnavailable",
    "SpaceMismatch",
    "StorageFull",
    "UnknownEncoder",
    "UnsupportedModality",
]


class FailureCode(StrEnum):
    """Why one file could not be indexed. Stored in the catalog, so values never change their meaning."""

    EMPTY = "empty"
    NOT_MEDIA = "not_media"
    DAMAGED = "damaged"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    NO_CONTENT = "no_content"
    NOT_ENCODED = "not_encoded"
    PERMISSION = "permission"
    VANISHED = "vanished"
    CHANGED = "changed"
    READ_ERROR = "read_error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"

    @property
    def lies_in_content(self) -> bool:
        """True when the bytes themselves are at fault, so that another copy of them fails alike."""
        return self not in _LIES_IN_PLACE


_LIES_IN_PLACE = {
    FailureCode.PERMISSION,
    FailureCode.VANISHED,
    FailureCode.CHANGED,
    FailureCode.READ_ERROR,
}


class AnyseekError(Exception):
    """The root: catch this to catch everything anyseek raises on purpose."""


class BadInput(AnyseekError, ValueError):
    """What the caller gave cannot be used."""


class BadQuery(BadInput):
    """A query that cannot be asked."""


class BadFilter(BadQuery):
    """A filter that cannot be read.

    Attributes:
        reason: Why, and what to write instead.
        column: Where in its text, from 1; None where there is none.
    """

    def __init__(self, reason: str, column: int | None = None) -> None:
        super().__init__(f"the filter is wrong{'' if column is None else f' at column {column}'}: {reason}")
        self.reason = reason
        self.column = column


class UnknownEncoder(BadInput):
    """No encoder has that name."""

    def __init__(self, spec: str, known: list[str]) -> None:
        super().__init__(f"no encoder is called {spec!r}: use one of {', '.join(sorted(known))}")
        self.spec = spec
        self.known = known


class UnsupportedModality(BadInput):
    """The encoder cannot take that kind of input."""

    def __init__(self, spec: str, modality: str) -> None:
        super().__init__(f"encoder {spec!r} does not understand {modality}: choose a library whose encoder does")
        self.spec = spec
        self.modality = modality


class MissingExtra(AnyseekError, ImportError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: run  pip install 'anyseek[{extra}]'")
        self.package = package
        self.extra = extra


class AdapterMismatch(AnyseekError):
    """What was trained for one space does not fit another.

    Attributes:
        name: Of the adapter.
        trained_for: The space that it was trained for, as a user knows it.
        found: What the library has instead.
    """

    def __init__(self, name: str, trained_for: str, found: str) -> None:
        super().__init__(f"the adapter {name!r} does not fit: it was trained for {trained_for}, the library has {found}: train it again")
        self.name = name
        self.trained_for = trained_for
        self.found = found


class ModelUnavailable(AnyseekError):
    """A model's files are not on this machine and could not be had, or cannot be used.

    Attributes:
        spec: The encoder that needs them.
        reason: Why, for a person.
        remedy: What to do about it.
    """

    def __init__(self, spec: str, reason: str, remedy: str | None = None) -> None:
        self.remedy = remedy or f"run  anyseek models pull {spec}"
        super().__init__(f"the model of {spec} cannot be used ({reason}): {self.remedy}")
        self.spec = spec
        self.reason = reason


class EncoderFailed(AnyseekError):
    """The encoder cannot work at all."""

    def __init__(self, spec: str, reason: str) -> None:
        super().__init__(f"encoder {spec!r} fails on everything ({reason}): nothing was lost; mend its installation and run again")
        self.spec = spec
        self.reason = reason


class MediaError(AnyseekError):
    """One file cannot be read.

    Attributes:
        code: The reason, one of `FailureCode`.
        reason: The same for a person, without the path.
        path: The file, as it was named by the caller.
    """

    def __init__(self, code: FailureCode, reason: str, path: Path | str | None = None) -> None:
        super().__init__(f"{path}: {reason}" if path is not None else reason)
        self.code = code
        self.reason = reason
        self.path = path

    def __reduce__(self) -> tuple[type, tuple[FailureCode, str, Path | str | None]]:
        return MediaError, (self.code, self.reason, self.path)


class LibraryError(AnyseekError):
    """Something about the library as a whole."""


class LibraryNotFound(LibraryError):
    """There is no library in that folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no library at {path}: make one with  anyseek index FOLDER --library {path}")
        self.path = path


class LibraryLocked(LibraryError):
    """Another process is writing to the library."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"the library at {path} is being written by {holder}: wait for it to finish or stop it")
        self.path = path
        self.holder = holder


class LibraryTooNew(LibraryError):
    """The library was made by a newer anyseek."""

    def __init__(self, path: Path, found: str, known: str) -> None:
        super().__init__(
            f"the library at {path} was written by a newer anyseek (schema {found}, this one knows {known}): "
            "upgrade with  pip install --upgrade anyseek"
        )
        self.path = path
        self.found = found
        self.known = known


class LibraryDamaged(LibraryError):
    """The catalog cannot be trusted; nothing was changed."""


class SpaceMismatch(LibraryError):
    """The library holds vectors of another encoder.

    Attributes:
        wanted: The encoder that was given or could be loaded.
        found: The one that made the library.
        models: What to name to change over: the wanted one, with those that are to go on serving beside it.
    """

    def __init__(self, wanted: str, found: str, models: Sequence[str] = ()) -> None:
        named = " ".join(f"--model {model}" for model in models or [wanted])
        super().__init__(
            f"this library was made with encoder {found!r}, not {wanted!r}, and their vectors cannot be compared: "
            f"leave the encoder out, or change over with  anyseek index {named}"
        )
        self.wanted = wanted
        self.found = found
        self.models = tuple(models or [wanted])


class StorageFull(AnyseekError, OSError):
    """The disk has no room left. What was committed before is safe, and the next run goes on from there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no room left on the disk that holds {path}: free some and run the command again")
        self.path = path
