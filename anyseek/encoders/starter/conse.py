"""Convex combination of semantic embeddings: label probabilities → a vector in the space of the labels' sentences.

Source: Norouzi et al., Zero-Shot Learning by Convex Combination of Semantic Embeddings, ICLR 2014.
"""

from __future__ import annotations

import numpy as np

__all__ = ["combine", "pool", "sigmoid", "softmax", "unit"]


def combine(probabilities: np.ndarray, labels: np.ndarray, *, top: int, power: float) -> np.ndarray:
    """Average the embeddings of the most probable labels.

    Args:
        probabilities: (labels,) non-negative.
        labels: (labels, dim) float32 rows, of unit length or shorter where a label counts for less.
        top: How many labels are kept.
        power: Applied to a probability before it weighs; below 1 the lesser labels count for more.

    Returns:
        (dim,) float32 of unit length.
    """
    # A stable sort, so that equal probabilities always keep the same labels.
    kept = np.argsort(-probabilities, kind="stable")[:top]
    return unit(probabilities[kept] ** np.float32(power) @ labels[kept])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of labels that exclude each other, along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of labels that do not exclude each other."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def pool(probabilities: np.ndarray) -> np.ndarray:
    """Root mean square over the first axis: what is loud in one patch counts for more than what is faint in all."""
    return np.asarray(np.sqrt(np.square(probabilities).mean(axis=0)))


def unit(vector: np.ndarray) -> np.ndarray:
    """Scale a vector to length 1, as float32."""
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
