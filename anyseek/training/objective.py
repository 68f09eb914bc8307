"""What the pairs of a batch cost, by the loss that was chosen, with what that learns itself."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .batches import Batch, Pairing
from .learners import View, tensors
from .losses import Tensor, hardest, info_nce, sigmoid_loss, triplet_loss

__all__ = ["Objective"]

TEMPERATURE = {"infonce": 0.07, "sigmoid": 0.1, "triplet": 1.0}
BIAS = -10.0
"""That of SigLIP to begin with: nearly every pair is wrong."""

COLDEST = 0.01
"""The lowest temperature, as in CLIP."""


class Objective:
    """The cost of a batch.

    Args:
        loss: ``infonce``, ``sigmoid`` or ``triplet``.
        margin: Of the triplet loss.
        negatives: How many hard negatives it is given for each pair.
        alignment: How much it counts how far right pairs are from each other, besides: what only has to be nearer than others may stay far.
        pairing: Knows what is right and wrong.
        trained: (n,) int64 ascending, the rows of the targets that hard negatives are mined among.
    """

    def __init__(self, loss: str, margin: float, negatives: int, alignment: float, pairing: Pairing, trained: np.ndarray) -> None:
        self._loss, self._margin, self._negatives, self._alignment, self._pairing, self._trained = (
            loss,
            margin,
            negatives,
            alignment,
            pairing,
            trained,
        )
        self.parameters: dict[str, Tensor] = tensors(
            {} if loss == "triplet" else {"loss.log_temperature": _scalar(math.log(TEMPERATURE[loss]))}
        )
        if loss == "sigmoid":
            self.parameters |= tensors({"loss.bias": _scalar(BIAS)})

    def __call__(self, view: View, batch: Batch, look_up: Callable[[np.ndarray], View]) -> Tensor:
        """What a view of a batch costs, ().

        Args:
            view: Of its queries and targets.
            batch: Which of them go together.
            look_up: The same view of other targets, by their rows, beside no query.
        """
        import torch

        positives, weights = torch.from_numpy(batch.positives), torch.from_numpy(batch.weights)
        cost = self._of_loss(view, batch, positives, weights, look_up)
        if self._alignment:
            right = weights * positives
            cost = cost + self._alignment * (right * (1 - view.queries @ view.targets.T)).sum() / right.sum()
        return cost

    def _of_loss(self, view: View, batch: Batch, positives: Tensor, weights: Tensor, look_up: Callable[[np.ndarray], View]) -> Tensor:
        if self._loss == "infonce":
            return info_nce(*view, positives, self.parameters["loss.log_temperature"], weights)
        if self._loss == "sigmoid":
            return sigmoid_loss(*view, positives, self.parameters["loss.log_temperature"], self.parameters["loss.bias"], weights)
        return self._triplets(view, batch, look_up)

    def bounded(self) -> None:
        """Keep the temperature where a loss can still be computed."""
        import torch

        if "loss.log_temperature" in self.parameters:
            with torch.no_grad():
                self.parameters["loss.log_temperature"].clamp_(min=math.log(COLDEST))

    def _triplets(self, view: View, batch: Batch, look_up: Callable[[np.ndarray], View]) -> Tensor:
        """Each right pair against the wrong answers that its query finds first among all training targets as they are now."""
        import torch

        allowed = ~np.asarray(self._pairing.right(batch.queries, self._trained))
        beaten = np.asarray(allowed.any(axis=1))  # a query that everything answers has nothing to learn
        rows, columns = np.nonzero(batch.positives & beaten[:, None])
        if not len(rows):
            return view.queries.sum() * 0.0
        with torch.no_grad():
            stored = look_up(self._trained).targets.numpy()
        asked = view.queries.detach().numpy()[beaten]
        mined = self._trained[hardest(asked, stored, allowed[beaten], self._negatives)][(np.cumsum(beaten) - 1)[rows]]
        needed, places = np.unique(mined, return_inverse=True)
        wrong = look_up(needed).targets[torch.from_numpy(places.reshape(mined.shape))]
        weights = torch.from_numpy(batch.weights[rows, columns])
        return triplet_loss(view.queries[torch.from_numpy(rows)], view.targets[torch.from_numpy(columns)], wrong, self._margin, weights)


def _scalar(value: float) -> np.ndarray:
    return np.asarray(value, np.float32)
