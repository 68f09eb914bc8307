"""The labels that media may be tagged with: what they are called, what is asked for them, and which sense they are for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, Self

from ..errors import BadInput
from ..types import Modality

__all__ = ["BUILTIN", "Label", "Sense", "TagVocabulary"]

BUILTIN = "builtin"
MOST_LABELS = 10_000
MOST_BYTES = 16 * 2**20
LONGEST_LABEL = 100
LONGEST_PROMPT = 300

_GROUP = re.compile(r"\[\s*([^\]:]*?)\s*(?::\s*([^\]]*?)\s*)?\]")


class Sense(StrEnum):
    """How a label shows."""

    SEEN = "seen"
    HEARD = "heard"

    @property
    def modalities(self) -> frozenset[Modality]:
        """Which segments it is looked for in."""
        return frozenset({Modality.AUDIO} if self is Sense.HEARD else {Modality.IMAGE, Modality.VIDEO})


BOTH = frozenset(Sense)
SENSES_OF = {"objects": frozenset({Sense.SEEN}), "scenes": frozenset({Sense.SEEN}), "sounds": frozenset({Sense.HEARD})}
"""What groups of these names are looked for in unless they say something else; groups of any other name in both."""

TEMPLATES = {frozenset({Sense.SEEN}): "a photo of {}", frozenset({Sense.HEARD}): "the sound of {}", BOTH: "{}"}
"""What is asked for a label that says nothing else. docs/tags.md has what other templates were worth."""


@dataclass(frozen=True, slots=True)
class Label:
    """A tag that may be given.

    Attributes:
        text: The tag.
        asked: What encoders are given for it.
        senses: Which segments it is looked for in. Labels of the same senses compete.
    """

    text: str
    asked: str
    senses: frozenset[Sense]

    @property
    def modalities(self) -> frozenset[Modality]:
        """Which segments it is looked for in."""
        return frozenset().union(*(sense.modalities for sense in self.senses))


class _Line(NamedTuple):
    number: int
    text: str


@dataclass(frozen=True)
class TagVocabulary:
    """Labels, each once for a sense.

    Attributes:
        name: ``builtin`` or the name of a file; tags are known by it.
        labels: In the order of the file.
    """

    name: str
    labels: tuple[Label, ...]

    @classmethod
    def named(cls, name: str | Path) -> Self:
        """The one that comes with the program if the name is ``builtin``, else the one in a file.

        Raises:
            BadInput: There is no such file, or it cannot be used.
        """
        if not str(name):
            raise BadInput(f"no vocabulary is named: name a text file, or {BUILTIN}")
        return cls.builtin() if str(name) == BUILTIN else cls.read(Path(name).expanduser())

    @classmethod
    def builtin(cls) -> Self:
        """The one that comes with the program."""
        return cls.parse(BUILTIN, files(__package__).joinpath("builtin.txt").read_text(encoding="utf-8"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; docs/tags.md describes its form.

        Raises:
            BadInput: It is not there, or cannot be used; the message names the line.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)  # a device may never end
            text = content[:MOST_BYTES].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{path} is not text in UTF-8 (byte {error.start}): save it in that encoding") from error
        except OSError as error:
            raise BadInput(f"the vocabulary {path} cannot be read ({error.strerror}): name a text file, or {BUILTIN}") from error
        if len(content) > MOST_BYTES:
            raise BadInput(f"{path} is larger than {MOST_BYTES // 2**20} MiB: name a text file of labels")
        if path.name == BUILTIN:
            raise BadInput(f"{path} is called as what comes with anyseek is, and their tags could not be told apart: rename it")
        return cls.parse(path.name, text)

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """Make sense of a file's text.

        Raises:
            BadInput: A line cannot be used, there are no labels or too many, or one is there twice; the message names the line.
        """
        found: list[Label] = []
        known: dict[tuple[str, Sense], int] = {}
        senses = BOTH
        for line in _lines(text):
            if line.text.startswith("["):
                senses = _senses(name, line)
                continue
            label = _label(name, line, senses)
            for sense in sorted(senses):
                first = known.setdefault((label.text.casefold(), sense), line.number)
                if first != line.number:
                    raise _wrong(name, line, f"{label.text!r} is in line {first} already: leave one of them out")
            found.append(label)
        if not found:
            raise BadInput(f"{name} has no labels: write one on each line")
        if len(found) > MOST_LABELS:
            raise BadInput(f"{name} has {len(found):,} labels and may have {MOST_LABELS:,}: leave some out")
        return cls(name, tuple(found))

    @cached_property
    def digest(self) -> str:
        """Hex digest over all labels and what is asked for them."""
        told = "\n".join(f"{label.text}\t{label.asked}\t{' '.join(sorted(label.senses))}" for label in self.labels)
        return hashlib.sha256(told.encode()).hexdigest()


def _lines(text: str) -> Iterator[_Line]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip(" \r\n")
        if stripped.strip() and not stripped.startswith("#"):
            yield _Line(number, stripped)


def _senses(name: str, line: _Line) -> frozenset[Sense]:
    match = _GROUP.fullmatch(line.text)
    if match is None or not match[1]:
        raise _wrong(name, line, f"{line.text!r} is no group: write  [sounds]  or  [weather: seen, heard]")
    if match[2] is None:
        return SENSES_OF.get(match[1].casefold(), BOTH)
    said = [part.strip() for part in match[2].split(",")]
    if not all(part in set(Sense) for part in said):
        raise _wrong(name, line, f"{match[2]!r} is no sense: use seen, heard, or  seen, heard")
    return frozenset(map(Sense, said))


def _label(name: str, line: _Line, senses: frozenset[Sense]) -> Label:
    text, given, asked = f" {line.text} ".partition("\t" if "\t" in line.text else " = ")
    text, asked = " ".join(text.split()), " ".join(asked.split())
    if not text or (given and not asked):
        raise _wrong(name, line, "a label or what is asked for it is empty: write  label  or  label = what is asked")
    for what, length, longest in (("a label", len(text), LONGEST_LABEL), ("what is asked", len(asked), LONGEST_PROMPT)):
        if length > longest:
            raise _wrong(name, line, f"{what} has {length} characters and may have {longest}: shorten it")
    if not text.isprintable() or not asked.isprintable():
        raise _wrong(name, line, "there are control characters in it: remove them")
    return Label(text, asked or TEMPLATES[senses].format(text), senses)


def _wrong(name: str, line: _Line, reason: str) -> BadInput:
    return BadInput(f"{name}, line {line.number}: {reason}")
