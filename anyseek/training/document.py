"""A training as the JSON document that ``anyseek train --json`` prints; docs/teaching.md describes its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..evaluation.intervals import Interval
from .figures import Compared
from .gate import Verdict
from .outcome import DataSummary, Judgement, TrainReport

__all__ = ["as_document", "data_as_dict", "metrics_of"]


def as_document(report: TrainReport) -> dict[str, Any]:
    """Make a document of what JSON knows."""
    return {
        "library": str(report.library),
        "name": report.name,
        "method": report.method,
        "side": report.side,
        "loss": report.loss,
        "space": report.space,
        "target": report.target,
        "settings": dict(report.settings),
        "data": data_as_dict(report.data),
        "epochs": [{"epoch": each.number, "loss": _round(each.loss), "recall": _round(each.recall)} for each in report.epochs],
        "best_epoch": report.best_epoch,
        "judgement": None if report.judgement is None else _judgement(report.judgement),
        "verdict": None if report.verdict is None else _verdict(report.verdict),
        "switched_on": report.switched_on,
        "replaced": report.replaced,
        "path": None if report.path is None else str(report.path),
        "dry_run": report.dry_run,
        "interrupted": report.interrupted,
        "resumed": report.resumed,
        "seconds": round(report.seconds, 2),
        "peak_mb": None if report.peak_mb is None else round(report.peak_mb),
        "notes": list(report.notes),
    }


def data_as_dict(data: DataSummary) -> dict[str, Any]:
    """What was learnt from, for the document and for the card."""
    return asdict(data) | {name: dict(getattr(data, name)) for name in ("sources", "classes", "parts", "left_out")}


def metrics_of(judgement: Judgement, verdict: Verdict) -> dict[str, Any]:
    """What something was worth, for its card."""
    measure = verdict.measure
    before, after = judgement.overall.before.means[measure], judgement.overall.after.means[measure]
    held_out = {"metric": measure, "before": _round(before), "after": _round(after)}
    whole = _judgement(judgement)
    kept = {name: whole[name] for name in ("overall", "general", "drift", "worst_decile")}
    return {"held_out": held_out, **kept, "verdict": _verdict(verdict)}


def _judgement(judgement: Judgement) -> dict[str, Any]:
    worst = judgement.worst_class("recall@10")
    decile = judgement.worst_classes("recall@10")
    return {
        "overall": _compared(judgement.overall),
        "pairs": {each.name: _compared(each) for each in judgement.pairs},
        "sources": {each.name: _compared(each) for each in judgement.sources},
        "classes": {each.name: _compared(each) for each in judgement.classes},
        "worst_class": {
            "name": worst.name,
            "before": _round(worst.before.means["recall@10"]),
            "after": _round(worst.after.means["recall@10"]),
        },
        "worst_decile": {"before": _round(decile[0]), "after": _round(decile[1])},
        "general": None if judgement.general is None else _compared(judgement.general),
        "drift": None if judgement.drift is None else {name: _number(value) for name, value in asdict(judgement.drift).items()},
        "segments": judgement.segments,
    }


def _compared(compared: Compared) -> dict[str, Any]:
    return {
        "queries": compared.queries,
        "answers": compared.answers,
        "before": _rounded(compared.before.means),
        "after": _rounded(compared.after.means),
        "differences": {measure: _interval(interval) for measure, interval in compared.differences.items()},
        "by_answers": compared.by_answers,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "passed": verdict.passed,
        "measure": verdict.measure,
        "interval": None if verdict.interval is None else _interval(verdict.interval),
        "lost": None if verdict.lost is None else _round(verdict.lost),
        "reason": verdict.reason,
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "difference": _round(interval.difference),
        "low": _round(interval.low),
        "high": _round(interval.high),
        "significant": interval.is_significant,
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: _round(value) for name, value in values.items()}


def _number(value: float) -> float:
    return value if isinstance(value, int) else _round(value)


def _round(value: float) -> float:
    return round(value, 4)
