"""Neighbouring segments that answer the query together are one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ..types import Modality, Segment
from .relevance import relevance_of

__all__ = ["Moment", "merge_moments"]

SHARES = {"seen": 0.3, "heard": 0.5}  # pictures are cut where shots end, sound wherever a window is full: docs/moments.md
MAX_GAP_MS = 500
SAME_FROM = 0.5
SIGNALS = ("seen", "heard")
SIGNAL_OF = {Modality.IMAGE: "seen", Modality.VIDEO: "seen", Modality.AUDIO: "heard"}
"""Of what is WHOLE, the rest of its content tells: it ends where what is seen in it does, or what is heard where nothing is seen."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of a sound or film that answers the query.

    Attributes:
        start_ms: First millisecond.
        end_ms: The millisecond after the last.
        best_ms: Where to look or listen first.
        score: Of its best segment: the log-odds of being relevant.
        signals: ``seen``, ``heard`` or both.
    """

    start_ms: int
    end_ms: int
    best_ms: int
    score: float
    signals: tuple[str, ...]

    @property
    def relevance(self) -> float:
        """Of its best segment, in [0, 1]."""
        return relevance_of(self.score)


def merge_moments(
    segments: Sequence[Segment],
    scores: Sequence[float],
    *,
    shares: Mapping[str, float] = SHARES,
    tolerance: float = 1.0,
    max_gap_ms: int = MAX_GAP_MS,
) -> list[Moment]:
    """Join the segments of one content that hold together: those that score near its best one and not near what is usual in it.

    How far below the best a segment may lie depends on the content: a share of the way from the best down to the median of all that is
    seen in it, or heard, whichever the best is; at least `tolerance`, so that a film which answers from its beginning to its end is one
    moment. What is seen and what is heard are joined apart, since pictures end at cuts and sounds at the ends of windows; where both are
    about the same stretch, they are one moment with the ends of the better one. What is WHOLE counts among what is
    seen, or heard where nothing is seen, whose ends it has; a moment whose best segment is WHOLE is seen and heard as far as there is
    something of both.

    Args:
        segments: All segments of the content, in any order and in any number of spaces.
        scores: One per segment, log-odds of being relevant.
        shares: Of that way, in [0, 1], by the signal of the best segment. More makes longer moments.
        tolerance: In log-odds, 0 or more. Segments that lie no further below the best always belong.
        max_gap_ms: Widest gap between segments that still belong together.

    Returns:
        Moments, the best first; those of equal score in order of time. Those of one signal neither touch nor overlap.
    """
    known = {SIGNAL_OF[segment.modality] for segment in segments if segment.modality is not Modality.WHOLE}
    of_wholes = "heard" if known == {"heard"} else "seen"
    rows = sorted(
        (_Row(segment, float(score), SIGNAL_OF.get(segment.modality, of_wholes)) for segment, score in zip(segments, scores, strict=True)),
        key=lambda row: (row.segment.start_ms, row.segment.end_ms, row.segment.modality, row.score),
    )
    if not rows:
        return []
    best = max(rows, key=lambda row: row.score)
    usual = median(row.score for row in rows if row.signal == best.signal)
    floor = best.score - max(tolerance, shares[best.signal] * (best.score - usual))
    kept = [row for row in rows if row.score >= floor]
    apart = [_moment(group, rows) for signal in SIGNALS for group in _neighbours((row for row in kept if row.signal == signal), max_gap_ms)]
    return _joined(sorted(apart, key=_rank))


@dataclass(frozen=True, slots=True)
class _Row:
    segment: Segment
    score: float
    signal: str


def _neighbours(rows: Iterable[_Row], max_gap_ms: int) -> list[list[_Row]]:
    """Cut rows, in order of time, wherever nothing lies for longer than `max_gap_ms`."""
    groups: list[list[_Row]] = []
    reached = 0
    for row in rows:
        if groups and row.segment.start_ms <= reached + max_gap_ms:
            groups[-1].append(row)
            reached = max(reached, row.segment.end_ms)
        else:
            groups.append([row])
            reached = row.segment.end_ms
    return groups


def _moment(group: Sequence[_Row], rows: Sequence[_Row]) -> Moment:
    best = max(group, key=lambda row: row.score)
    told = {best.signal} if best.segment.modality is not Modality.WHOLE else {row.signal for row in rows if _meet(best, row)}
    return Moment(
        start_ms=group[0].segment.start_ms,
        end_ms=max(row.segment.end_ms for row in group),
        best_ms=best.segment.start_ms if best.segment.frame_ms is None else best.segment.frame_ms,
        score=best.score,
        signals=tuple(signal for signal in SIGNALS if signal in told),
    )


def _meet(one: _Row, other: _Row) -> bool:
    """Whether two segments have a time in common, be it none at all."""
    if one is other or (one.segment.start_ms, one.segment.end_ms) == (other.segment.start_ms, other.segment.end_ms):
        return True
    return one.segment.start_ms < other.segment.end_ms and other.segment.start_ms < one.segment.end_ms


def _rank(moment: Moment) -> tuple[float, int, int, int]:
    return -moment.score, moment.start_ms, moment.end_ms, SIGNALS.index(moment.signals[0])


def _joined(moments: Iterable[Moment]) -> list[Moment]:
    """Let each moment, the best first, take in those of the other signal that are about the same stretch."""
    found: list[Moment] = []
    for moment in moments:
        same = next((place for place, better in enumerate(found) if _is_same(better, moment)), None)
        if same is None:
            found.append(moment)
        else:
            found[same] = replace(found[same], signals=SIGNALS)
    return found


def _is_same(better: Moment, other: Moment) -> bool:
    """Whether two moments of different signals have at least half of their union in common; those of one signal have nothing."""
    overlap = min(better.end_ms, other.end_ms) - max(better.start_ms, other.start_ms)
    return overlap > 0 and overlap >= SAME_FROM * (max(better.end_ms, other.end_ms) - min(better.start_ms, other.start_ms))
