"""Validation recall against hand-made places and a plain loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from learnable import DIM, IMAGE, TEXT, shifted_vocabulary, unit

from anyseek.errors import BadInput
from anyseek.training.batches import KNOWN_WRONG, Pairing, shuffled
from anyseek.training.problem import Candidates, Edges, Problem
from anyseek.training.validation import Score, Validation
from anyseek.types import Modality

AXES = np.eye(4, dtype=np.float32)


def turned(*cosines: float) -> np.ndarray:
    """Vectors that have these cosines with the first axis."""
    return np.array([[cosine, np.sqrt(1 - cosine**2), 0, 0] for cosine in cosines], np.float32)


def test_places_that_a_person_can_see():
    problem = Problem(
        query_vectors=AXES[:1],
        query_modalities=(TEXT,),
        target_vectors=turned(0.9, 0.8, 0.5, 0.95),
        target_modalities=(IMAGE, IMAGE, IMAGE, Modality.AUDIO),
        train=Edges.of([0], [0]),
        validation=Edges.of([0, 0, 0], [1, 2, 3], [True, True, False]),
        candidates=Candidates(turned(0.7, 0.6), (IMAGE, Modality.AUDIO)),
    )
    # the training picture (0.9) is passed over, sounds are no rivals: 0.8 is first, the other picture (0.7) second, 0.5 third
    for cutoff, recall in ((1, 0.5), (2, 0.5), (3, 1.0)):
        score = Validation(problem, cutoff).score(problem.query_vectors, problem.target_vectors, problem.candidates.vectors)
        assert score == pytest.approx(Score(recall, 1.0, 0.8 - 0.7), abs=1e-6)


def test_it_is_a_plain_loop_over_all_candidates():
    problem = shifted_vocabulary()
    validation = Validation(problem, 5)
    queries = unit(np.random.default_rng(3).standard_normal(problem.query_vectors.shape))
    stored = np.concatenate([problem.target_vectors, problem.candidates.vectors])
    recalls, reciprocals = [], []
    for query in range(len(queries)):
        right = set(problem.validation.target[problem.validation.query == query].tolist())
        learnt = set(problem.train.target[problem.train.query == query].tolist())
        ranked = [place for place in np.argsort(-(stored @ queries[query]), kind="stable").tolist() if place not in learnt]
        places = [1 + ranked.index(place) for place in right]
        recalls.append(np.mean([place <= 5 for place in places]))
        reciprocals.append(1 / min(places))
    score = validation.score(queries[validation.queries], problem.target_vectors, problem.candidates.vectors)
    assert score[:2] == pytest.approx((np.mean(recalls), np.mean(reciprocals)))


def test_without_a_validation_part_the_training_part_is_asked():
    problem = replace(shifted_vocabulary(held_out=0), candidates=None)
    validation = Validation(problem, 6)
    assert not validation.held_out
    centres = unit(
        np.stack([problem.target_vectors[problem.train.target[problem.train.query == query]].mean(axis=0) for query in range(6)])
    )
    assert validation.score(centres, problem.target_vectors, None).recall > 0.9


def test_a_batch_knows_all_that_is_right_and_wrong_in_it():
    edges = Edges.of([0, 0, 1, 2, 1, 0], [0, 1, 1, 2, 3, 0], [True, True, True, True, False, True], [1, 1, 2, 1, 1, 1])
    pairing = Pairing(edges, 5)
    batch = pairing.batch(np.array([0, 2]), np.random.default_rng(0))
    assert batch.queries.tolist() == [0, 1]
    assert batch.targets.tolist() == [0, 1, 3]  # 3 is known to be wrong for 1, and comes with it
    assert batch.positives.tolist() == [[True, True, False], [False, True, False]]
    mean = 7 / 6
    # said twice, 0 → 0 counts twice
    assert batch.weights == pytest.approx(np.array([[2 / mean, 1 / mean, 1], [1, 2 / mean, KNOWN_WRONG]]))
    twice = pairing.batch(np.array([0, 2, 2]), np.random.default_rng(0))
    assert twice.weights[1, 1] == pytest.approx(2 * 2 / mean)


def test_what_is_said_both_ways_is_wrong():
    pairing = Pairing(Edges.of([0, 0, 0], [0, 0, 1], [True, False, True]), 2)
    rows = np.array([0]), np.array([0, 1])
    assert pairing.right(*rows).tolist() == [[False, True]]
    assert pairing.wrong(*rows).tolist() == [[True, False]]


def test_every_right_pair_is_drawn_once():
    edges = Edges.of(np.arange(10), np.arange(10), np.arange(10) % 5 > 0)
    drawn = list(shuffled(edges, 3)(np.random.default_rng(0)))
    assert [len(each) for each in drawn] == [3, 3, 2]
    assert sorted(np.concatenate(drawn).tolist()) == [1, 2, 3, 4, 6, 7, 8, 9]


def test_a_problem_whose_numbers_do_not_fit_is_refused():
    vectors = unit(np.random.default_rng(0).standard_normal((2, DIM)))
    with pytest.raises(BadInput, match="that are not there"):
        Problem(vectors, (TEXT, TEXT), vectors, (IMAGE, IMAGE), Edges.of([0], [2]))
    with pytest.raises(BadInput, match="give one to each"):
        Problem(vectors, (TEXT,), vectors, (IMAGE, IMAGE), Edges.of([0], [1]))
    with pytest.raises(BadInput, match="nothing to learn from"):
        Problem(vectors, (TEXT, TEXT), vectors, (IMAGE, IMAGE), Edges.of([0], [1], [False]))
