"""The words in names of files and folders, without what cameras, programs and dates put there."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

__all__ = ["words_of"]

_BREAK = re.compile(r"[^\w']+|_+")
_HUMP = re.compile(r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_NUMBERED = re.compile(r"([^\W\d]+)\d+")
_LONGEST = 40


def words_of(name: str) -> str:
    """What is left of a name that a person would say, with single spaces and without capitals at the beginnings of single words.

    ``IMG_2041``, ``20220114_033012`` and ``REC003`` say nothing, ``egypt_11`` says *egypt*, ``BandPractice (2)`` says *band practice*, and
    ``a dog at the sea`` stays as it is.

    Args:
        name: Of a file without its suffix, or of a folder.

    Returns:
        The words; nothing where there are none.
    """
    found = []
    for piece in _BREAK.split(name):
        for word in _HUMP.split(piece):
            said = _said(word)
            if said is not None:
                found.append(said)
    if all(word.casefold() in no_words()["not alone"] for word in found):
        return ""
    return " ".join(found)


def _said(word: str) -> str | None:
    """A word as it would be said; None for what is none: what has digits in the middle, devices, dates, and single letters but *a*."""
    numbered = _NUMBERED.fullmatch(word)
    word = (numbered[1] if numbered else word).strip("'")
    if not word or any(character.isdigit() for character in word) or len(word) > _LONGEST:
        return None
    if word.casefold() in no_words()["never"] or (len(word) == 1 and word.isascii() and word.casefold() not in ("a", "i")):
        return None
    return word.lower() if word.istitle() or (word.isupper() and len(word) > 4) else word


@cache
def no_words() -> dict[str, frozenset[str]]:
    """The words of ``no_words.txt`` by group."""
    found: dict[str, frozenset[str]] = {}
    group = ""
    for line in files(__package__).joinpath("no_words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]")
        elif not line.startswith("#"):
            found[group] = found.get(group, frozenset()) | frozenset(line.split())
    return found
