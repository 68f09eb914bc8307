"""Text as a person compares it: whatever case, and however its accents are encoded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

__all__ = ["Pattern", "containing", "fold", "glob", "path_glob"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a folded text must look like.

    Attributes:
        regex: To be found with `re.search` in a text that `fold` was applied to.
        absolute: It is to be compared with absolute paths, not with those from a source's root.
    """

    regex: str
    absolute: bool = False


def fold(text: str) -> str:
    """Bring a text into the form in which all ways to write it are equal (Unicode 16, section 3.13, canonical caseless matching)."""
    if text.isascii():
        return text.lower()
    return normalize("NFC", normalize("NFD", text).casefold())


def containing(text: str) -> Pattern:
    """Texts that contain another one; or, if it has ``*`` or ``?`` in it, those that look like it as a whole."""
    return glob(text) if "*" in text or "?" in text else Pattern(re.escape(fold(text)))


def glob(text: str, *, wild: bool = True) -> Pattern:
    """Texts that look like a pattern as a whole; ``*`` is any text and ``?`` one character.

    Args:
        text: The pattern.
        wild: Whether ``*`` and ``?`` mean something else than themselves.
    """
    return Pattern(rf"\A{_wild(fold(text), '.') if wild else re.escape(fold(text))}\Z")


def path_glob(text: str) -> Pattern:
    r"""Paths with slashes that look like a pattern.

    ``*`` and ``?`` stay within a name, ``**`` is any number of folders. What has no slash but one at the end lies at any depth; a slash at
    the end means all that lies below. What begins with ``/`` or a drive (``C:/``) is an absolute path.
    """
    pattern = fold(text)
    absolute = pattern.startswith("/") or re.match(r"[a-z]:/", pattern) is not None
    names = pattern.split("/")
    if names[-1] == "":
        names[-1] = "**"
        if len(names) == 2 and names[0]:
            names.insert(0, "**")
    elif len(names) == 1:
        names.insert(0, "**")
    return Pattern(rf"\A{_path_regex(names)}\Z", absolute)


def _path_regex(names: list[str]) -> str:
    """The regular expression of the names of a path pattern.

    Names between two ``**`` may take the first place where they fit, for the later ones lose nothing by it: so each such run is an atomic
    group, and no pattern takes more than polynomial time (`test_hostile_patterns_take_no_time`).
    """
    runs: list[list[str]] = [[]]
    for name in names:
        if name == "**":
            runs.append([])
        else:
            runs[-1].append(_wild(name, "[^/]"))
    if len(runs) == 1:
        return "/".join(runs[0])
    first, *between, last = runs
    regex = "".join(f"{name}/" for name in first)
    regex += "".join(f"(?>(?:[^/]*/)*?{''.join(f'{name}/' for name in run)})" for run in between if run)
    return regex + "(?:[^/]*/)*" + ("/".join(last) if last else "[^/]*")


def _wild(text: str, one: str) -> str:
    """The regular expression of a glob without slashes, that takes time in proportion to the text for each of its stars."""
    chunks = ["".join(one if character == "?" else re.escape(character) for character in chunk) for chunk in re.split(r"\*+", text)]
    if len(chunks) == 1:
        return chunks[0]
    first, *between, last = chunks
    return first + "".join(f"(?>{one}*?{chunk})" for chunk in between) + f"{one}*{last}"
