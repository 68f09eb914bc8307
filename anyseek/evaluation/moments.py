"""How well the moments of hits lie on the stretches that are judged right."""

from __future__ import annotations

from collections.abc import Sequence

from .judged import Stretch
from .questions import Truth
from .results import Found

__all__ = ["ENOUGH", "moment_values"]

ENOUGH = 0.5
"""The intersection over union from which on a moment counts as found, as benchmarks of moment retrieval have it."""


def moment_values(found: Sequence[Found], truths: Sequence[Truth]) -> dict[str, float]:
    """Measure the best hit of one query.

    The best hit is the first one of a kind in which stretches are judged (films, say: in a list of mixed kinds photos are passed over) that
    is not right as a whole file, for then there is no stretch to compare with. If its file is wrong, all is 0.

    Args:
        found: Hits, the best first.
        truths: The right answers.

    Returns:
        ``iou`` of its best moment with the right stretch that it fits best, ``iou any`` of the best of all its moments, and for both
        whether that is `ENOUGH`, as 1 or 0. Nothing if no right answer has stretches.
    """
    stretches = {truth.content_id: truth.stretches for truth in truths if truth.stretches}
    if not stretches:
        return {}
    kinds = {truth.kind for truth in truths if truth.stretches}
    best = next((hit for hit in found if hit.kind in kinds and (hit.truth is None or hit.truth.stretches)), None)
    right = stretches.get(best.content_id, ()) if best is not None else ()
    moments = best.moments if best is not None else ()
    first = max((_fit(moment, right) for moment in moments[:1]), default=0.0)
    any_of = max((_fit(moment, right) for moment in moments), default=0.0)
    return {
        "iou": first,
        f"iou>={ENOUGH}": float(first >= ENOUGH),
        "iou any": any_of,
        f"iou any>={ENOUGH}": float(any_of >= ENOUGH),
    }


def _fit(moment: Stretch, stretches: Sequence[Stretch]) -> float:
    return max((moment.iou(stretch) for stretch in stretches), default=0.0)
