"""The door of what learns: a problem and how it is to be learnt go in, arrays come out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..adapters.card import Method, Side
from ..errors import BadInput
from .options import Loss
from .outcome import Epoch
from .problem import Problem

__all__ = ["Augment", "Draw", "FitOptions", "Fitted", "fit"]

Draw = Callable[[np.random.Generator], Iterator[np.ndarray]]
"""Draws the batches of an epoch: arrays of places in the training edges. All chance must come from the generator."""

Augment = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Changes the vectors of a batch, never their number: queries (b, dim), targets (c, dim), which go together (b, c) bool, chance."""

Anchoring = Literal["vectors", "ranking"]


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How something is learnt.

    Attributes:
        method: What is learnt.
        loss: What is made small.
        side: Whether targets are mapped, too.
        epochs: Most rounds over the pairs.
        batch: Pairs to a step, unless something else draws them.
        rank: Of residual and fusion.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        patience: Epochs without a better validation recall after which it ends.
        recall_at: The k of that recall@k.
        anchoring: What is to stay of the anchors: where they lie, or how they rank the candidates.
        anchor_weight: How much that counts beside the pairs, from 0 on; None to choose it for ridge by the validation part.
        penalty: Of ridge: λ, times the mean eigenvalue of the queries' scatter; None to choose it by the validation part.
        margin: Of the triplet loss.
        negatives: How many hard negatives each pair gets there.
        dropping: The chance with which a part of what is fused is dropped in training.
        seed: Of all that is drawn.
    """

    method: Method = "residual"
    loss: Loss = "infonce"
    side: Side = "query"
    epochs: int = 60
    batch: int = 256
    rank: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    patience: int = 10
    recall_at: int = 10
    anchoring: Anchoring = "vectors"
    anchor_weight: float | None = 1.0
    penalty: float | None = None
    margin: float = 0.2
    negatives: int = 8
    dropping: float = 0.3
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What was learnt.

    Attributes:
        arrays: As an adapter holds them, float32: ``map.text.weights``, ``network.down.image``, ``weights.image``, ``bridge.weights``.
        history: The epochs, also those before an interruption.
        before: The validation recall of what it began with.
        best_epoch: Whose arrays these are; 0 where nothing was better than what it began with.
        stopped: Whether it was told to stop before the end.
        resumed: Whether it went on from a checkpoint.
        chosen: What was chosen by the validation part, by name.
    """

    arrays: Mapping[str, np.ndarray]
    history: tuple[Epoch, ...]
    before: float
    best_epoch: int
    stopped: bool = False
    resumed: bool = False
    chosen: Mapping[str, float] = field(default_factory=dict)


def fit(
    problem: Problem,
    options: FitOptions,
    *,
    draw: Draw | None = None,
    augment: Augment | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    stop: threading.Event | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Fitted:
    """Learn something. On a CPU the same problem and options give the same bits.

    Args:
        problem: What from.
        options: How.
        draw: Draws the batches; None to shuffle all pairs in every epoch.
        augment: Changes the vectors of each batch; None to leave them.
        on_epoch: Told after each epoch.
        stop: Once set, it ends after the current epoch, with the best so far.
        checkpoint: The folder that holds where it is, so that it can go on from there; None to keep nothing.
        resume: Whether to go on from what lies there, if anything does.

    Raises:
        MissingExtra: torch is not installed.
        BadInput: The options do not go with the problem, or the checkpoint is of another training.
    """
    raise BadInput("nothing can be trained yet")
