"""What goes together, as people or their files say it: words or a file, and the file or moment that answers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from ..search.references import Reference

__all__ = ["FILE", "SOURCES", "Pair", "Pairs"]

FILE = "file"
"""The source of pairs that a file of pairs names."""

SOURCES = ("feedback", "annotations", "captions", "keywords", "filenames")
"""What of a library can be taken for pairs; what people said with most care comes first, and is believed first."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a file or moment that answers it, or is known not to.

    Attributes:
        query: Words, or a file or moment of the library for what is like it.
        target: The file or moment.
        positive: Whether it answers the query.
        source: Where that is from: ``file``, or one of `SOURCES`.
        grade: How much it counts, from 1.
        place: Where it is written, for errors: ``products.csv, line 3``.
    """

    query: str | Reference
    target: Reference
    positive: bool = True
    source: str = FILE
    grade: int = 1
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Pairs(Sequence[Pair]):
    """Pairs, with what is needed to find their files, and what became of the others.

    Attributes:
        pairs: The pairs.
        left_out: Why others are not there → how many.
        folders: Where relative paths are looked for first, in this order.
        contents: The contents of files that were looked up already.
    """

    pairs: tuple[Pair, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    contents: Mapping[Path, int] = field(default_factory=dict)

    @classmethod
    def together(cls, parts: Iterable[Pairs]) -> Pairs:
        """Pairs from several places as one."""
        pairs: list[Pair] = []
        left_out: Counter[str] = Counter()
        folders: dict[Path, None] = {}
        contents: dict[Path, int] = {}
        for part in parts:
            pairs += part.pairs
            left_out.update(part.left_out)
            folders |= dict.fromkeys(part.folders)
            contents |= part.contents
        return cls(tuple(pairs), dict(left_out), tuple(folders), contents)

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Pair, ...]: ...
    def __getitem__(self, place: int | slice) -> Pair | tuple[Pair, ...]:
        return self.pairs[place]
