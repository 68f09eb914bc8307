"""What is made small in training. All take unit rows and know that a query may have several right answers, and an answer several queries.

Nothing here imports torch by itself: tensors come in, tensors go out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Tensor", "hardest", "info_nce", "sigmoid_loss", "triplet_loss"]

Tensor = Any
"""A torch tensor; torch has no types that are known without it."""


def info_nce(queries: Tensor, targets: Tensor, positives: Tensor, log_temperature: Tensor, weights: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE with a learnt temperature (A. Radford et al., CLIP, ICML 2021), for any number of right answers.

    Each right pair competes with the wrong ones of its row and of its column, never with other right ones: several captions of one picture
    are not each other's negatives. With one to each it is CLIP's loss.

    Args:
        queries: (b, dim) unit rows.
        targets: (c, dim) unit rows.
        positives: (b, c) bool, which go together; at least one does.
        log_temperature: () ln τ; cosines are divided by τ.
        weights: (b, c) above 0: how much a right pair counts, and how many times a wrong one competes; None for 1.

    Returns:
        () half of the weighted mean over right pairs of what each loses in its row, and half of the same in its column.
    """
    logits = queries @ targets.T * (-log_temperature).exp()
    return (_one_way(logits, positives, weights) + _one_way(logits.T, positives.T, None if weights is None else weights.T)) / 2


def _one_way(logits: Tensor, positives: Tensor, weights: Tensor | None) -> Tensor:
    import torch

    competing = logits if weights is None else logits + weights.log()
    wrong = torch.logsumexp(competing.masked_fill(positives, -torch.inf), dim=1, keepdim=True)
    losses = torch.logaddexp(logits, wrong) - logits
    counts = positives.to(logits.dtype) if weights is None else positives * weights
    return (counts * losses).sum() / counts.sum()


def sigmoid_loss(
    queries: Tensor, targets: Tensor, positives: Tensor, log_temperature: Tensor, bias: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Pairwise sigmoid loss with a learnt temperature and bias (X. Zhai et al., SigLIP, ICCV 2023): each pair is right or not by itself.

    Args:
        queries: (b, dim) unit rows.
        targets: (c, dim) unit rows.
        positives: (b, c) bool, which go together.
        log_temperature: () ln τ; cosines are divided by τ.
        bias: () what is added then; below 0, because most pairs are wrong.
        weights: (b, c) above 0, how much each pair counts; None for 1.

    Returns:
        () the sum over the pairs, by query.
    """
    import torch

    logits = queries @ targets.T * (-log_temperature).exp() + bias
    losses = -torch.nn.functional.logsigmoid(torch.where(positives, logits, -logits))
    return (losses if weights is None else losses * weights).sum() / len(queries)


def triplet_loss(queries: Tensor, right: Tensor, wrong: Tensor, margin: float, weights: Tensor | None = None) -> Tensor:
    """The triplet loss: a right answer is to be nearer than each wrong one by a margin (F. Schroff et al., FaceNet, CVPR 2015).

    Args:
        queries: (b, dim) unit rows.
        right: (b, dim) unit rows, one answer to each.
        wrong: (b, n, dim) unit rows, n wrong ones to each: the `hardest`, or the known ones.
        margin: In cosines.
        weights: (b,) above 0, how much each query counts; None for 1.

    Returns:
        () the weighted mean over queries of the mean over their wrong answers.
    """
    nearer = (queries[:, None, :] * wrong).sum(dim=2) - (queries * right).sum(dim=1, keepdim=True)
    losses = (nearer + margin).clamp(min=0).mean(dim=1)
    return losses.mean() if weights is None else (losses * weights).sum() / weights.sum()


def hardest(queries: np.ndarray, stored: np.ndarray, allowed: np.ndarray, count: int) -> np.ndarray:
    """The wrong answers that a query finds first among what is stored; of equal ones the earlier.

    Args:
        queries: (b, dim) unit rows, as they are mapped now.
        stored: (t, dim) unit rows.
        allowed: (b, t) bool, which are wrong; at least one in each row.
        count: How many to find.

    Returns:
        (b, count) int64 rows of `stored`, the hardest first; where fewer are wrong, these over and over.
    """
    scores = np.where(allowed, queries @ stored.T, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    found = np.minimum(allowed.sum(axis=1), order.shape[1])
    return np.asarray(np.take_along_axis(order, np.arange(count) % found[:, None], axis=1), np.int64)
