"""Choosing how a space's scores are made, by queries of which somebody said what answers them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..types import Modality
from .backgrounds import Background
from .calibration import Calibration, Curve, Pair, Trial
from .curves import curve_loss, fit_curve

__all__ = ["CANDIDATES", "PLAIN", "RIGHT", "UNKNOWN", "WRONG", "Evidence", "Method", "Pool", "choose"]

FOLDS = 5
RIGHT, WRONG, UNKNOWN = 1, 0, -1
"""What an answer is to a query; unknown is what counts neither way."""


class Method(NamedTuple):
    """How much of a hub's bias is taken off, and by how many captions it is known; see `Calibration`."""

    nearest: int
    strength: float


PLAIN = Method(64, 0.0)
CANDIDATES = (PLAIN, *(Method(nearest, strength) for nearest in (16, 64, 256) for strength in (0.25, 0.5, 0.75)))


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """What answers are looked for in.

    Attributes:
        contents: (n,) int64, the content of each embedding.
        modalities: (n,) of str, what each is of.
        biases: By how many captions, (n,) what they say of each.
        backgrounds: Of each method, what is chance, by what is asked with and what is found.
    """

    contents: np.ndarray
    modalities: np.ndarray
    biases: Mapping[int, np.ndarray]
    backgrounds: Mapping[Method, Mapping[Pair, Background]]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One judged query in one space.

    Attributes:
        asked: What it is asked with.
        cosines: (n,) of the pool's embeddings with it.
        judged: (n,) int8: `RIGHT`, `WRONG`, or `UNKNOWN` for what is no answer to it either way.
    """

    asked: Modality
    cosines: np.ndarray
    judged: np.ndarray


@dataclass(slots=True)
class _Answers:
    """The best right and the best wrong standard score of each query, by what is asked with and what is found."""

    right: defaultdict[Pair, list[float]]
    wrong: defaultdict[Pair, list[float]]

    @classmethod
    def of(cls, evidence: Sequence[Evidence], standards: Sequence[np.ndarray], pool: Pool) -> _Answers:
        answers = cls(defaultdict(list), defaultdict(list))
        for one, standard in zip(evidence, standards, strict=True):
            for modality in np.unique(pool.modalities):
                pair = (one.asked, Modality(modality))
                for found, sort in ((answers.right, RIGHT), (answers.wrong, WRONG)):
                    mine = standard[(pool.modalities == modality) & (one.judged == sort)]
                    if len(mine):
                        found[pair].append(float(mine.max()))
        return answers

    def curves(self) -> dict[Pair, Curve]:
        fitted = {pair: fit_curve(np.array(right), np.array(self.wrong[pair])) for pair, right in self.right.items()}
        return {pair: curve for pair, curve in fitted.items() if curve is not None}


def choose(evidence: Sequence[Evidence], pool: Pool, captions: str, candidates: Sequence[Method] = CANDIDATES) -> Calibration:
    """Try methods on queries that their curves were not fitted on, and take the one whose relevances are least wrong.

    A method under which fewer queries have a right answer first than with nothing taken off is not taken.

    Args:
        evidence: Of all judged queries, in any order.
        pool: What they were asked.
        captions: Digest of the reference captions.
        candidates: What to try, first of all what takes nothing off; the pool has what they need.
    """
    trials = [_tried(method, evidence, pool) for method in candidates]
    plain = trials[0]
    best = min((trial for trial in trials if trial.recall >= plain.recall), key=lambda trial: trial.loss)
    method = Method(best.nearest, best.strength)
    curves = _Answers.of(evidence, [_standard(one, method, pool) for one in evidence], pool).curves()
    return Calibration(*method, curves, captions, "measured", len(evidence), tuple(trials))


def _tried(method: Method, evidence: Sequence[Evidence], pool: Pool) -> Trial:
    standards = [_standard(one, method, pool) for one in evidence]
    places = range(len(evidence))
    first, precisions, losses, weights = [], [], [], []
    for fold in range(FOLDS):
        left = places[fold::FOLDS]
        kept = [place for place in places if place not in left]
        curves = _Answers.of([evidence[i] for i in kept], [standards[i] for i in kept], pool).curves()
        for place in left:
            ranked = _ranked(evidence[place], standards[place], method, curves, pool)
            if ranked.any():
                first.append(ranked[0])
                precisions.append(float((ranked.cumsum() / np.arange(1, len(ranked) + 1))[ranked].mean()))
        answers = _Answers.of([evidence[i] for i in left], [standards[i] for i in left], pool)
        for pair, right in answers.right.items():
            wrong = answers.wrong[pair]
            if right and wrong:
                curve = curves.get(pair) or _default(pair, method, pool)
                losses.append(curve_loss(curve, np.array(right), np.array(wrong)))
                weights.append(len(right))
    return Trial(*method, _mean(first), _mean(precisions), float(np.average(losses, weights=weights)) if losses else float(np.log(2)))


def _standard(one: Evidence, method: Method, pool: Pool) -> np.ndarray:
    """The standard score of every embedding; only texts are corrected."""
    corrected = np.asarray(one.cosines, np.float64)
    if one.asked is Modality.TEXT and method.strength:
        corrected = corrected - method.strength * pool.biases[method.nearest]
    standard = np.empty(len(corrected))
    for modality in np.unique(pool.modalities):
        background = pool.backgrounds[method][one.asked, Modality(modality)]
        mine = pool.modalities == modality
        standard[mine] = (corrected[mine] - background.mean) / background.deviation
    return standard


def _ranked(one: Evidence, standard: np.ndarray, method: Method, curves: Mapping[Pair, Curve], pool: Pool) -> np.ndarray:
    """Which contents are right, the likeliest first, (m,) bool."""
    scores = np.empty(len(standard))
    for modality in np.unique(pool.modalities):
        pair = (one.asked, Modality(modality))
        curve = curves.get(pair) or _default(pair, method, pool)
        mine = pool.modalities == modality
        scores[mine] = curve.steepness * (standard[mine] - curve.middle)
    known = np.flatnonzero(one.judged != UNKNOWN)
    order = known[np.argsort(-scores[known], kind="stable")]
    right = np.isin(pool.contents[order], pool.contents[one.judged == RIGHT])
    _, firsts = np.unique(pool.contents[order], return_index=True)
    return np.asarray(right[np.sort(firsts)])


def _default(pair: Pair, method: Method, pool: Pool) -> Curve:
    background = pool.backgrounds[method][pair]
    return Curve(background.middle, background.steepness)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
