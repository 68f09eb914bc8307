"""What a search answers: hits, each an asset and where in it to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ..storage.catalog import Catalog, ContentInfo, LocatedAsset
from ..types import Capture, Kind
from .candidates import Candidate
from .lookup import Scored
from .moments import Moment, merge_moments
from .query import Query
from .references import reference_to
from .refinement import LIKED, LIKED_WEIGHT, REJECTED, REJECTED_WEIGHT
from .relevance import relevance_of

__all__ = ["Answer", "Explanation", "Hit", "PartMatch", "hits_of", "tagged"]


@dataclass(frozen=True, slots=True)
class PartMatch:
    """What one part of a query has to do with a hit.

    Attributes:
        name: What sort of part it is: ``text``, ``image``, ``audio``, ``video`` or ``like``; ``liked`` and ``rejected`` for what the query
            was refined by.
        label: What was asked.
        weight: How much it was to count.
        contribution: How much of the hit's cosine it gives; None where the segment was found by other parts.
        relevance: How relevant the hit is to this part alone; None where that was not asked: of what the query was refined by, and of a
            single part that was.
    """

    name: str
    label: str
    weight: float
    contribution: float | None
    relevance: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a hit came about.

    Attributes:
        asked: What sort of query it answers, in the space that found it: ``text``, ``image``, …; several joined by ``+``.
        found: The modality of the segment that was found.
        space: The spec of the space that found it.
        bridge: As in `Hit`.
        cosine: Of the segment with the query.
        correction: What was taken off the cosine, because the segment is near everything.
        relevance: What that comes to, less what the parts that push away take off.
        parts: One for each part of the query that has a weight.
        adapter: The name of the adapter that the query went through; None if there was none.
    """

    asked: str
    found: str
    space: str
    bridge: str | None
    cosine: float
    correction: float
    relevance: float
    parts: tuple[PartMatch, ...]
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: an asset and where in it to look.

    Attributes:
        relevance: How sure it is that this is what was meant, from 0 to 1.
        score: What hits are ranked by, higher is better; comparable within one answer. The log-odds of the relevance, so that what is
            nearly sure has an order, too; with reciprocal rank fusion the sum of the reciprocal ranks.
        path: Where the file lies.
        kind: What it is.
        start_ms: Start of its best moment; None for a picture.
        end_ms: End of its best moment; None for a picture.
        best_ms: The instant to look at or listen to first; None for a picture.
        signals: What matched: ``seen``, ``heard``.
        moments: Its moments, the best first; empty for a picture.
        captured: When it was taken: as the file says, else when the file was last changed (origin ``mtime``).
        asset_id: Of the library.
        info: What is known of the content.
        space: The spec of the space that found it.
        cosine: Of its best segment with the query, in that space; not comparable with those of other spaces or kinds.
        bias: What was taken off the cosine, because the segment is near everything; 0 where the space needs no such correction.
        bridge: How what that space does not understand by itself was brought there, such as ``ridge: open_clip:… → clap:…``; None if
            nothing was.
        tags: What it was tagged with, by confidence.
        explanation: If it was asked for.
    """

    relevance: float
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
    bias: float
    bridge: str | None = None
    tags: tuple[str, ...] = ()
    explanation: Explanation | None = None

    @property
    def reference(self) -> str:
        """What to ask for more of the same with, such as ``film.mp4@0:12.000-0:18.500``; see `anyseek.search.references`."""
        return reference_to(self.path, self.start_ms, self.end_ms)


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of one query, the best first, and how they came about.

    Attributes:
        searched: How many segments were searched, in all spaces together.
        took_ms: How long it took.
        notes: What a user should hear about.
        timings: Milliseconds by stage, see `anyseek.search.timings.STAGES`.
        spaces: The specs of the spaces that the library has.
        min_relevance: Hits of less were left out.
        cursor: Give it with the same question for the next page; None where there is none.
    """

    hits: tuple[Hit, ...] = ()
    searched: int = 0
    took_ms: float = 0.0
    notes: tuple[str, ...] = field(default=())
    timings: Mapping[str, float] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()
    min_relevance: float = 0.0
    cursor: str | None = None

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


def hits_of(catalog: Catalog, candidates: Sequence[Candidate], query: Query, least: float, tolerance: float) -> list[Hit]:
    """Make hits of contents: every asset that has the content and satisfies the condition is one. They are in no particular order.

    Args:
        catalog: Knows the assets.
        candidates: Contents with their segments.
        query: What is asked.
        least: The score that a moment must have to be told beside the best.
        tolerance: How far apart two scores may be and yet say the same.
    """
    contents = [candidate.content_id for candidate in candidates]
    infos = catalog.content_info(contents)
    assets = catalog.assets_of(contents, where=query.where)
    hits: list[Hit] = []
    for candidate in candidates:
        here = assets.get(candidate.content_id, [])
        if here:
            segments, scores = zip(*((one.segment, one.score) for one in candidate.segments), strict=True)
            moments = merge_moments(segments, scores, tolerance=tolerance)
            moments = [moment for place, moment in enumerate(moments) if place == 0 or moment.score >= least]
            best = max(candidate.segments, key=lambda one: (one.score, -one.segment.start_ms))
            info = infos[candidate.content_id]
            explanation = _explanation(candidate, best, query) if query.explain else None
            hits.extend(_hit(asset, info, moments[: query.moments], best, candidate, explanation) for asset in here)
    return hits


def tagged(catalog: Catalog, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The same hits with the tags that their contents have, the surest first."""
    tags = catalog.tags_of({hit.info.id for hit in hits})
    return tuple(replace(hit, tags=tuple(tags.get(hit.info.id, ()))) for hit in hits)


def _hit(
    asset: LocatedAsset, info: ContentInfo, moments: Sequence[Moment], found: Scored, candidate: Candidate, explanation: Explanation | None
) -> Hit:
    best = moments[0]
    assert info.kind is not None  # only contents that could not be read have none, and those have no vectors
    timed = info.kind is not Kind.IMAGE
    return Hit(
        relevance=relevance_of(candidate.score),
        score=candidate.value,
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
        bias=found.correction,
        bridge=found.probe.bridge,
        explanation=explanation,
    )


def _explanation(candidate: Candidate, found: Scored, query: Query) -> Explanation:
    matches = []
    for number, part in enumerate(query.counted):
        alone = None if query.refinement.liked or query.refinement.rejected else relevance_of(candidate.score)
        relevance = candidate.answered[number] if candidate.answered else alone
        matches.append(PartMatch(part.name, part.label, part.weight, found.contributions.get(number), relevance))
    for number, name, weight, judged in (
        (LIKED, "liked", LIKED_WEIGHT, query.refinement.liked),
        (REJECTED, "rejected", -REJECTED_WEIGHT, query.refinement.rejected),
    ):
        if judged:
            matches.append(PartMatch(name, f"{name} {len(judged)}", weight, found.contributions.get(number), None))
    return Explanation(
        asked="+".join(found.probe.asked),
        found=found.segment.modality.value,
        space=found.probe.space.spec,
        bridge=found.probe.bridge,
        cosine=found.cosine,
        correction=found.correction,
        relevance=relevance_of(candidate.score),
        parts=tuple(matches),
        adapter=found.probe.adapter,
    )


def _capture_of(asset: LocatedAsset, info: ContentInfo) -> Capture:
    if info.captured_at is not None and info.captured_origin is not None:
        return Capture(info.captured_at, info.captured_origin)
    return Capture(datetime.fromtimestamp(asset.mtime_ns / 1e9, UTC), "mtime")
