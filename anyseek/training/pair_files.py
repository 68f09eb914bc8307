"""Files of pairs: CSV, JSON Lines, or captions as COCO has them. docs/training-pairs.md describes them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..evaluation.coco import is_coco, read_coco
from ..evaluation.fields import Fields
from ..evaluation.strict_json import read_strictly
from ..search.references import Reference
from .pair_rows import COLUMNS, pair_of
from .pairs import Pair, Pairs

__all__ = ["read_pairs"]

MOST_BYTES = 2**30
GUIDE = "see docs/training-pairs.md for the format"


def read_pairs(path: Path) -> Pairs:
    """Read a file of pairs. What is wrong in it is refused, never passed over.

    A file that begins with ``{`` is JSON Lines, or captions if it is one object with ``images`` and ``annotations``; any other is CSV.
    Paths are relative to the file's folder, or as `anyseek.training.resolving.resolve` finds them.

    Args:
        path: A file in UTF-8.

    Raises:
        BadInput: It cannot be read, or something in it is wrong; names the line.
    """
    text = _text(path)
    first = text.lstrip()[:1]
    if not first:
        raise BadInput(f"{path}: there is nothing in it: write pairs, {GUIDE}")
    if first == "[":
        raise BadInput(f"{path}: it is a list as JSON has them: write one object on each line instead, {GUIDE}")
    pairs = list(_json(path, text) if first == "{" else _csv(path, text))
    if not pairs:
        raise BadInput(f"{path}: there is no pair in it: write one on each line, {GUIDE}")
    return Pairs(tuple(pairs), folders=(path.absolute().parent,))


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise BadInput(f"{path}: there is no such file: name a file of pairs, {GUIDE}")
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path}: it is larger than {MOST_BYTES // 2**20:,} MiB: split it")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: it is not text in UTF-8 (byte {error.start}): save it in that encoding") from error
    except OSError as error:
        raise BadInput(f"{path}: it cannot be read ({error.strerror}): name a file of pairs") from error


def _csv(path: Path, text: str) -> Iterator[Pair]:
    reader = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text), strict=True)
    names: list[str] = []
    try:
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            place = f"{path}, line {reader.line_num}"
            if not names:
                names = _header(values, place)
                continue
            if len(values) != len(names):
                reason = f"{len(values)} values stand below {len(names)} columns"
                raise BadInput(f"{place}: {reason}: give one to each, in quotes where it has the separator in it")
            yield pair_of({name: value.strip() for name, value in zip(names, values, strict=True) if value.strip()}, place)
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: it is no CSV ({error}): mend it, {GUIDE}") from error


def _dialect(text: str) -> type[csv.excel]:
    """Commas, tabs or semicolons: whichever the first line has most of."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    class Dialect(csv.excel):
        delimiter = max(",\t;", key=first.count)

    return Dialect


def _header(values: list[str], place: str) -> list[str]:
    names = [value.strip().casefold() for value in values]
    for name in names:
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise BadInput(f"{place}: there is no column called {name!r}: let the first line name the columns, of {known}")
        if names.count(name) > 1:
            raise BadInput(f"{place}: there are two columns called {name!r}: leave one of them out")
    return names


def _json(path: Path, text: str) -> Iterator[Pair]:
    whole = _captions(path, text)
    if whole is not None:
        yield from whole
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            place = f"{path}, line {number}"
            yield pair_of(_loaded(line, place), place)


def _captions(path: Path, text: str) -> list[Pair] | None:
    """The pairs of a document of captions; None where each line is an object of its own."""
    first = text.lstrip().partition("\n")[0]
    try:
        loaded = json.loads(first)
    except (ValueError, RecursionError):  # an object over several lines
        try:
            loaded = json.loads(text)
        except (ValueError, RecursionError):
            return None
    if not isinstance(loaded, dict) or not is_coco(Fields(loaded, str(path))):
        return None
    loaded = _loaded(text, str(path))
    queries = read_coco(Fields(loaded, str(path)))
    return [
        Pair(text, Reference(Path(right.path)), place=f"{path}, {query.id}")
        for query in queries
        for text in query.text
        for right in query.relevant
    ]


def _loaded(text: str, place: str) -> Any:
    try:
        return read_strictly(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place}: it is no JSON ({error}): write one object on each line, {GUIDE}") from error
