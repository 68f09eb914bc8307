"""The losses against numbers worked out by hand, plain loops, open_clip's and torch's own numerical gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from anyseek.training.losses import hardest, info_nce, sigmoid_loss, triplet_loss


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def unit(rows: int, dim: int, seed: int) -> torch.Tensor:
    drawn = torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, dim)))
    return drawn / drawn.norm(dim=1, keepdim=True)


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_a_case_of_three_that_a_person_can_compute():
    # cosines 1, 0 and 0.6, at a temperature of 1: the rows of logits are (1, 0, 0.6), (0, 1, 0.8), (0.6, 0.8, 1)
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=torch.float64)
    e = math.exp
    first = math.log(e(1) + e(0) + e(0.6)) - 1
    second = math.log(e(0) + e(1) + e(0.8)) - 1
    third = math.log(e(0.6) + e(0.8) + e(1)) - 1
    loss = info_nce(rows, rows, torch.eye(3, dtype=torch.bool), number(0.0))
    assert loss.item() == pytest.approx((first + second + third) / 3, abs=1e-12)
    assert loss.item() == pytest.approx(0.802107, abs=1e-6)  # (0.712067 + 0.782353 + 0.911901) / 3


def test_one_right_answer_to_each_is_clips_loss():
    from open_clip.loss import ClipLoss

    queries, targets = unit(7, 5, 0), unit(7, 5, 1)
    ours = info_nce(queries, targets, torch.eye(7, dtype=torch.bool), number(math.log(0.07)))
    theirs = ClipLoss()(queries, targets, number(1 / 0.07))
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-12)


def test_one_right_answer_to_each_is_siglips_loss():
    from open_clip.loss import SigLipLoss

    queries, targets = unit(7, 5, 0), unit(7, 5, 1)
    ours = sigmoid_loss(queries, targets, torch.eye(7, dtype=torch.bool), number(math.log(0.1)), number(-10.0))
    theirs = SigLipLoss()(queries, targets, number(10.0), number(-10.0))
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-12)


def brute_force(cosines: np.ndarray, positives: np.ndarray, weights: np.ndarray, temperature: float) -> float:
    total = []
    for scores, right, counts in ((cosines, positives, weights), (cosines.T, positives.T, weights.T)):
        losses, shares = [], []
        for row in range(len(scores)):
            answers = np.flatnonzero(right[row])
            wrong = sum(
                counts[row, place] * math.exp(scores[row, place] / temperature) for place in range(scores.shape[1]) if not right[row, place]
            )
            for answer in answers:
                own = math.exp(scores[row, answer] / temperature)
                shares.append(counts[row, answer])
                losses.append(-math.log(own / (own + wrong)))
        total.append(np.average(losses, weights=shares))
    return float(np.mean(total))


@pytest.mark.parametrize("weighted", [False, True])
def test_several_right_answers_do_not_compete(weighted):
    queries, targets = unit(4, 6, 2), unit(5, 6, 3)
    # two captions of one picture, two pictures of one caption, a target that answers nothing, a query that nothing answers
    positives = np.array([[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]], bool)
    weights = np.random.default_rng(4).uniform(0.5, 3, (4, 5)) if weighted else np.ones((4, 5))
    ours = info_nce(queries, targets, torch.from_numpy(positives), number(math.log(0.3)), torch.from_numpy(weights) if weighted else None)
    assert ours.item() == pytest.approx(brute_force((queries @ targets.T).numpy(), positives, weights, 0.3), abs=1e-12)


def test_another_right_answer_changes_nothing_for_the_first():
    queries = unit(2, 6, 5)
    targets = torch.cat([queries, queries[:1]])
    positives = torch.tensor([[1, 0, 1], [0, 1, 0]], dtype=torch.bool)
    doubled = info_nce(queries, targets, positives, number(0.0))
    single = info_nce(queries, queries, torch.eye(2, dtype=torch.bool), number(0.0))
    # by row nothing changes; by column the second answer adds its own, which is as large; the second query has one rival more
    rows = -(math.log(math.e / (math.e + math.exp(float(queries[0] @ queries[1])))))
    second = -(math.log(math.e / (math.e + 2 * math.exp(float(queries[0] @ queries[1])))))
    assert single.item() == pytest.approx(rows, abs=1e-12)
    assert doubled.item() == pytest.approx(((2 * rows + second) / 3 + rows) / 2, abs=1e-12)


def test_a_known_wrong_answer_pushes_harder():
    queries, targets = unit(3, 6, 6).requires_grad_(), unit(3, 6, 7)
    weights = torch.ones(3, 3, dtype=torch.float64)
    heavier = weights.clone()
    heavier[0, 1] = 4.0
    pushes = []
    for each in (weights, heavier):
        loss = info_nce(queries, targets, torch.eye(3, dtype=torch.bool), number(0.0), each)
        (gradient,) = torch.autograd.grad(loss, queries)
        pushes.append(float(gradient[0] @ targets[1]))
    assert pushes[1] > pushes[0]


def test_gradients_are_the_numerical_ones():
    queries, targets = unit(3, 4, 8).requires_grad_(), unit(4, 4, 9).requires_grad_()
    positives = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]], dtype=torch.bool)
    weights = torch.from_numpy(np.random.default_rng(10).uniform(0.5, 2, (3, 4)))
    temperature, bias = number(-1.0).requires_grad_(), number(-2.0).requires_grad_()
    assert torch.autograd.gradcheck(lambda q, t, s: info_nce(q, t, positives, s, weights), (queries, targets, temperature))
    assert torch.autograd.gradcheck(lambda q, t, s, b: sigmoid_loss(q, t, positives, s, b, weights), (queries, targets, temperature, bias))
    wrong = unit(6, 4, 11).reshape(3, 2, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda q, r, w: triplet_loss(q, r, w, 0.7, weights[:, 0]), (queries, targets[:3], wrong))


def test_the_triplet_loss_by_hand():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    right = torch.tensor([[0.6, 0.8], [0.0, 1.0]], dtype=torch.float64)
    wrong = torch.tensor([[[0.8, 0.6], [0.0, 1.0]], [[1.0, 0.0], [0.6, 0.8]]], dtype=torch.float64)
    # the first: 0.8 - 0.6 + 0.1 and 0 - 0.6 + 0.1 → 0.3 and 0; the second: 0 - 1 + 0.1 and 0.8 - 1 + 0.1 → 0 and 0
    assert triplet_loss(queries, right, wrong, 0.1).item() == pytest.approx((0.15 + 0) / 2)
    assert triplet_loss(queries, right, wrong, 0.1, torch.tensor([3.0, 1.0])).item() == pytest.approx(0.15 * 3 / 4)


def test_the_hardest_are_the_nearest_wrong_ones():
    queries = unit(3, 4, 12).numpy()
    stored = unit(9, 4, 13).numpy()
    allowed = np.ones((3, 9), bool)
    allowed[0, [1, 2]] = False
    allowed[2] = False
    allowed[2, 5] = True
    found = hardest(queries, stored, allowed, 3)
    for row in range(3):
        wrong = sorted(np.flatnonzero(allowed[row]), key=lambda place: -float(queries[row] @ stored[place]))
        assert found[row].tolist() == [wrong[place % len(wrong)] for place in range(3)]


def test_more_hard_ones_than_there_are_stored():
    found = hardest(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones((1, 2), bool), 5)
    assert found.tolist() == [[1, 0, 1, 0, 1]]


def test_a_batch_in_which_everything_is_right_pushes_nowhere():
    queries, targets = unit(2, 4, 14).requires_grad_(), unit(3, 4, 15)
    loss = info_nce(queries, targets, torch.ones(2, 3, dtype=torch.bool), number(0.0))
    (gradient,) = torch.autograd.grad(loss, queries)
    assert loss.item() == 0
    assert (gradient == 0).all()
