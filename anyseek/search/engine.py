"""The plan of a search: encode, fuse, filter, look up, score, merge into moments, group by asset."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ..encoders.protocol import Encoder
from ..storage.catalog import Catalog, ContentInfo, LocatedAsset, SpaceRow
from ..storage.space_index import SpaceIndex
from ..types import Capture, Kind
from .fusion import weighted_mean
from .moments import Moment, merge_moments
from .query import Query, encode_parts
from .relevance import RawCosine, Relevance

__all__ = ["Answer", "Engine", "Hit"]

OVERFETCH = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: an asset and where in it to look.

    Attributes:
        score: Higher is better; comparable within one answer.
        path: Where the file lies.
        kind: What it is.
        start_ms: Start of its best moment; None for a picture.
        end_ms: End of its best moment; None for a picture.
        best_ms: The instant to look at or listen to first; None for a picture.
        signals: What matched: ``seen``, ``heard``.
        moments: All moments, the best first; empty for a picture.
        captured: When it was taken: as the file says, else when the file was last changed (origin ``mtime``).
        asset_id: Of the library.
        info: What is known of the content.
    """

    score: float
    path: Path
    kind: Kind
    start_ms: int | None
    end_ms: int | None
    best_ms: int | None
    signals: tuple[str, ...]
    moments: tuple[Moment, ...]
    captured: Capture
    asset_id: int
    info: ContentInfo


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of one query, the best first, and how they came about."""

    hits: tuple[Hit, ...] = ()
    searched: int = 0
    took_ms: float = 0.0
    notes: tuple[str, ...] = field(default=())

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


class Engine:
    """Answers queries on one space of a library. Safe to use from several threads."""

    def __init__(self, catalog: Catalog, space: SpaceRow, index: SpaceIndex, encoder: Encoder, relevance: Relevance | None = None) -> None:
        self.catalog = catalog
        self.space = space
        self.index = index
        self.encoder = encoder
        self.relevance = relevance or RawCosine()

    def answer(self, query: Query) -> Answer:
        """Run the plan.

        Raises:
            BadQuery: The query cannot be asked.
            UnsupportedModality: The encoder cannot take a part of it.
        """
        started = time.perf_counter()
        vector = weighted_mean(encode_parts(query.parts, self.encoder), [part.weight for part in query.parts])
        allowed = self.catalog.live_embeddings(self.space.id, kinds=query.kinds or None)
        contents = self._best_contents(vector, query, allowed)
        hits = self._hits(vector, contents, query)
        return Answer(hits, len(allowed), (time.perf_counter() - started) * 1000, tuple(self._notes(query, allowed)))

    def _best_contents(self, vector: np.ndarray, query: Query, allowed: np.ndarray) -> list[int]:
        """Contents in order of their best segment: widen the search until there are enough, or nothing is left."""
        k = query.limit * OVERFETCH
        while True:
            k = min(k, len(allowed))
            if k == 0:
                return []
            scores, ids = self.index.search(vector[None], k, allowed=allowed)
            rows = self.catalog.segments_of(ids[0][ids[0] >= 0])
            score_of = dict(zip(ids[0].tolist(), scores[0].tolist(), strict=True))
            cosines = np.array([score_of[row.embedding_id] for row in rows], np.float32)
            ranked = self.relevance.scores(cosines, [row.kind for row in rows])
            order = np.argsort(-ranked, kind="stable")
            contents = list(dict.fromkeys(rows[i].content_id for i in order if rows[i].content_id not in query.without))
            if len(contents) >= query.limit or k == len(allowed):
                return contents[: query.limit]
            k *= 4

    def _hits(self, vector: np.ndarray, contents: list[int], query: Query) -> tuple[Hit, ...]:
        if not contents:
            return ()
        infos = self.catalog.content_info(contents)
        assets = self.catalog.assets_of(contents)
        ids, owners, segments = self.catalog.embeddings_of(contents, self.space.id)
        kinds = [_kind_of(infos[int(owner)]) for owner in owners]
        scores = self.relevance.scores(self.catalog.vectors(ids) @ vector, kinds)
        hits: list[Hit] = []
        for content_id in contents:
            mine = np.flatnonzero(owners == content_id)
            moments = merge_moments([segments[i] for i in mine], [float(scores[i]) for i in mine])
            hits.extend(_hit(asset, infos[content_id], moments) for asset in assets.get(content_id, []))
        hits.sort(key=lambda hit: -hit.score)
        return tuple(hits[: query.limit])

    def _notes(self, query: Query, allowed: Collection[int]) -> list[str]:
        notes = list(self.index.notes)
        if len(allowed) == 0:
            kinds = " or ".join(sorted(query.kinds))
            notes.append(f"the library holds no {kinds} yet" if kinds else "the library is empty: fill it with  anyseek index FOLDER")
        return notes


def _hit(asset: LocatedAsset, info: ContentInfo, moments: list[Moment]) -> Hit:
    best = moments[0]
    kind = _kind_of(info)
    timed = kind is not Kind.IMAGE
    return Hit(
        score=best.score,
        path=asset.path,
        kind=kind,
        start_ms=best.start_ms if timed else None,
        end_ms=best.end_ms if timed else None,
        best_ms=best.best_ms if timed else None,
        signals=best.signals,
        moments=tuple(moments) if timed else (),
        captured=_capture_of(asset, info),
        asset_id=asset.id,
        info=info,
    )


def _kind_of(info: ContentInfo) -> Kind:
    assert info.kind is not None  # only contents that could not be read have none, and those have no vectors
    return info.kind


def _capture_of(asset: LocatedAsset, info: ContentInfo) -> Capture:
    if info.captured_at is not None and info.captured_origin is not None:
        return Capture(info.captured_at, info.captured_origin)
    return Capture(datetime.fromtimestamp(asset.mtime_ns / 1e9, UTC), "mtime")
