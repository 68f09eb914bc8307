"""Pairs put into one space: texts are encoded, files are looked up, and what is stored of them is joined."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..encoders.protocol import Encoder
from ..errors import BadInput, BadQuery, UnsupportedModality
from ..evaluation.places import Places
from ..fusion.vectors import unit_mean
from ..media.fingerprint import VERSION
from ..search.references import Reference
from ..storage.catalog import Catalog, SpaceRow
from ..storage.fingerprints import Fingerprints
from ..types import Kind, Modality
from .examples import Examples, Query, Target
from .groups import near_groups
from .pairs import FILE, SOURCES, Pair, Pairs

if TYPE_CHECKING:
    from ..library import Library

__all__ = ["Resolver", "resolve"]

TEXTS_AT_ONCE = 64
READ_AT_ONCE = 500

NOT_FOUND = "of files that the library does not hold"
NO_VECTORS = "of files of which the space has nothing"
NO_MOMENT = "of moments of which the space has nothing"
NOT_ENCODED = "with a text that the model does not take"
ITSELF = "of a file with itself"
AGAIN = "that were there already"
CONTRADICTED = "that others contradict"

Place = tuple[int, tuple[int, int]]
"""A content, and a stretch of it in milliseconds; (0, 0) for all of it."""


def resolve(library: Library, space: SpaceRow, pairs: Sequence[Pair], roots: Sequence[Path] = (), least: float | None = None) -> Examples:
    """Put pairs into a space of a library. Every text is encoded once; of files only what is stored is used.

    Args:
        library: Where the files are.
        space: One of its spaces.
        pairs: `Pairs`, or pairs whose paths are absolute or relative to `roots` or to what the library scans.
        roots: Further folders that paths may be relative to.
        least: The cosine from which on two files are nearly the same; see `anyseek.training.groups.near_groups`.

    Raises:
        BadInput: A path may mean several files; names where it is written.
        UnsupportedModality: There are texts, and the encoder takes none.
        MissingExtra: A package that the encoder needs is not installed.
        ModelUnavailable: Its files are not on this machine.
    """
    resolver = Resolver(library.catalog, space, lambda: library.spaces.encoder(space), roots)
    return resolver.examples(pairs if isinstance(pairs, Pairs) else Pairs(tuple(pairs)), least)


@dataclass(frozen=True, slots=True)
class _Said:
    """A pair of which it is known what it is about."""

    query: str | Place
    target: Place
    positive: bool
    source: str
    grade: int


class Resolver:
    """Puts pairs into one space.

    Args:
        catalog: Of the library.
        space: The space.
        load: Makes its encoder; called where there are texts.
        roots: Folders that paths may be relative to.
    """

    def __init__(self, catalog: Catalog, space: SpaceRow, load: Callable[[], Encoder], roots: Sequence[Path] = ()) -> None:
        self.catalog = catalog
        self.space = space
        self._load = load
        self._roots = tuple(roots)
        self._left_out: Counter[str] = Counter()

    def examples(self, pairs: Pairs, least: float | None = None) -> Examples:
        """Put pairs into the space; see `resolve`."""
        self._left_out = Counter(pairs.left_out)
        said = self._agreed(list(self._found(pairs)))
        places = {pair.target for pair in said} | {pair.query for pair in said if not isinstance(pair.query, str)}
        stored = self._stored(places)
        words = self._encoded({pair.query for pair in said if isinstance(pair.query, str)})
        kept = [pair for pair in said if self._is_there(pair, words, stored)]
        return self._built(kept, words, stored, least)

    def _found(self, pairs: Pairs) -> Iterator[_Said]:
        """Pairs whose files the library holds, with one spelling for each text."""
        places = Places(self.catalog, (*pairs.folders, *self._roots))
        spelling = _spellings(pair.query for pair in pairs if isinstance(pair.query, str))
        for pair in pairs:
            target = self._place(pair.target, pair, pairs, places)
            query = spelling[_same(pair.query)] if isinstance(pair.query, str) else self._place(pair.query, pair, pairs, places)
            if target is None or query is None:
                self._left_out[NOT_FOUND] += 1
            elif not isinstance(query, str) and query[0] == target[0]:
                self._left_out[ITSELF] += 1
            else:
                yield _Said(query, target, pair.positive, pair.source, pair.grade)

    def _place(self, reference: Reference, pair: Pair, pairs: Pairs, places: Places) -> Place | None:
        known = pairs.contents.get(reference.path)
        if known is not None:
            return known, reference.stretch
        asset = places.asset(str(reference.path), pair.place or f"{reference}")
        if asset is None or asset.content_id is None:
            return None
        if reference.start_ms is not None and places.kind_of(asset) is Kind.IMAGE:
            raise BadInput(f"{pair.place or reference}: {asset.path} is a picture, which has no moments: leave the time out")
        return asset.content_id, reference.stretch

    def _agreed(self, said: Sequence[_Said]) -> list[_Said]:
        """Each pair once: of several sources the one that is believed first; of one that says both, none."""
        by_pair: dict[tuple[str | Place, Place], list[_Said]] = defaultdict(list)
        for pair in said:
            by_pair[pair.query, pair.target].append(pair)
        agreed = []
        for same in by_pair.values():
            first = min(map(_rank, same))
            believed = [pair for pair in same if _rank(pair) == first]
            if len({pair.positive for pair in believed}) > 1:
                self._left_out[CONTRADICTED] += len(same)
                continue
            agreed.append(max(believed, key=lambda pair: pair.grade))
            self._left_out[AGAIN] += len(same) - 1
        return agreed

    def _stored(self, places: set[Place]) -> dict[Place, dict[Modality, np.ndarray]]:
        """What is stored of contents and moments: the mean of each modality's vectors; nothing of a place without any."""
        by_content: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for content_id, stretch in places:
            by_content[content_id].add(stretch)
        found: dict[Place, dict[Modality, np.ndarray]] = {place: {} for place in places}
        contents = sorted(by_content)
        for start in range(0, len(contents), READ_AT_ONCE):
            ids, owners, segments = self.catalog.embeddings_of(contents[start : start + READ_AT_ONCE], self.space.id)
            vectors = self.catalog.vectors(ids)
            rows: dict[tuple[int, tuple[int, int], Modality], list[int]] = defaultdict(list)
            for row, (owner, segment) in enumerate(zip(owners.tolist(), segments, strict=True)):
                if segment.modality is Modality.WHOLE:
                    continue  # joined of the others
                for stretch in by_content[owner]:
                    if stretch == (0, 0) or (segment.start_ms < stretch[1] and stretch[0] < segment.end_ms):
                        rows[owner, stretch, segment.modality].append(row)
            for (owner, stretch, modality), mine in rows.items():
                found[owner, stretch][modality] = unit_mean(vectors[mine])
        return found

    def _encoded(self, texts: set[str]) -> dict[str, np.ndarray]:
        """What the encoder makes of texts; those that it does not take are left out."""
        if not texts:
            return {}
        encoder = self._load()
        if Modality.TEXT not in encoder.modalities:
            raise UnsupportedModality(self.space.space.spec, "text")
        found: dict[str, np.ndarray] = {}
        ordered = sorted(texts)
        for start in range(0, len(ordered), TEXTS_AT_ONCE):
            found |= _encoded_at_once(encoder, ordered[start : start + TEXTS_AT_ONCE])
        return found

    def _is_there(self, pair: _Said, words: Mapping[str, np.ndarray], stored: Mapping[Place, Mapping[Modality, np.ndarray]]) -> bool:
        if isinstance(pair.query, str) and pair.query not in words:
            self._left_out[NOT_ENCODED] += 1
            return False
        lacking = [place for place in (pair.query, pair.target) if not isinstance(place, str) and not stored[place]]
        if lacking:
            self._left_out[NO_VECTORS if lacking[0][1] == (0, 0) else NO_MOMENT] += 1
        return not lacking

    def _built(
        self,
        said: Sequence[_Said],
        words: Mapping[str, np.ndarray],
        stored: Mapping[Place, Mapping[Modality, np.ndarray]],
        least: float | None,
    ) -> Examples:
        shown = self._in_order({place for pair in said for place in (pair.query, pair.target) if not isinstance(place, str)})
        turn = {place: number for number, place in enumerate(shown)}
        names = self._names({content_id for content_id, _ in shown})
        asked: list[tuple[Query, Modality, np.ndarray]] = []
        rows_of: dict[str | Place, list[int]] = defaultdict(list)
        for text in sorted({pair.query for pair in said if isinstance(pair.query, str)}):
            rows_of[text].append(len(asked))
            asked.append((Query(text), Modality.TEXT, words[text]))
        for place in sorted({pair.query for pair in said if not isinstance(pair.query, str)}, key=turn.__getitem__):
            label = _label(names.get(place[0], ""), place[1])
            for modality in sorted(stored[place]):
                rows_of[place].append(len(asked))
                asked.append((Query(label, *place), modality, stored[place][modality]))
        answering = sorted({pair.target for pair in said}, key=turn.__getitem__)
        targets = [Target(*place, modality) for place in answering for modality in sorted(stored[place])]
        target_rows: dict[Place, list[int]] = defaultdict(list)
        for row, target in enumerate(targets):
            target_rows[target.content_id, target.stretch].append(row)
        edges = sorted(
            (query, target, pair.positive, pair.grade, pair.source)
            for pair in said
            for query in rows_of[pair.query]
            for target in target_rows[pair.target]
        )
        groups = self._groups(shown, stored, least)
        sources = tuple(sorted({pair.source for pair in said}, key=_order))
        dim = self.space.space.dim
        return Examples(
            queries=tuple(query for query, _, _ in asked),
            query_vectors=_stacked([vector for _, _, vector in asked], dim),
            query_modalities=tuple(modality for _, modality, _ in asked),
            query_groups=np.array([-1 if query.content_id is None else groups[query.content_id] for query, _, _ in asked], np.int64),
            targets=tuple(targets),
            target_vectors=_stacked([stored[target.content_id, target.stretch][target.modality] for target in targets], dim),
            groups=np.array([groups[target.content_id] for target in targets], np.int64),
            query_of=np.array([edge[0] for edge in edges], np.int64),
            target_of=np.array([edge[1] for edge in edges], np.int64),
            positive=np.array([edge[2] for edge in edges], bool),
            weights=np.array([edge[3] for edge in edges], np.float32),
            sources=sources,
            source_of=np.array([sources.index(edge[4]) for edge in edges], np.int64),
            left_out={reason: count for reason, count in sorted(self._left_out.items()) if count},
        )

    def _in_order(self, places: set[Place]) -> list[Place]:
        """Places by the hashes of their contents: ids depend on which file was decoded first, and what is drawn must not."""
        digests = self.catalog.digests({content_id for content_id, _ in places})
        return sorted(places, key=lambda place: (digests[place[0]], place[1]))

    def _groups(self, shown: Sequence[Place], stored: Mapping[Place, Mapping[Modality, np.ndarray]], least: float | None) -> dict[int, int]:
        """The group of each content, numbered in the order in which they are shown."""
        contents = list(dict.fromkeys(content_id for content_id, _ in shown))
        turn = {content_id: number for number, content_id in enumerate(contents)}
        rows = [(turn[place[0]], modality, vector) for place in shown for modality, vector in sorted(stored[place].items())]
        pictures = [content_id for content_id, info in self.catalog.content_info(contents).items() if info.kind is Kind.IMAGE]
        prints = {turn[content_id]: taken for content_id, taken in Fingerprints(self.catalog).read(pictures, VERSION).items()}
        vectors = _stacked([vector for _, _, vector in rows], self.space.space.dim)
        groups = near_groups([number for number, _, _ in rows], vectors, [modality for _, modality, _ in rows], prints, least)
        return {content_id: groups[number] for content_id, number in turn.items()}

    def _names(self, contents: set[int]) -> dict[int, str]:
        return {content_id: assets[0].relative for content_id, assets in self.catalog.assets_of(sorted(contents)).items()}


def _encoded_at_once(encoder: Encoder, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Encode texts together, and by halves where there is one among them that the encoder does not take."""
    try:
        return dict(zip(texts, np.asarray(encoder.encode_text(texts), np.float32), strict=True))
    except BadQuery:
        if len(texts) == 1:
            return {}
    middle = len(texts) // 2
    return _encoded_at_once(encoder, texts[:middle]) | _encoded_at_once(encoder, texts[middle:])


def _same(text: str) -> str:
    """By what texts are one: without capitals and with single spaces."""
    return " ".join(text.split()).casefold()


def _spellings(texts: Iterator[str]) -> dict[str, str]:
    """The spelling that each text is encoded in: the one that comes most often, of equal ones the first of the alphabet."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        counts[_same(text)][" ".join(text.split())] += 1
    return {same: min(spelt, key=lambda text: (-spelt[text], text)) for same, spelt in counts.items()}


def _label(name: str, stretch: tuple[int, int]) -> str:
    return str(Reference(Path(name), *stretch)) if stretch != (0, 0) else name


def _order(source: str) -> tuple[int, str]:
    known = (FILE, *SOURCES)
    return (known.index(source) if source in known else len(known)), source


def _rank(pair: _Said) -> tuple[int, str]:
    return _order(pair.source)


def _stacked(vectors: Sequence[np.ndarray], dim: int) -> np.ndarray:
    return np.stack(vectors).astype(np.float32) if vectors else np.empty((0, dim), np.float32)
