"""Learns by gradients: batches, AdamW, a look at the validation part after each epoch, and the best of all epochs at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .batches import Augment, Batch, Draw, Pairing
from .checkpoint import Checkpoint
from .learners import Learner, View, numpy_arrays
from .losses import Tensor
from .objective import Objective
from .outcome import Epoch
from .problem import Problem
from .validation import Score, Validation

__all__ = ["Course", "Trainer", "one_thread"]

PIVOT_STEPS = 16
"""Steps of an epoch in which there are no pairs to go through."""

WEIGHTS_HASTE = 10.0
"""How many times faster the weights of modalities learn: they are few numbers, and large. A temperature that learns as fast grows cold
before the map has learnt anything, and what is learnt then is by heart."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a training goes.

    Attributes:
        epochs: Most rounds.
        patience: Rounds without a better one after which it ends.
        learning_rate: Of AdamW (I. Loshchilov and F. Hutter, ICLR 2019).
        weight_decay: Of AdamW.
        seed: Of all chance.
    """

    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    seed: int


class Trainer:
    """Trains a learner on a problem.

    Args:
        problem: What from.
        learner: What learns.
        objective: What the pairs cost.
        pairing: Makes batches of drawn pairs.
        validation: Tells how good it is.
        course: How it goes.
    """

    def __init__(
        self, problem: Problem, learner: Learner, objective: Objective, pairing: Pairing, validation: Validation, course: Course
    ) -> None:
        self._problem, self._learner, self._objective = problem, learner, objective
        self._pairing, self._validation, self._course = pairing, validation, course
        self._parameters: dict[str, Tensor] = {**learner.parameters, **objective.parameters}
        self._optimiser = self._new_optimiser()
        self.history: list[Epoch] = []
        self.before = Score(0.0)
        self.best, self.best_epoch, self._best_arrays = self.before, 0, numpy_arrays(self._parameters)

    def run(
        self,
        draw: Draw,
        augment: Augment | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        stop: threading.Event | None = None,
        keep: Callable[[dict[str, np.ndarray]], None] | None = None,
    ) -> bool:
        """Train until nothing gets better, the epochs are over or it is told to stop; the learner then is the best that it was.

        Returns:
            Whether it was told to stop.
        """
        if not self.history:
            self.before = self.best = self._score()
        stopped = False
        while not stopped and len(self.history) < self._course.epochs and not self._is_over():
            if stop is not None and stop.is_set():
                stopped = True
                break
            number = len(self.history) + 1
            loss = self._epoch(np.random.default_rng([self._course.seed, number]), draw, augment)
            score = self._score()
            if score > self.best or not self._validation.held_out:
                self.best, self.best_epoch, self._best_arrays = score, number, numpy_arrays(self._parameters)
            self.history.append(Epoch(number, loss, score.recall))
            if keep is not None:
                keep(self._state())
            if on_epoch is not None:
                on_epoch(self.history[-1])
        self._load(self._best_arrays)
        return stopped

    def keeper(self, path: Path, digest: str) -> Callable[[dict[str, np.ndarray]], None]:
        """What writes checkpoints."""

        def keep(arrays: dict[str, np.ndarray]) -> None:
            Checkpoint(
                digest, arrays, tuple(self.history), self.before.recall, self.best_epoch, (self.best.recall, self.best.reciprocal)
            ).write(path)

        return keep

    def go_on(self, checkpoint: Checkpoint) -> None:
        """Be where a checkpoint was."""
        import torch

        arrays = checkpoint.arrays
        self.history, self.best_epoch = list(checkpoint.history), checkpoint.best_epoch
        self.before, self.best = Score(checkpoint.before), Score(*checkpoint.best)
        self._best_arrays = {name: arrays[f"best.{name}"] for name in self._parameters}
        self._load({name: arrays[f"now.{name}"] for name in self._parameters})
        for name, parameter in self._parameters.items():
            if f"step.{name}" in arrays:
                kept = {key: torch.tensor(arrays[f"{ours}.{name}"]) for key, ours in OPTIMISER.items()}
                self._optimiser.state[parameter] = kept

    def _is_over(self) -> bool:
        return self._validation.held_out and len(self.history) - self.best_epoch >= self._course.patience

    def _epoch(self, chance: np.random.Generator, draw: Draw, augment: Augment | None) -> float:
        losses = []
        for places in self._drawn(draw, chance):
            loss = self._cost(self._pairing.batch(places, chance), augment, chance)
            if loss is None:
                continue
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
            self._objective.bounded()
            losses.append(float(loss.detach()))
        return float(np.mean(losses)) if losses else 0.0

    def _drawn(self, draw: Draw, chance: np.random.Generator) -> Iterator[np.ndarray]:
        if self._problem.train.positive.any():
            return draw(chance)
        return iter([np.zeros(0, np.int64)] * PIVOT_STEPS)

    def _cost(self, batch: Batch, augment: Augment | None, chance: np.random.Generator) -> Tensor | None:
        costs = []
        if batch.positives.any():
            for number, view in enumerate(self._learner.views(batch.queries, batch.targets, self._changed(batch, augment, chance), chance)):
                costs.append(self._objective(view, batch, lambda rows, number=number: self._targets(rows, number)))  # type: ignore[misc]
        held_back = self._learner.held_back(chance)
        if held_back is not None:
            costs.append(held_back)
        return sum(costs[1:], costs[0]) if costs else None

    def _changed(self, batch: Batch, augment: Augment | None, chance: np.random.Generator) -> View | None:
        import torch

        if augment is None:
            return None
        of = self._problem
        changed = augment(of.query_vectors[batch.queries], of.target_vectors[batch.targets], batch.positives, chance)
        return View(*(torch.from_numpy(np.ascontiguousarray(side, np.float32)) for side in changed))

    def _targets(self, rows: np.ndarray, number: int) -> View:
        return self._learner.views(np.zeros(0, np.int64), rows, None, None)[number]

    def _score(self) -> Score:
        import torch

        with torch.no_grad():
            rows = np.arange(len(self._problem.target_vectors))
            view = self._learner.views(self._validation.queries, rows, None, None)[0]
            others = self._problem.candidates
            candidates = None if others is None else self._learner.stored(torch.tensor(others.vectors), others.modalities).numpy()
            return self._validation.score(view.queries.numpy(), view.targets.numpy(), candidates)

    def _state(self) -> dict[str, np.ndarray]:
        arrays = {f"now.{name}": array for name, array in numpy_arrays(self._parameters).items()}
        arrays |= {f"best.{name}": array for name, array in self._best_arrays.items()}
        for name, parameter in self._parameters.items():
            for key, ours in OPTIMISER.items():
                if key in self._optimiser.state[parameter]:
                    arrays[f"{ours}.{name}"] = self._optimiser.state[parameter][key].numpy().copy()
        return arrays

    def _load(self, arrays: dict[str, np.ndarray]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(torch.tensor(arrays[name]))

    def _new_optimiser(self) -> Any:
        import torch

        rate, decay = self._course.learning_rate, self._course.weight_decay
        hasty = [of for name, of in self._parameters.items() if name.startswith("weights.")]
        matrices = [of for of in self._parameters.values() if of.ndim]
        numbers = [of for name, of in self._parameters.items() if not of.ndim and not name.startswith("weights.")]
        groups = [
            {"params": matrices, "lr": rate, "weight_decay": decay},
            {"params": numbers, "lr": rate, "weight_decay": 0.0},
            {"params": hasty, "lr": WEIGHTS_HASTE * rate, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW([group for group in groups if group["params"]])


OPTIMISER = {"step": "step", "exp_avg": "mean", "exp_avg_sq": "square"}
"""What AdamW knows of a parameter, and what that is called in a checkpoint."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread, so that sums are always made in the same order, and put its setting back afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
