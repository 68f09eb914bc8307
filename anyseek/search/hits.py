"""What a search answers: hits, each an asset and where in it to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..storage.catalog import Catalog, ContentInfo, LocatedAsset
from ..types import Capture, Kind
from .lookup import Scored
from .moments import Moment, merge_moments

__all__ = ["Answer", "Hit", "hits_of"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: an asset and where in it to look.

    Attributes:
        score: Higher is better; comparable within one answer. With one space the cosine, with several how many deviations it lies above
            those that such queries get by chance.
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
        space: The spec of the space that found it.
        cosine: Of its best segment with the query, in that space; not comparable with those of other spaces or kinds.
        bridge: How what that space does not understand by itself was brought there, such as ``ridge: open_clip:… → clap:…``; None if
            nothing was.
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
    space: str
    cosine: float
    bridge: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of one query, the best first, and how they came about.

    Attributes:
        searched: How many segments were searched, in all spaces together.
        took_ms: How long it took.
        notes: What a user should hear about.
        timings: Milliseconds by stage, see `anyseek.search.timings.STAGES`.
        spaces: The specs of the spaces that the library has.
    """

    hits: tuple[Hit, ...] = ()
    searched: int = 0
    took_ms: float = 0.0
    notes: tuple[str, ...] = field(default=())
    timings: Mapping[str, float] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


def hits_of(catalog: Catalog, scored: Mapping[int, Sequence[Scored]], limit: int) -> tuple[Hit, ...]:
    """Make hits of contents and all of their segments: every asset that has the content is one.

    Args:
        catalog: Knows the assets.
        scored: Segments by content, the contents in the order that those of equal score are to have.
        limit: Most hits to give.
    """
    infos = catalog.content_info(scored)
    assets = catalog.assets_of(scored)
    hits: list[Hit] = []
    for content_id, segments in scored.items():
        moments = merge_moments([one.segment for one in segments], [one.score for one in segments])
        best = max(segments, key=lambda one: (one.score, -one.segment.start_ms))
        hits.extend(_hit(asset, infos[content_id], moments, best) for asset in assets.get(content_id, []))
    hits.sort(key=lambda hit: -hit.score)
    return tuple(hits[:limit])


def _hit(asset: LocatedAsset, info: ContentInfo, moments: list[Moment], found: Scored) -> Hit:
    best = moments[0]
    assert info.kind is not None  # only contents that could not be read have none, and those have no vectors
    timed = info.kind is not Kind.IMAGE
    return Hit(
        score=best.score,
        path=asset.path,
        kind=info.kind,
        start_ms=best.start_ms if timed else None,
        end_ms=best.end_ms if timed else None,
        best_ms=best.best_ms if timed else None,
        signals=best.signals,
        moments=tuple(moments) if timed else (),
        captured=_capture_of(asset, info),
        asset_id=asset.id,
        info=info,
        space=found.probe.space.spec,
        cosine=found.cosine,
        bridge=found.probe.bridge,
    )


def _capture_of(asset: LocatedAsset, info: ContentInfo) -> Capture:
    if info.captured_at is not None and info.captured_origin is not None:
        return Capture(info.captured_at, info.captured_origin)
    return Capture(datetime.fromtimestamp(asset.mtime_ns / 1e9, UTC), "mtime")
