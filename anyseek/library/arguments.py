"""What callers give, in any of the forms that they may give it in, brought into one."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from ..encoders.protocol import check_encoder
from ..errors import BadInput
from ..search.references import Reference
from ..spaces import Model
from ..types import Kind

__all__ = ["StrPath", "as_kinds", "as_models", "as_paths", "as_references", "as_texts"]

StrPath = str | os.PathLike[str]


def as_models(model: Model | Sequence[Model] | None) -> list[Model]:
    """Models, of which one may stand alone.

    Raises:
        BadInput: One is no encoder.
    """
    if model is None:
        return []
    models = list(model) if isinstance(model, Sequence) and not isinstance(model, str) else [model]
    for each in models:
        if not isinstance(each, str):
            check_encoder(each)
    return models


def as_paths(paths: StrPath | Sequence[StrPath]) -> list[Path]:
    """Paths, of which one may stand alone.

    Raises:
        BadInput: One is empty.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    if any(os.fspath(path) == "" for path in paths):
        raise BadInput("a path is empty: name a file or folder")
    return [Path(path).expanduser() for path in paths]


def as_kinds(kinds: Collection[Kind | str]) -> frozenset[Kind]:
    """Kinds by themselves or by name, of which one may stand alone.

    Raises:
        BadInput: There is no such kind.
    """
    if isinstance(kinds, str):
        kinds = [kinds]
    try:
        return frozenset(map(Kind, kinds))
    except ValueError as error:
        raise BadInput(f"{error}: kinds are {', '.join(Kind)}") from None


def as_texts(texts: str | Sequence[str] | None) -> list[str]:
    """Texts, of which one may stand alone."""
    return [] if texts is None else [texts] if isinstance(texts, str) else list(texts)


def as_references(references: StrPath | Sequence[StrPath]) -> list[Reference]:
    """Files of the library and moments of them, of which one may stand alone.

    Raises:
        BadQuery: A moment cannot be read.
    """
    return [Reference.read(one) for one in ([references] if isinstance(references, str | os.PathLike) else references)]
