"""Bridges that are solved and trained, and linear maps in closed form, against plain formulas and what they begin with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from learnable import AUDIO, DIM, IMAGE, TEXT, shifted_vocabulary, two_spaces, unit

from anyseek.adapters.maps import LinearMap
from anyseek.errors import BadInput
from anyseek.search.ridge import RidgeBridge, fit_ridge
from anyseek.training.bridging import BridgeLearner, Crossing
from anyseek.training.closed_form import ANCHORINGS
from anyseek.training.fitting import FitOptions, fit
from anyseek.training.problem import Edges
from anyseek.training.ridge import PENALTIES
from anyseek.training.validation import Validation


def bridge_of(arrays) -> RidgeBridge:
    return RidgeBridge.from_arrays({name.removeprefix("bridge."): array for name, array in arrays.items()})


def carried(problem, arrays, queries) -> np.ndarray:
    """As a search carries what is heard: from the mean of what is stored there."""
    centre = problem.pivot.media.mean(axis=0) if problem.pivot is not None else problem.query_vectors.mean(axis=0)
    return bridge_of(arrays).carry(problem.query_vectors[queries], centre)


@pytest.fixture
def few_texts():
    return two_spaces(texts=20, pairs=40, media=200)


def test_what_a_bridge_begins_with_is_what_texts_alone_give(few_texts):
    crossing, pivot = Crossing(few_texts), few_texts.pivot
    begun, fitted = bridge_of(crossing.arrays(crossing.origin)), RidgeBridge.fit(pivot.source, pivot.target)
    for name, array in fitted.arrays().items():
        assert begun.arrays()[name] == pytest.approx(array, abs=1e-6)


def test_pairs_make_a_solved_bridge_better_and_search_carries_alike(few_texts):
    fitted = fit(few_texts, FitOptions(method="bridge", loss="ridge", recall_at=1))
    validation = Validation(few_texts, 1)
    score = validation.score(carried(few_texts, fitted.arrays, validation.queries), few_texts.target_vectors, None)
    assert score.recall == pytest.approx(fitted.history[0].recall)
    assert score.recall > fitted.before + 0.1
    assert fitted.chosen["penalty"] in PENALTIES
    assert fitted.chosen["anchor_weight"] in ANCHORINGS


def test_the_solved_bridge_is_the_formula(few_texts):
    penalty, anchoring = 0.3, 2.0
    fitted = fit(few_texts, FitOptions(method="bridge", loss="ridge", penalty=penalty, anchor_weight=anchoring))
    problem, pivot = few_texts, few_texts.pivot
    origin = fit_ridge(pivot.source, pivot.target).weights
    x = problem.query_vectors[problem.train.query] - pivot.media.mean(axis=0)
    y = problem.target_vectors[problem.train.target] - problem.target_vectors.mean(axis=0)
    a = pivot.source - pivot.source.mean(axis=0)
    lam, mu = penalty * np.trace(x.T @ x) / DIM, anchoring * len(x) / len(a)
    expected = origin + np.linalg.inv(x.T @ x + lam * np.eye(DIM) + mu * a.T @ a) @ (x.T @ (y - x @ origin))
    assert fitted.arrays["bridge.weights"] == pytest.approx(expected, abs=1e-4)


def test_pairs_make_a_trained_bridge_better(few_texts):
    fitted = fit(few_texts, FitOptions(method="bridge", recall_at=1))
    validation = Validation(few_texts, 1)
    score = validation.score(carried(few_texts, fitted.arrays, validation.queries), few_texts.target_vectors, None)
    assert score.recall == pytest.approx(fitted.history[fitted.best_epoch - 1].recall)
    assert score.recall > fitted.before + 0.05


def test_texts_alone_are_enough_to_train_by():
    """Without any pair, what is stored comes nearer to the texts that stand in for it, and texts stay where they belong."""
    problem = two_spaces(texts=60)
    problem = replace(problem, train=Edges.none(), validation=Edges.none())
    learner = BridgeLearner(problem, 1.0)
    fitted = fit(problem, FitOptions(method="bridge", epochs=5, anchor_weight=1.0))
    trained = BridgeLearner(problem, 1.0)
    with torch.no_grad():
        delta = fitted.arrays["bridge.weights"] - trained.crossing.origin
        trained.parameters["bridge.delta"].copy_(torch.tensor(delta, dtype=torch.float32))
        before, after = (float(each.held_back(np.random.default_rng(0))) for each in (learner, trained))
    assert after < 0.9 * before
    pivot = problem.pivot
    texts = bridge_of(fitted.arrays).carry(pivot.source)
    theirs = unit(pivot.target - pivot.target.mean(axis=0))
    assert (np.argmax(texts @ theirs.T, axis=1) == np.arange(60)).mean() > 0.9


def test_without_texts_pairs_have_to_do():
    problem = replace(two_spaces(media=120, pairs=100), pivot=None)
    options = FitOptions(method="bridge", recall_at=3, epochs=30)
    assert not Crossing(problem).origin.any()
    for loss in ("ridge", "infonce"):
        fitted = fit(problem, replace(options, loss=loss))
        assert max(epoch.recall for epoch in fitted.history) > 0.5
        assert fitted.before < 0.2 if loss == "ridge" else fitted.before > 0.5  # what is trained begins as what is solved
    with pytest.raises(BadInput, match="too few for a bridge"):
        fit(replace(problem, train=Edges.of([0, 1], [0, 1])), options)


def test_texts_of_other_spaces_are_no_pivot(few_texts):
    wrong = replace(few_texts, pivot=replace(few_texts.pivot, target=few_texts.pivot.target[1:]))
    with pytest.raises(BadInput, match="no pivot"):
        fit(wrong, FitOptions(method="bridge"))


@pytest.mark.parametrize("held_out", [True, False])
def test_a_solved_map_learns_words_and_keeps_captions(held_out):
    problem = shifted_vocabulary(held_out=4 if held_out else 0)
    fitted = fit(problem, FitOptions(method="linear", loss="ridge"))
    learnt = LinearMap(fitted.arrays["map.text.weights"])
    validation = Validation(problem, 10)
    score = validation.score(learnt.apply(problem.query_vectors), problem.target_vectors, problem.candidates.vectors)
    assert score.recall == pytest.approx(fitted.history[0].recall)
    assert fitted.before < 0.2
    assert score.recall > 0.8
    assert set(fitted.chosen) == {"penalty.text", "anchor_weight.text"}


def test_the_strongest_anchoring_is_taken_that_costs_nothing():
    problem = shifted_vocabulary()
    chosen = fit(problem, FitOptions(method="linear", loss="ridge"))
    captions = problem.anchors[TEXT]

    def tried(anchoring):
        fitted = fit(problem, FitOptions(method="linear", loss="ridge", anchor_weight=anchoring))
        after = LinearMap(fitted.arrays["map.text.weights"]).apply(captions)
        return fitted.history[0].recall, float((after * captions).sum(axis=1).mean())

    recalls, kept = zip(*(tried(anchoring) for anchoring in ANCHORINGS), strict=True)
    best = max(number for number, recall in enumerate(recalls) if recall >= max(recalls) - 0.01)
    assert chosen.chosen["anchor_weight.text"] == ANCHORINGS[best]
    assert kept[best] > kept[0]


def test_pairs_that_weigh_more_pull_more():
    problem = shifted_vocabulary(classes=2)
    pulls = []
    for weight in (1.0, 50.0):
        weights = np.where(problem.train.query == 0, weight, 1.0)
        weighed = replace(problem, train=Edges.of(problem.train.query, problem.train.target, None, weights))
        fitted = fit(weighed, FitOptions(method="linear", loss="ridge", penalty=1.0, anchor_weight=1.0))
        mapped = LinearMap(fitted.arrays["map.text.weights"]).apply(problem.query_vectors[:1])
        pulls.append(float((mapped @ problem.target_vectors[problem.train.target[problem.train.query == 0]].T).mean()))
    assert pulls[1] > pulls[0]


def test_what_is_asked_in_two_ways_gets_two_maps():
    problem = shifted_vocabulary()
    heard = unit(np.random.default_rng(5).standard_normal((6, DIM)))
    train, asked = problem.train, problem.validation
    both = replace(
        problem,
        query_vectors=np.concatenate([problem.query_vectors, heard]),
        query_modalities=(*problem.query_modalities, *(AUDIO,) * 6),
        train=Edges.of(np.concatenate([train.query, train.query + 6]), np.tile(train.target, 2)),
        validation=Edges.of(np.concatenate([asked.query, asked.query + 6]), np.tile(asked.target, 2)),
        mapped=(TEXT, AUDIO, IMAGE),
    )
    fitted = fit(both, FitOptions(method="linear", loss="ridge"))
    assert set(fitted.arrays) == {"map.text.weights", "map.audio.weights"}
    assert fitted.history[0].recall > 0.8
