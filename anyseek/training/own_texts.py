"""What a library, and the folders it scans, say in words of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..storage.catalog import ContentInfo, LocatedAsset
from ..storage.user_metadata import Scalar
from ..types import Annotation, AnnotationType
from .wording import words_of

__all__ = ["OwnText", "SideCars", "annotated", "captions", "keywords", "names"]

LONGEST = 1_000
MOST_LINES = 20
MOST_BYTES = 64 * 2**10

SAYS_NOTHING = "of titles and notes that say nothing"
NO_NAME = "of files whose names say nothing"
NO_LETTERS = "of texts without a letter"
TOO_LONG = f"of texts of more than {LONGEST:,} characters"
NO_CAPTION = f"of files with a text beside them of more than {MOST_LINES} lines, which is no caption"
NOT_READ = "of files with a text beside them that cannot be read or is not in UTF-8"
OWN_TAGS = "of tags that anyseek gave by itself"


class OwnText(NamedTuple):
    """A text about a file, or about a stretch of it; (0, 0) for all of it."""

    text: str
    stretch: tuple[int, int] = (0, 0)


class SideCars:
    """Texts beside files: ``NAME.txt`` and ``NAME.SUFFIX.txt``, each line of which is a caption. Folders are listed once.

    Args:
        left_out: Is told what could not be used.
    """

    def __init__(self, left_out: Counter[str]) -> None:
        self._left_out = left_out
        self._folders: dict[Path, dict[str, Path]] = {}

    def of(self, path: Path) -> list[str]:
        """The captions beside a file."""
        beside = self._beside(path.parent)
        named = dict.fromkeys(name.casefold() for name in (f"{path.stem}.txt", f"{path.name}.txt"))
        return [line for name in named if name in beside for line in self._lines(beside[name])]

    def _beside(self, folder: Path) -> dict[str, Path]:
        if folder not in self._folders:
            try:
                self._folders[folder] = {each.name.casefold(): each for each in sorted(folder.glob("*.[tT][xX][tT]")) if each.is_file()}
            except OSError:
                self._folders[folder] = {}
        return self._folders[folder]

    def _lines(self, path: Path) -> list[str]:
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            lines = [line.strip() for line in content.decode("utf-8-sig").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError):
            self._left_out[NOT_READ] += 1
            return []
        if len(lines) > MOST_LINES or len(content) > MOST_BYTES:
            self._left_out[NO_CAPTION] += 1
            return []
        return lines


def keywords(info: ContentInfo, left_out: Counter[str]) -> list[OwnText]:
    """The keywords that a file carries, each by itself."""
    return _usable((OwnText(keyword) for keyword in info.keywords), left_out)


def captions(
    info: ContentInfo, annotations: Sequence[Annotation], assets: Sequence[LocatedAsset], side_cars: SideCars, left_out: Counter[str]
) -> list[OwnText]:
    """The title that a file carries, the captions that the library has, and what is written beside it."""
    found = [OwnText(one.text, (one.start_ms, one.end_ms)) for one in annotations if one.type is AnnotationType.CAPTION]
    if info.title:
        if words_of(info.title):
            found.append(OwnText(info.title))
        else:  # the file's own name, as cameras and programs write it there
            left_out[SAYS_NOTHING] += 1
    found += [OwnText(line) for asset in assets for line in side_cars.of(asset.path)]
    return _usable(found, left_out)


def names(assets: Sequence[LocatedAsset], left_out: Counter[str], *, roots: bool) -> list[OwnText]:
    """The words in a file's name and in those of the folders it lies in.

    Args:
        assets: The places where it lies.
        left_out: Is told of files whose names say nothing.
        roots: Whether the name of the folder that is scanned counts, too; of a single one it says nothing.
    """
    found: list[str] = []
    for asset in assets:
        relative = PurePosixPath(asset.relative)
        root = asset.path.parents[len(relative.parts) - 1]
        found += [words_of(relative.stem), *(words_of(part) for part in reversed(relative.parent.parts))]
        found += [words_of(root.name)] if roots else []
    said = [OwnText(text) for text in dict.fromkeys(found) if text]
    if not said:
        left_out[NO_NAME] += 1
    return said


def annotated(
    annotations: Sequence[Annotation], by_itself: frozenset[str], metadata: Sequence[dict[str, Scalar]], left_out: Counter[str]
) -> list[OwnText]:
    """The tags that somebody gave, and the texts that its owner wrote down of a file.

    Args:
        annotations: Of the file.
        by_itself: Origins of tags that anyseek gave by what the model says: to learn from these would teach it what it says already.
        metadata: What was written down, of each copy.
        left_out: Is told of the others.
    """
    tags = [one for one in annotations if one.type is AnnotationType.TAG]
    given = [OwnText(one.text, (one.start_ms, one.end_ms)) for one in tags if one.origin not in by_itself]
    if len(given) < len(tags):
        left_out[OWN_TAGS] += len(tags) - len(given)
    written = [OwnText(value) for of in metadata for value in of.values() if isinstance(value, str)]
    telling = [one for one in written if words_of(one.text)]
    if len(telling) < len(written):
        left_out[SAYS_NOTHING] += len(written) - len(telling)
    return _usable([*given, *telling], left_out)


def _usable(found: Iterable[OwnText], left_out: Counter[str]) -> list[OwnText]:
    return list(dict.fromkeys(_checked(found, left_out)))


def _checked(found: Iterable[OwnText], left_out: Counter[str]) -> Iterator[OwnText]:
    for one in found:
        text = " ".join(one.text.split())
        if len(text) > LONGEST:
            left_out[TOO_LONG] += 1
        elif any(character.isalnum() for character in text):
            yield OwnText(text, one.stretch)
        else:
            left_out[NO_LETTERS] += 1
