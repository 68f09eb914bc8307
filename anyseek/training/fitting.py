"""The door of what learns: a problem and how it is to be learnt go in, arrays come out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from ..adapters.card import Method, Side
from ..errors import BadInput, MissingExtra
from .anchoring import Anchors
from .batches import Augment, Draw, Pairing, shuffled
from .bridging import BridgeLearner
from .checkpoint import Checkpoint, digest_of
from .closed_form import solve_bridge, solve_linear
from .learners import FusionLearner, Learner, MapLearner
from .objective import Objective
from .options import Loss
from .outcome import Epoch
from .problem import Problem
from .trainer import Course, Trainer, one_thread
from .validation import Validation

__all__ = ["Augment", "Draw", "FitOptions", "Fitted", "fit"]

Anchoring = Literal["vectors", "ranking"]

ANCHOR_WEIGHTS: Mapping[Loss, float] = {"infonce": 10.0, "sigmoid": 10.0, "triplet": 1.0}
"""With less, unrelated queries lose more than a point; with more, pairs are learnt less well (docs/teaching.md)."""

PIVOT_WEIGHT = 0.1
"""How much the texts of a bridge count beside its pairs."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How something is learnt.

    Attributes:
        method: What is learnt.
        loss: What is made small.
        side: Whether targets are mapped, too.
        epochs: Most rounds over the pairs.
        batch: Pairs to a step, unless something else draws them; None for a quarter of them, from 16 to 256.
        rank: Of residual and fusion, at most.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        patience: Epochs without a better validation recall after which it ends.
        recall_at: The k of that recall@k.
        anchoring: What is to stay of the anchors: where they lie, or how they rank the candidates.
        anchor_weight: How much that counts beside the pairs, from 0 on; None for what suits the loss, and for ridge for as much as the
            validation part allows.
        penalty: Of ridge: λ, times the mean eigenvalue of the queries' scatter; None to choose it by the validation part.
        margin: Of the triplet loss.
        negatives: How many hard negatives each pair gets there.
        alignment: How much it counts, besides, how far right pairs are from each other; see `objective.Objective`.
        dropping: The chance with which a part of what is fused is dropped in training.
        seed: Of all that is drawn.
        drawing: What else shapes the batches, in words: a checkpoint of another is refused.

    Raises:
        BadInput: The loss does not go with the method or the side.
    """

    method: Method = "residual"
    loss: Loss = "infonce"
    side: Side = "query"
    epochs: int = 60
    batch: int | None = None
    rank: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    patience: int = 10
    recall_at: int = 10
    anchoring: Anchoring = "vectors"
    anchor_weight: float | None = None
    penalty: float | None = None
    margin: float = 0.2
    negatives: int = 8
    alignment: float = 0.0
    dropping: float = 0.3
    seed: int = 0
    drawing: str = ""

    def __post_init__(self) -> None:
        if self.loss == "ridge" and (self.method not in ("linear", "bridge") or self.side == "both"):
            raise BadInput(f"ridge solves maps of queries and bridges, not {self.method} on the side {self.side}: use  --loss infonce")


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
        checkpoint: The file that holds where it is, so that it can go on from there; None to keep nothing. Ridge needs none.
        resume: Whether to go on from what lies there, if anything does.

    Raises:
        MissingExtra: torch is not installed.
        BadInput: The options do not go with the problem, or the checkpoint is of another training.
    """
    validation = Validation(problem, options.recall_at)
    if options.loss == "ridge":
        return _solved(problem, options, validation, on_epoch)
    if find_spec("torch") is None:
        raise MissingExtra("torch", "train")
    with one_thread():
        pairing = Pairing(problem.train, len(problem.target_vectors))
        trained = np.unique(problem.train.target[problem.train.positive])
        objective = Objective(options.loss, options.margin, options.negatives, options.alignment, pairing, trained)
        course = Course(options.epochs, options.patience, options.learning_rate, options.weight_decay, options.seed)
        learner = _learner(problem, options)
        trainer = Trainer(problem, learner, objective, pairing, validation, course)
        keep, resumed = None, False
        if checkpoint is not None:
            digest = digest_of(problem, replace(options, epochs=1))  # more epochs than before are no other training
            found = Checkpoint.read(checkpoint, digest) if resume else None
            keep, resumed = trainer.keeper(checkpoint, digest), found is not None
            if found is not None:
                trainer.go_on(found)
        stopped = trainer.run(draw or shuffled(problem.train, options.batch or suitable_batch(problem)), augment, on_epoch, stop, keep)
        return Fitted(learner.arrays(), tuple(trainer.history), trainer.before.recall, trainer.best_epoch, stopped, resumed)


def suitable_batch(problem: Problem) -> int:
    """Pairs to a step: so many that an epoch has some steps even where there are few pairs."""
    return min(256, max(16, int(problem.train.positive.sum()) // 4))


def _learner(problem: Problem, options: FitOptions) -> Learner:
    chance = np.random.default_rng([options.seed, 0])
    suits = PIVOT_WEIGHT if options.method == "bridge" else ANCHOR_WEIGHTS[options.loss]
    weight = suits if options.anchor_weight is None else options.anchor_weight
    if options.method == "fusion":
        if problem.query_parts is None and problem.target_parts is None:
            raise BadInput("nothing consists of several parts: a fusion is learnt from pairs whose queries or files have more than one")
        return FusionLearner(problem, options.rank, options.dropping, chance)
    if options.method == "bridge":
        return BridgeLearner(problem, weight)
    anchors = Anchors(problem, ranking=options.anchoring == "ranking")
    rank = options.rank if options.method == "residual" else None
    return MapLearner(problem, rank, both=options.side == "both", anchors=anchors, anchor_weight=weight, chance=chance)


def _solved(problem: Problem, options: FitOptions, validation: Validation, on_epoch: Callable[[Epoch], None] | None) -> Fitted:
    solve = solve_bridge if options.method == "bridge" else solve_linear
    solved = solve(problem, validation, options.penalty, options.anchor_weight)
    epoch = Epoch(1, solved.error, solved.after.recall)
    if on_epoch is not None:
        on_epoch(epoch)
    return Fitted(solved.arrays, (epoch,), solved.before.recall, 1, chosen=solved.chosen)
