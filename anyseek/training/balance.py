"""All that is done about unbalanced pairs, by what is switched on: which are left, how they are drawn and weighed, and what is varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .augment import Augmentation
from .batches import Augment, Draw
from .examples import Examples
from .options import Balancing
from .sampling import Sampling, capped
from .selection import DISAGREEING, agreeing

__all__ = ["Balanced", "balanced"]

BATCH = 256
TOO_ALIKE = "of files nearly the same as others with the same words"


@dataclass(frozen=True, slots=True, eq=False)
class Balanced:
    """Pairs to learn from.

    Attributes:
        train: (e,) bool, those that are left of the training part.
        weights: (e,) float32 above 0, how much each pair counts.
        draw: Draws batches of those that are left; None to take each once in every epoch.
        augment: Varies a batch; None to leave it.
        left_out: Why pairs of the training part are not there → how many.
    """

    train: np.ndarray
    weights: np.ndarray
    draw: Draw | None
    augment: Augment | None
    left_out: Mapping[str, int] = field(default_factory=dict)


def balanced(examples: Examples, train: np.ndarray, balancing: Balancing, seed: int, *, drawn: bool = True, batch: int = BATCH) -> Balanced:
    """Do what is switched on to the training part. Nothing else is looked at, and what judges stays as it is.

    Args:
        examples: The pairs.
        train: (e,) bool, the training part.
        balancing: What is switched on.
        seed: Of what is drawn here.
        drawn: Whether pairs are learnt in batches; not by what is solved in closed form, which sees each once.
        batch: Pairs to a batch.
    """
    kept = train
    left_out: dict[str, int] = {}
    if balancing.selection:
        kept, before = agreeing(examples, kept), kept
        left_out[DISAGREEING] = int(before.sum() - kept.sum())
    if balancing.caps:
        kept, before = capped(examples, kept, seed), kept
        left_out[TOO_ALIKE] = int(before.sum() - kept.sum())
    evenly = drawn and (balancing.classes or balancing.sources)
    sampling = Sampling(examples.edges(kept), examples.source_of[kept], drawn and balancing.classes, drawn and balancing.sources)
    weights = examples.weights.copy()
    if balancing.weights:
        weights[kept] = sampling.weights()
    augmentation = Augmentation(balancing.mixing, balancing.noise) if drawn and (balancing.mixing or balancing.noise) else None
    return Balanced(
        kept,
        weights,
        sampling.draw(batch) if evenly else None,
        augmentation,
        {reason: count for reason, count in left_out.items() if count},
    )
