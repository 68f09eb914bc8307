"""Questions as people put them, made into queries: texts, files, and references to what the library holds."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import BadQuery, UnsupportedModality
from .filters import Condition, parse
from .search.fusion import fusion_named
from .search.judged import Named, judged
from .search.query import Example, Part, Query, Text, checked_order
from .search.references import Reference, reference_to
from .search.timings import Stopwatch
from .storage.catalog import Catalog, QueryKey
from .types import Decoded, Kind, Modality

if TYPE_CHECKING:
    from .search.engine import Engine
    from .search.fusion import Fusion

__all__ = ["Asked", "checked_weights"]

PUSHING = ("negative", "unlike")

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Asked:
    """A question; `anyseek.library.Library.search` says what each field is.

    Attributes:
        similar_to: A file of the library that is itself the question, and no answer to it.
    """

    text: Sequence[str] = ()
    negative: Sequence[str] = ()
    image: Sequence[Path] = ()
    audio: Sequence[Path] = ()
    video: Sequence[Path] = ()
    like: Sequence[Reference] = ()
    unlike: Sequence[Reference] = ()
    similar_to: Reference | None = None
    liked: Sequence[Reference] = ()
    rejected: Sequence[Reference] = ()
    session: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    kinds: frozenset[Kind] = frozenset()
    where: str | Condition | None = None
    fusion: str | Fusion = "mean"
    min_relevance: float | None = None
    order: str = "relevance"
    reverse: bool = False
    moments: int | None = None
    explain: bool = False
    limit: int = 10
    cursor: str | None = None

    def query(self, engine: Engine, catalog: Catalog, watch: Stopwatch) -> Query:
        """Make a query of it: decode the examples, look up what the library holds already.

        Raises:
            BadQuery: It cannot be asked.
            MediaError: An example cannot be read.
            UnsupportedModality: No encoder understands an example.
        """
        weights = self._weights()
        parts: list[Part] = [Text(text, weight) for text, weight in _shared(self.text, weights["text"])]
        parts += [Text(text, weight) for text, weight in _shared(self.negative, weights["negative"])]
        for kind, paths in ((Kind.IMAGE, self.image), (Kind.AUDIO, self.audio), (Kind.VIDEO, self.video)):
            parts += [_example(engine, path, kind, weight, watch) for path, weight in _shared(paths, weights[kind.value])]
        without: frozenset[int] = frozenset()
        for name, references in (("like", self.like), ("unlike", self.unlike)):
            for reference, weight in _shared(references, weights[name]):
                parts.append(engine.stored(_content_of(catalog, reference), weight, **_stretch(reference)))
        if self.similar_to is not None:
            content_id = _content_of(catalog, self.similar_to)
            parts.append(engine.stored(content_id, **_stretch(self.similar_to)))
            without = frozenset({content_id})
        refinement, rejected = judged(
            engine, catalog, self._named(catalog, self.liked), self._named(catalog, self.rejected), self._recorded(catalog)
        )
        return Query(
            tuple(parts),
            self.kinds,
            self.limit,
            without | rejected,
            parse(self.where) if isinstance(self.where, str) else self.where,
            fusion_named(self.fusion, engine.trained),
            self.min_relevance,
            checked_order(self.order),
            self.reverse,
            self.moments,
            self.explain,
            self.cursor,
            refinement,
        )

    @staticmethod
    def _named(catalog: Catalog, references: Sequence[Reference]) -> list[Named]:
        return [Named(_content_of(catalog, reference), reference.stretch, _stretch(reference)["label"]) for reference in references]

    def _recorded(self, catalog: Catalog) -> tuple[str, QueryKey] | None:
        """The session, and by what the question is known there: its words, or else the one file that it is about."""
        if self.session is None:
            return None
        if len(self.text) == 1:
            return self.session, QueryKey.words(self.text[0])
        like = [*self.like, *([self.similar_to] if self.similar_to is not None else [])]
        if len(self.text) or len(like) != 1:
            raise BadQuery(
                "a session knows queries by their words, or by the one file of the library that they are about: "
                "name what was liked with --liked, and what was not with --rejected"
            )
        (asked,) = self._named(catalog, like)
        return self.session, QueryKey.like(asked.content_id, asked.stretch)

    def _weights(self) -> Mapping[str, float]:
        names = ("text", "negative", "image", "audio", "video", "like", "unlike")
        given = checked_weights(self.weights, [name for name in names if getattr(self, name)])
        return {name: given.get(name, 1.0) * (-1 if name in PUSHING else 1) for name in names}


def checked_weights(weights: Mapping[str, float], given: Collection[str]) -> Mapping[str, float]:
    """See that weights are numbers, and of parts that there are.

    Raises:
        BadQuery: One is not.
    """
    for name, weight in weights.items():
        if name not in given:
            raise BadQuery(f"there is no part called {name!r} to give a weight to: the query has {' and '.join(given) or 'none'}")
        if not math.isfinite(weight):
            raise BadQuery(f"{weight} is no weight for {name}: use an ordinary number, 1 for as much as the others")
    return weights


def _shared(things: Sequence[Thing], weight: float) -> list[tuple[Thing, float]]:
    """Several things of one sort count together as much as one."""
    return [(thing, weight / len(things)) for thing in things]


def _stretch(reference: Reference) -> dict[str, Any]:
    return {
        "start_ms": reference.start_ms,
        "end_ms": reference.end_ms,
        "label": reference_to(Path(reference.path.name), reference.start_ms, reference.end_ms),
    }


def _content_of(catalog: Catalog, reference: Reference) -> int:
    absolute = Path(os.path.abspath(reference.path))  # noqa: PTH100 - links stay as they were indexed
    asset = catalog.find_asset(absolute)
    if asset is None or asset.content_id is None:
        place = catalog.folder.path
        raise BadQuery(f"{reference.path} is not in the library at {place}: index it, or search by it with --image, --audio or --video")
    return asset.content_id


def _example(engine: Engine, path: Path, kind: Kind, weight: float, watch: Stopwatch) -> Example:
    """Decode a file as each space's encoder wants it."""
    from .indexer.lanes import Lane
    from .media.open import open_media
    from .media.protocol import DecodeOptions

    needed = {Kind.IMAGE: {Modality.IMAGE}, Kind.AUDIO: {Modality.AUDIO}, Kind.VIDEO: {Modality.IMAGE, Modality.AUDIO}}[kind]
    spaces = engine.spaces
    able = [space for space in spaces if any(space.takes(modality, watch) for modality in needed)]
    lost = next((space.lost for space in spaces if space.lost is not None), None)
    if not able and lost is not None:
        raise lost
    if not able:
        raise UnsupportedModality(" and ".join(space.spec for space in spaces), kind.value)
    segments: dict[int, tuple[Decoded, ...]] = {}
    for space in able:
        with watch.time("example"), open_media(path, Lane(space.row, space.encoder).decode(DecodeOptions())) as media:
            found = media.info.kind
            if found is not kind:
                raise BadQuery(f"{path} is {_a(found)}, not {_a(kind)}: give it with --{found.value}")
            segments[space.id] = tuple(media.segments())
    return Example(kind, segments, weight, path.name)


def _a(kind: Kind) -> str:
    return {Kind.IMAGE: "a picture", Kind.AUDIO: "a sound", Kind.VIDEO: "a film"}[kind]
