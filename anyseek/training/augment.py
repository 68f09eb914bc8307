"""Vectors that were never stored but might have been: mixed within a class, or a little off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fusion.vectors import SHORTEST, unit_rows

__all__ = ["Augmentation", "mixed", "noisy"]

LEAST_COSINE = 0.5
MIXED_SHARE = 0.5
NOISE = 0.1


def noisy(vectors: np.ndarray, chance: np.random.Generator, length: float = NOISE) -> np.ndarray:
    """Move unit vectors a little, each in a direction of its own.

    Args:
        vectors: (n, dim) float32 unit rows.
        chance: All that is drawn.
        length: The expected length of what is added: 0.1 leaves a cosine of about 0.995.

    Returns:
        (n, dim) float32 unit rows.
    """
    dim = vectors.shape[1]
    return np.asarray(unit_rows(vectors + length / np.sqrt(dim) * chance.standard_normal(vectors.shape)), np.float32)


def mixed(
    targets: np.ndarray, together: np.ndarray, chance: np.random.Generator, share: float = MIXED_SHARE, least: float = LEAST_COSINE
) -> np.ndarray:
    """Mix targets with others that answer the same queries (mixup within a class: H. Zhang et al., mixup, ICLR 2018).

    Each keeps at least half of itself. Pictures and sounds of one class lie far apart, and between them lies nothing; so what has a cosine
    of less than `least` is not mixed.

    Args:
        targets: (c, dim) float32 unit rows.
        together: (b, c) bool, which queries each answers.
        chance: All that is drawn.
        share: Of the targets that are mixed, where they have a partner.
        least: The cosine that partners have.

    Returns:
        (c, dim) float32 unit rows.
    """
    found = targets.copy()
    if not together.any():
        return found
    _, classes = np.unique(together, axis=1, return_inverse=True)
    classes = classes.reshape(-1)
    partners = (classes[:, None] == classes) & together.any(axis=0) & (targets @ targets.T >= least)
    np.fill_diagonal(partners, val=False)
    drawn = chance.random(partners.shape) * partners
    chosen = (chance.random(len(targets)) < share) & partners.any(axis=1)
    kept = chance.uniform(0.5, 1, len(targets))[:, None]
    blended = kept * targets + (1 - kept) * targets[drawn.argmax(axis=1)]
    long_enough = chosen & (np.linalg.norm(blended, axis=1) > SHORTEST)
    found[long_enough] = unit_rows(blended[long_enough])
    return found


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Changes the vectors of a batch; an `anyseek.training.batches.Augment`.

    Attributes:
        mixing: Whether targets are mixed within their class.
        noise: Whether queries are moved a little.
    """

    mixing: bool = True
    noise: bool = True

    def __call__(
        self, queries: np.ndarray, targets: np.ndarray, together: np.ndarray, chance: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Queries (b, dim) and targets (c, dim), which go together (b, c) bool: the same numbers of vectors, changed."""
        changed = noisy(queries, chance) if self.noise else queries
        return changed, mixed(targets, together, chance) if self.mixing else targets
