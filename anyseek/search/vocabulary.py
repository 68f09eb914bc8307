"""The reference captions: short texts about what can be seen, heard and done, by which chance is known and spaces are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Self

from ..errors import BadInput

__all__ = ["CAPTIONS", "Vocabulary"]

CAPTIONS = "captions"
"""The setting that holds a library's own captions, as `Vocabulary.to_setting` writes them."""

FEWEST = 20


@dataclass(frozen=True)
class Vocabulary:
    """Texts, each once.

    Attributes:
        texts: In a fixed order.
    """

    texts: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Take somebody's own texts.

        Raises:
            BadInput: They are too few to compare spaces by.
        """
        once = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
        if len(once) < FEWEST:
            raise BadInput(f"{len(once)} captions are too few to tell chance by: give {FEWEST} or, better, a thousand")
        return cls(once)

    @classmethod
    def shipped(cls) -> Self:
        """The texts that come with the program; ``scripts/build_vocabulary.py`` makes them."""
        lines = files(__package__).joinpath("vocabulary.txt").read_text(encoding="utf-8").splitlines()
        return cls.of([line for line in lines if not line.startswith("#")])

    @classmethod
    def kept(cls, setting: str | None) -> Self:
        """The captions of a library: its own, or the shipped ones where it has none."""
        return cls.shipped() if not setting else cls(tuple(setting.split("\n")))

    def to_setting(self) -> str:
        """As `kept` reads them: one a line."""
        return "\n".join(" ".join(text.split()) for text in self.texts)

    @cached_property
    def digest(self) -> str:
        """Hex digest over the texts and their order."""
        return hashlib.sha256("\n".join(self.texts).encode()).hexdigest()
