"""An evaluation as the JSON document that ``anyseek eval --json`` prints; docs/evaluation.md describes its fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .course import Evaluated, Evaluation
from .intervals import Interval
from .judged import Stretch
from .questions import Truth
from .results import Found, Result
from .summary import Group

__all__ = ["as_document"]


def as_document(evaluation: Evaluation) -> dict[str, Any]:
    """Make a document of what JSON knows; a median rank that was not reached is null."""
    return {
        "queries": str(evaluation.queries),
        "library": str(evaluation.library),
        "asked": evaluation.asked,
        "unjudged": list(evaluation.unjudged),
        "missing": [{"query": missing.query, "path": missing.path} for missing in evaluation.missing],
        "cutoffs": list(evaluation.settings.cutoffs),
        "depth": evaluation.settings.depth,
        "min_relevance": evaluation.settings.min_relevance,
        "notes": list(evaluation.notes),
        "configurations": [_configuration(evaluated) for evaluated in evaluation.evaluated],
    }


def _configuration(evaluated: Evaluated) -> dict[str, Any]:
    configuration, summary = evaluated.configuration, evaluated.summary
    return {
        "name": configuration.name,
        "models": list(configuration.models),
        "fusion": configuration.fusion,
        "calibrated": configuration.calibrated,
        "bridge": configuration.bridge,
        "adapter": configuration.adapter,
        "overall": _group(summary.overall),
        "pairs": {group.name: _group(group) for group in summary.pairs},
        "latency_ms": {f"p{percentile}": round(taken, 2) for percentile, taken in summary.latency_ms.items()},
        "kinds": {
            share.kind.value: {"right": _round(share.right), "first": _round(share.first), "as_many": _round(share.as_many)}
            for share in summary.shares
        },
        "differences": {measure: _interval(interval) for measure, interval in evaluated.differences.items()},
        "results": [_result(result) for result in evaluated.results],
    }


def _group(group: Group) -> dict[str, Any]:
    median = group.median_rank
    return {
        "queries": group.questions,
        "absent": group.absent,
        "median_rank": None if median is None or math.isinf(median) else median,
        "means": _rounded(group.means),
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "difference": _round(interval.difference),
        "low": _round(interval.low),
        "high": _round(interval.high),
        "queries": interval.queries,
        "significant": interval.is_significant,
    }


def _result(result: Result) -> dict[str, Any]:
    judged = result.question.judged
    return {
        "id": judged.id,
        "question": judged.question,
        "kind": judged.kind,
        "target": judged.target,
        "rank": result.rank,
        "refused": result.refused,
        "took_ms": None if result.took_ms is None else round(result.took_ms, 2),
        "problem": result.problem,
        "values": _rounded(result.values),
        "right": [_truth(truth) for truth in result.question.truths],
        "found": [_found(hit) for hit in result.found],
    }


def _truth(truth: Truth) -> dict[str, Any]:
    stretches = [_stretch(stretch) for stretch in truth.stretches]
    return {"path": str(truth.path), "kind": truth.kind.value, "grade": truth.grade, "stretches": stretches}


def _found(hit: Found) -> dict[str, Any]:
    moment = _stretch(hit.moments[0]) if hit.moments else {"start_ms": None, "end_ms": None}
    return {"path": str(hit.path), "kind": hit.kind.value, "relevance": _round(hit.relevance), "right": hit.truth is not None, **moment}


def _stretch(stretch: Stretch) -> dict[str, int]:
    return {"start_ms": stretch.start_ms, "end_ms": stretch.end_ms}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: _round(value) for name, value in values.items()}


def _round(value: float) -> float:
    return round(value, 4)
