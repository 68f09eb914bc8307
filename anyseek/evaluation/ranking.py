"""Measures of rankings, computed by ir_measures, which computes most of them as trec_eval does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from ..errors import MissingExtra

__all__ = ["Judgements", "Rankings", "check_installed", "ranking_names", "ranking_values"]

Judgements = Mapping[str, Mapping[str, int]]
"""Query → document → grade."""
Rankings = Mapping[str, Sequence[str]]
"""Query → documents, the best first."""


def check_installed() -> None:
    """See that ir_measures is there, before long work.

    Raises:
        MissingExtra: It is not.
    """
    if find_spec("ir_measures") is None:
        raise MissingExtra("ir-measures", "eval")


def ranking_names(cutoffs: Sequence[int]) -> list[str]:
    """The measures in the order in which they are told.

    Args:
        cutoffs: How many of the first hits count, smallest first.
    """
    by_cutoff = [f"{name}@{k}" for name in ("success", "recall", "precision") for k in cutoffs]
    return [*by_cutoff, "mAP", f"nDCG@{cutoffs[-1]}"]


def ranking_values(judgements: Judgements, rankings: Rankings, cutoffs: Sequence[int]) -> dict[str, dict[str, float]]:
    """Measure rankings.

    Args:
        judgements: The right answers of each query; at least one of each.
        rankings: What was found for these queries; one that is missing found nothing.
        cutoffs: How many of the first hits count, smallest first.

    Returns:
        Query → measure → value in [0, 1]. ``success@k`` is 1 if any of the first k is right (which papers on cross-modal retrieval call
        R@k), ``recall@k`` the share of the right answers that is among them, ``precision@k`` the share of them that is right.
    """
    check_installed()
    import ir_measures

    if not judgements:
        return {}
    measures = _measures(cutoffs)
    values: dict[str, dict[str, float]] = defaultdict(dict)
    qrels = [ir_measures.Qrel(query, document, grade) for query, right in judgements.items() for document, grade in right.items()]
    for metric in ir_measures.iter_calc(list(measures), qrels, _scored(rankings, judgements)):
        values[metric.query_id][measures[metric.measure]] = float(metric.value)
    names = ranking_names(cutoffs)
    return {query: {name: of_query[name] for name in names} for query, of_query in values.items()}


def _measures(cutoffs: Sequence[int]) -> dict[Any, str]:
    from ir_measures import AP, P, R, Success, nDCG

    kinds = [measure @ k for measure in (Success, R, P) for k in cutoffs]
    return dict(zip([*kinds, AP, nDCG @ cutoffs[-1]], ranking_names(cutoffs), strict=True))


def _scored(rankings: Rankings, judgements: Judgements) -> Iterator[Any]:
    """Scores that fall by one from place to place: trec_eval orders equal scores by the names of documents, which is not our order."""
    import ir_measures

    for query, documents in rankings.items():
        if query in judgements:
            for place, document in enumerate(documents):
                yield ir_measures.ScoredDoc(query, document, float(len(documents) - place))
