"""Whether what was trained may be switched on: only where it is measured to be better, and costs other queries next to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ..evaluation.intervals import Interval
from .drift import Drift
from .figures import Compared

__all__ = ["MOST_LOST", "Verdict", "decide"]

MOST_LOST = 0.01
"""What unrelated queries may lose of `recall@10`: one point of a hundred."""
NOTHING = 0.0005
SATURATED = 0.95
"""From this share of what `recall@10` can be at most, it has no room to show an improvement."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided, and why.

    Attributes:
        passed: Whether it may be switched on.
        measure: By which it was judged: ``recall@10``, or ``mAP`` where recall was next to perfect before.
        interval: Of the difference; None of too few queries.
        lost: What unrelated queries lose, in [0, 1]; None where nobody can tell.
        reason: The same in words.
    """

    passed: bool
    measure: str
    interval: Interval | None
    lost: float | None
    reason: str


def decide(overall: Compared, general: Compared | None, drift: Drift | None) -> Verdict:
    """Judge by the held-out queries, and by what is lost elsewhere.

    Args:
        overall: All held-out queries.
        general: The user's own unrelated queries, if there are any; they count instead of the captions.
        drift: What becomes of the reference captions.
    """
    measure = _measure(overall)
    interval = overall.differences.get(measure)
    lost, of_what = None, ""
    if general is not None:
        lost = general.before.means["recall@10"] - general.after.means["recall@10"]
        of_what = f"{general.queries:,} unrelated queries {'gain' if lost < -NOTHING else 'lose'} {_points(abs(lost))} of recall@10"
    elif drift is not None:
        lost = drift.lost
        of_what = f"{_points(lost)} of the first three hits of the reference captions are not among the first ten any more"
    if interval is None:
        return Verdict(False, measure, None, lost, f"{overall.answers:,} held-out pairs are too few to tell whether it is better")
    told = f"held-out {measure} changes by {interval.difference:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
    if interval.low <= 0:
        return Verdict(False, measure, interval, lost, f"it is not surely better: {told}, an interval that does not lie above 0")
    if lost is not None and lost > MOST_LOST:
        return Verdict(False, measure, interval, lost, f"it costs other queries too much: {of_what}, and 1 point is the most; {told}")
    return Verdict(True, measure, interval, lost, f"{told}" + (f"; {of_what}" if of_what else ""))


def _measure(overall: Compared) -> str:
    """Recall at ten is what people notice; where it cannot rise, the places of the right answers among the first hits still can."""
    return "recall@10" if overall.before.means["recall@10"] < SATURATED * overall.attainable else "mAP"


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
