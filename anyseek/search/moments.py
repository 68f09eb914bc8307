"""Neighbouring segments that match belong to one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..types import Modality, Segment
from .relevance import relevance_of

__all__ = ["Moment", "merge_moments"]

KEEP_RATIO = 0.85
MAX_GAP_MS = 500
SIGNALS = {"seen": {Modality.IMAGE, Modality.VIDEO}, "heard": {Modality.AUDIO}}


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of a sound or film that answers the query.

    Attributes:
        start_ms: First millisecond.
        end_ms: The millisecond after the last.
        best_ms: Where to look or listen first.
        score: Of its best segment; higher is better.
        signals: ``seen``, ``heard`` or both.
    """

    start_ms: int
    end_ms: int
    best_ms: int
    score: float
    signals: tuple[str, ...]

    @property
    def relevance(self) -> float:
        """In [0, 1], of its score."""
        return relevance_of(self.score)


def merge_moments(
    segments: Sequence[Segment], scores: Sequence[float], *, keep_ratio: float = KEEP_RATIO, max_gap_ms: int = MAX_GAP_MS
) -> list[Moment]:
    """Join the segments of one content that score nearly as well as its best one and lie next to each other.

    Args:
        segments: All segments of the content, in any order.
        scores: One per segment, higher is better.
        keep_ratio: Segments that score less than this share of the best one are left out.
        max_gap_ms: Widest gap between segments that still belong together.

    Returns:
        Moments, the best first; those of equal score in order of time.
    """
    if not segments:
        return []
    best = max(scores)
    floor = best * keep_ratio if best > 0 else best
    kept = sorted(
        ((segment, score) for segment, score in zip(segments, scores, strict=True) if score >= floor),
        key=lambda item: (item[0].start_ms, item[0].end_ms),
    )
    groups: list[list[tuple[Segment, float]]] = []
    reached = 0
    for segment, score in kept:
        if groups and segment.start_ms <= reached + max_gap_ms:
            groups[-1].append((segment, score))
            reached = max(reached, segment.end_ms)
        else:
            groups.append([(segment, score)])
            reached = segment.end_ms
    return sorted(map(_moment, groups), key=lambda moment: (-moment.score, moment.start_ms))


def _moment(group: list[tuple[Segment, float]]) -> Moment:
    best, score = max(group, key=lambda item: (item[1], -item[0].start_ms))
    modalities = {segment.modality for segment, _ in group}
    signals = tuple(name for name, of in SIGNALS.items() if of & modalities)
    return Moment(
        start_ms=min(segment.start_ms for segment, _ in group),
        end_ms=max(segment.end_ms for segment, _ in group),
        best_ms=best.start_ms if best.frame_ms is None else best.frame_ms,
        score=score,
        signals=signals,
    )
