"""Linear maps and bridges that are solved instead of trained, with λ and μ chosen by the validation part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ..adapters.maps import LinearMap
from ..fusion.vectors import unit_rows
from ..types import Modality
from .bridging import Crossing
from .problem import Problem
from .ridge import PENALTIES, AnchoredRidge, Regression
from .validation import Score, Validation

__all__ = ["ANCHORINGS", "Solved", "solve_bridge", "solve_linear"]

ANCHORINGS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Tried for μ: how many times as much as all pairs together the anchors count."""

NEAR = 0.01
"""What the strongest anchoring may be worse than the best: one point of recall."""


class Solved(NamedTuple):
    """What came out.

    Attributes:
        arrays: As an adapter holds them.
        before: How good what it began with is.
        after: How good it is.
        error: The mean squared length of the error at a pair that was left out; of several maps their mean by the weights of their pairs.
        chosen: The relative λ and μ of each map.
    """

    arrays: dict[str, np.ndarray]
    before: Score
    after: Score
    error: float
    chosen: dict[str, float]


def solve_linear(problem: Problem, validation: Validation, penalty: float | None, anchoring: float | None) -> Solved:
    """A linear map of the queries of each modality, towards the identity.

    A query is taken to where its answers lie, less the gap between what queries and what answers of these modalities are on the average
    (W. Liang et al., Mind the Gap, NeurIPS 2022): what does not tell one from another is none of its business.

    Args:
        problem: What from.
        validation: By which λ and μ are chosen; without a held-out part, by the error at pairs that are left out.
        penalty: λ, as `AnchoredRidge.penalty` takes it; None to choose it.
        anchoring: μ, as `AnchoredRidge.anchoring` takes it; None to choose it.
    """
    identity = np.eye(problem.query_vectors.shape[1])
    asked_of = np.array([problem.query_modalities[query].value for query in validation.queries])
    queries = problem.query_vectors[validation.queries].copy()
    before = _score(problem, validation, queries)
    arrays: dict[str, np.ndarray] = {}
    chosen: dict[str, float] = {}
    errors, counts = [0.0], [0.0]
    for modality in problem.mapped:
        data = _regression(problem, modality)
        if not len(data.x):
            continue
        anchors = problem.anchors.get(modality, np.zeros((0, len(identity)), np.float32))
        ridge = AnchoredRidge(data, identity, anchors)
        mine = asked_of == modality.value

        def scored(weights: np.ndarray, mine: np.ndarray = mine) -> Score:
            asked = queries.copy()
            asked[mine] = LinearMap(np.asarray(weights, np.float32)).apply(asked[mine])
            return _score(problem, validation, asked)

        weights, error, found = _choose(ridge, penalty, anchoring, scored if validation.held_out else None)
        errors.append(error)
        counts.append(float(data.weights.sum()))
        chosen |= {f"{name}.{modality.value}": value for name, value in found.items()}
        arrays[f"map.{modality.value}.weights"] = np.asarray(weights, np.float32)
        queries[mine] = LinearMap(arrays[f"map.{modality.value}.weights"]).apply(queries[mine])
    error = float(np.dot(errors, counts) / (sum(counts) or 1.0))
    return Solved(arrays, before, _score(problem, validation, queries), error, chosen)


def solve_bridge(problem: Problem, validation: Validation, penalty: float | None, anchoring: float | None) -> Solved:
    """A bridge that takes queries to their answers, towards the one that texts give, with the texts as anchors.

    The arguments are those of `solve_linear`.
    """
    crossing, edges = Crossing(problem), problem.train
    right = np.flatnonzero(edges.positive)
    modalities = [problem.query_modalities[query] for query in edges.query[right]]
    x = crossing.differences(problem.query_vectors[edges.query[right]], modalities)
    y = problem.target_vectors - np.stack([_centres(problem)[of] for of in problem.target_modalities])
    ridge = AnchoredRidge(Regression(x, y[edges.target[right]], edges.weights[right]), crossing.origin, crossing.texts)
    asked = crossing.differences(
        problem.query_vectors[validation.queries], [problem.query_modalities[query] for query in validation.queries]
    )

    def scored(weights: np.ndarray) -> Score:
        return _score(problem, validation, unit_rows(np.asarray(asked @ weights, np.float32)))

    if not len(right):
        return Solved(crossing.arrays(crossing.origin), scored(crossing.origin), scored(crossing.origin), 0.0, {})
    weights, error, chosen = _choose(ridge, penalty, anchoring, scored if validation.held_out else None)
    return Solved(crossing.arrays(weights), scored(crossing.origin), scored(weights), error, chosen)


def _choose(
    ridge: AnchoredRidge, penalty: float | None, anchoring: float | None, scored: Callable[[np.ndarray], Score] | None
) -> tuple[np.ndarray, float, dict[str, float]]:
    """The map with the strongest anchoring, then the best, of those that are next to the best."""
    anchorings = (0.0,) if not len(ridge.anchors) else ANCHORINGS if anchoring is None else (anchoring,)
    tried: list[tuple[float, float, Score, np.ndarray]] = []
    for mu in anchorings:
        for lam in PENALTIES if penalty is None else (penalty,):
            absolute = ridge.penalty(lam), ridge.anchoring(mu)
            weights = ridge.solve(*absolute)
            score = scored(weights) if scored is not None else Score(-ridge.left_out_error(*absolute))
            tried.append((mu, lam, score, weights))
    best = max(score.recall for _, _, score, _ in tried)
    near = [each for each in tried if each[2].recall >= best - NEAR * (1.0 if scored is not None else abs(best))]
    mu, lam, _, weights = max(near, key=lambda each: (each[0], each[2], each[1]))
    return weights, ridge.left_out_error(ridge.penalty(lam), ridge.anchoring(mu)), {"penalty": lam, "anchor_weight": mu}


def _regression(problem: Problem, modality: Modality) -> Regression:
    """Each right pair whose query is of a modality: the query, and where it is to be."""
    edges = problem.train
    mine = edges.positive & np.array([problem.query_modalities[query] is modality for query in edges.query], bool)
    queries, targets = edges.query[mine], edges.target[mine]
    x = problem.query_vectors[queries]
    anchors = problem.anchors.get(modality)
    own = anchors if anchors is not None and len(anchors) else problem.query_vectors[np.unique(queries)]
    centres = _centres(problem)
    gaps = [own.mean(axis=0) - centres[problem.target_modalities[target]] for target in targets]
    return Regression(x, problem.target_vectors[targets] + np.reshape(gaps, x.shape), edges.weights[mine])


def _centres(problem: Problem) -> Mapping[Modality, np.ndarray]:
    """The mean of what is stored of each modality of targets."""
    others = problem.candidates
    vectors = problem.target_vectors if others is None else np.concatenate([problem.target_vectors, others.vectors])
    modalities = (*problem.target_modalities, *(() if others is None else others.modalities))
    return {of: vectors[[each is of for each in modalities]].mean(axis=0) for of in dict.fromkeys(problem.target_modalities)}


def _score(problem: Problem, validation: Validation, queries: np.ndarray) -> Score:
    others = problem.candidates
    return validation.score(queries, problem.target_vectors, None if others is None else others.vectors)
