"""Pairs that a library holds already: in keywords, captions, names, what people wrote down, and what they thought of answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..search.references import Reference
from ..storage.catalog import Catalog, ContentInfo, LocatedAsset, Verdict
from ..storage.fingerprints import Fingerprints
from ..types import Annotation, AnnotationType
from .own_texts import OwnText, SideCars, annotated, captions, keywords, names
from .pairs import SOURCES, Pair, Pairs

if TYPE_CHECKING:
    from ..library import Library

__all__ = ["MOST_SHARE", "pairs_from"]

MOST_SHARE = 0.5
"""What more than this share of all files are called says nothing of any of them."""

FEWEST_FILES = 10
READ_AT_ONCE = 500
GRADES: Mapping[Verdict, int] = {"liked": 2, "opened": 1, "rejected": 2}
"""To like or reject a hit says more of it than to open it."""

TOO_COMMON = "with a text that most files have"
GONE = "of feedback on files that are gone"


def pairs_from(library: Library, sources: Sequence[str], *, most_share: float = MOST_SHARE, ratings: bool = False) -> Pairs:
    """Take pairs from a library.

    Args:
        library: The library.
        sources: Some of ``keywords``, ``captions`` (those of the library, titles, and texts beside files), ``filenames`` (and names of
            folders), ``annotations`` (tags that somebody gave, and what was written down), ``feedback``.
        most_share: Texts of a source that more than this share of all files have are left out; 1 for none.
        ratings: Whether files of more stars count for more.

    Raises:
        BadInput: There is no such source.
    """
    unknown = [source for source in sources if source not in SOURCES]
    if unknown:
        raise BadInput(f"pairs cannot be taken from {unknown[0]!r}: use {', '.join(sorted(SOURCES))}")
    own = _Own(library.catalog, ratings=ratings)
    return Pairs.together(own.said(source, most_share) for source in SOURCES if source in sources)


@dataclass(frozen=True, slots=True)
class _File:
    """A content with all that is known of it."""

    info: ContentInfo
    assets: Sequence[LocatedAsset]
    annotations: Sequence[Annotation]

    def about(self, stretch: tuple[int, int]) -> Reference:
        return Reference(self.assets[0].path) if stretch == (0, 0) else Reference(self.assets[0].path, *stretch)


class _Own:
    """Takes pairs, source by source."""

    def __init__(self, catalog: Catalog, *, ratings: bool) -> None:
        self.catalog = catalog
        self.ratings = ratings
        self._several = len(catalog.sources()) > 1
        self._by_itself = frozenset(catalog.annotation_origins(AnnotationType.TAGGED))

    def said(self, source: str, most_share: float) -> Pairs:
        """What a source says."""
        left_out: Counter[str] = Counter()
        if source == "feedback":
            return self._feedback()
        side_cars = SideCars(left_out)
        pairs: list[Pair] = []
        contents: dict[Path, int] = {}
        files = 0
        for file in self._files():
            files += 1
            texts = self._texts(source, file, side_cars, left_out)
            if texts:
                contents[file.assets[0].path] = file.info.id
            grade = max(1, file.info.rating or 1) if self.ratings else 1
            pairs += [Pair(one.text, file.about(one.stretch), source=source, grade=grade) for one in texts]
        kept = _telling(pairs, files, most_share, left_out)
        return Pairs(tuple(kept), dict(left_out), contents=contents)

    def _texts(self, source: str, file: _File, side_cars: SideCars, left_out: Counter[str]) -> list[OwnText]:
        if source == "keywords":
            return keywords(file.info, left_out)
        if source == "captions":
            return captions(file.info, file.annotations, file.assets, side_cars, left_out)
        if source == "filenames":
            return names(file.assets, left_out, roots=self._several)
        written = [self.catalog.user_metadata(asset.id) for asset in file.assets]
        return annotated(file.annotations, self._by_itself, written, left_out)

    def _files(self) -> Iterator[_File]:
        """All contents that lie at some place, in the order of their ids."""
        ids = [content.id for content in Fingerprints(self.catalog).contents()]
        for start in range(0, len(ids), READ_AT_ONCE):
            chunk = ids[start : start + READ_AT_ONCE]
            infos, assets = self.catalog.content_info(chunk), self.catalog.assets_of(chunk)
            annotations = self.catalog.annotations(chunk)
            yield from (_File(infos[id_], assets[id_], annotations.get(id_, ())) for id_ in chunk if id_ in infos and id_ in assets)

    def _feedback(self) -> Pairs:
        """What people thought of answers: liked and opened ones are right, rejected ones are not."""
        left_out: Counter[str] = Counter()
        last: dict[tuple[str | Reference, Reference], Pair] = {}
        contents: dict[Path, int] = {}
        for row in self.catalog.feedback():
            if row.path is None or not row.query:
                left_out[GONE] += 1
                continue
            contents[row.path] = row.content_id
            target = Reference(row.path) if not row.end_ms else Reference(row.path, row.start_ms, row.end_ms)
            query: str | Reference = row.query if row.query_kind == "text" else Reference.read(row.query)
            said = last.get((query, target))
            if said is None or row.verdict != "opened" or said.grade == GRADES["opened"]:  # in any session, what was said last holds
                last[query, target] = Pair(query, target, row.verdict != "rejected", "feedback", GRADES[row.verdict])
        return Pairs(tuple(last.values()), dict(left_out), contents=contents)


def _telling(pairs: Sequence[Pair], files: int, most_share: float, left_out: Counter[str]) -> list[Pair]:
    """Leave out texts that too many files have, where there are enough files to tell."""
    having: dict[str, set[Path]] = defaultdict(set)
    for pair in pairs:
        assert isinstance(pair.query, str)
        having[pair.query.casefold()].add(pair.target.path)
    common = {text for text, of in having.items() if files >= FEWEST_FILES and len(of) > most_share * files}
    kept = [pair for pair in pairs if not isinstance(pair.query, str) or pair.query.casefold() not in common]
    if len(kept) < len(pairs):
        left_out[TOO_COMMON] += len(pairs) - len(kept)
    return kept
