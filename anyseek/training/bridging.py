"""A bridge that learns: pairs pull it, and the texts that both spaces know hold it, as a pivot for what has no pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import BadInput
from ..fusion.vectors import mean_length
from ..search.ridge import fit_ridge
from ..types import Modality
from .learners import View, numpy_arrays, tensors
from .losses import Tensor, info_nce
from .networks import as_unit
from .problem import Problem

__all__ = ["BridgeLearner", "Crossing"]

DRAWN = 256
"""Texts, and stored vectors, in a step."""

FEWEST = 3
"""Pairs that a map can be fitted to at all."""

TEMPERATURE = 0.05
"""Of the pivot's losses, and of how texts stand in for a stored vector."""


class Crossing:
    """Where a bridge leaves, and what it was before anything was learnt.

    Attributes:
        origin: (d, e) float64, the ridge map between what both spaces make of texts; 0 without texts.
        source_centre: (d,) float32, the mean of the texts there; without texts, of the queries.
        centres: By modality, (d,) the mean of such vectors: bridges carry differences from them.
        radius: () float32; see `anyseek.search.bridge.Bridge`.
        texts: (n, d) float32, texts as differences from their centre in the source.
        their_texts: (n, e) float32, the same in the target.

    Raises:
        BadInput: The texts are not those of the problem's spaces.
    """

    def __init__(self, problem: Problem) -> None:
        pivot = problem.pivot
        d, e = problem.query_vectors.shape[1], problem.target_vectors.shape[1]
        source = pivot.source if pivot is not None else np.zeros((0, d), np.float32)
        target = pivot.target if pivot is not None else np.zeros((0, e), np.float32)
        if source.shape != (len(target), d) or target.shape[1] != e:
            raise BadInput(f"texts of shapes {source.shape} and {target.shape} are no pivot between {d} and {e} numbers")
        self.origin = np.asarray(fit_ridge(source, target).weights) if len(source) >= FEWEST else np.zeros((d, e))
        self.source_centre = (source if len(source) else problem.query_vectors).mean(axis=0)
        self.centres: Mapping[Modality, np.ndarray] = {
            modality: self.source_centre if modality is Modality.TEXT and len(source) else self._media_of(problem, modality).mean(axis=0)
            for modality in dict.fromkeys(problem.query_modalities)
        }
        their_centre = (target if len(target) else problem.target_vectors).mean(axis=0)
        self.texts, self.their_texts = source - self.source_centre, target - their_centre
        self.radius = mean_length(self.their_texts if len(target) else problem.target_vectors - their_centre)

    @staticmethod
    def _media_of(problem: Problem, modality: Modality) -> np.ndarray:
        vectors, modalities = problem.query_vectors, problem.query_modalities
        if problem.pivot is not None and modality in problem.pivot.media_modalities:
            vectors, modalities = problem.pivot.media, problem.pivot.media_modalities
        return vectors[[of is modality for of in modalities]]

    def differences(self, vectors: np.ndarray, modalities: Sequence[Modality]) -> np.ndarray:
        """What a bridge carries of some queries, (n, d) float32."""
        if not len(modalities):
            return vectors
        return np.asarray(vectors - np.stack([self.centres[modality] for modality in modalities]), np.float32)

    def arrays(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """A bridge as an adapter holds it."""
        return {
            "bridge.weights": np.asarray(weights, np.float32),
            "bridge.source_centre": np.asarray(self.source_centre, np.float32),
            "bridge.radius": np.asarray(self.radius, np.float32),
        }


class BridgeLearner:
    """A straight map into another space, which begins as the ridge map between texts; without texts, between pairs.

    Texts are the pivot (Z. Wang et al., Connecting Multi-modal Contrastive Representations, NeurIPS 2023). What is stored in the source has
    a stand-in in the target: the texts that it is near to, each as much as it is near. The map is to take it there (inter), and to take it
    and its texts to one place (intra), because a map that knows texts alone need not carry it over the gap between modalities.

    Args:
        problem: What from.
        anchor_weight: How much the pivot counts beside the pairs.

    Raises:
        BadInput: There are neither texts nor enough pairs.
    """

    def __init__(self, problem: Problem, anchor_weight: float) -> None:
        import torch

        self._problem, self._weight = problem, anchor_weight
        self.crossing = Crossing(problem)
        if not self.crossing.origin.any():
            self.crossing.origin = self._between_pairs()
        self._origin = torch.tensor(self.crossing.origin, dtype=torch.float32)
        self.parameters = tensors({"bridge.delta": np.zeros(self.crossing.origin.shape, np.float32)})
        self._media = self._stored_differences()

    def views(self, queries: np.ndarray, targets: np.ndarray, vectors: View | None, chance: np.random.Generator | None) -> list[View]:
        """See `Learner.views`."""
        import torch

        of = self._problem
        asked = of.query_vectors[queries] if vectors is None else vectors.queries.numpy()
        differences = self.crossing.differences(asked, [of.query_modalities[row] for row in queries])
        found = torch.from_numpy(of.target_vectors[targets]) if vectors is None else vectors.targets
        return [View(self._carried(torch.from_numpy(differences)), found)]

    def stored(self, vectors: Tensor, modalities: Sequence[Modality]) -> Tensor:
        """A bridge changes nothing where it leads to."""
        return vectors

    def held_back(self, chance: np.random.Generator) -> Tensor | None:
        """The pivot's part: texts go to themselves, what is stored goes to the texts that stand in for it."""
        import torch

        if not self._weight or not len(self.crossing.texts):
            return None
        texts, theirs = (torch.from_numpy(np.asarray(side, np.float32)) for side in (self.crossing.texts, self.crossing.their_texts))
        some = torch.from_numpy(chance.permutation(len(texts))[:DRAWN])
        total = self._contrast(self._carried(texts[some]), as_unit(theirs[some]))
        if len(self._media):
            media = torch.from_numpy(self._media[chance.permutation(len(self._media))[:DRAWN]])
            near = torch.softmax(as_unit(media) @ as_unit(texts).T / TEMPERATURE, dim=1)
            carried, stand_in = self._carried(media), self._carried(near @ texts)
            total = total + self._contrast(carried, as_unit(near @ theirs)) + (carried - stand_in).square().sum(dim=1).mean()
        return self._weight * total

    def arrays(self) -> dict[str, np.ndarray]:
        """See `Learner.arrays`."""
        return self.crossing.arrays(self.crossing.origin + numpy_arrays(self.parameters)["bridge.delta"])

    def _between_pairs(self) -> np.ndarray:
        of, right = self._problem, self._problem.train.positive
        queries, targets = of.train.query[right], of.train.target[right]
        if len(queries) < FEWEST:
            raise BadInput(
                f"{len(queries)} pairs are too few for a bridge between models that share no text: give {FEWEST} or, better, a hundred"
            )
        x = self.crossing.differences(of.query_vectors[queries], [of.query_modalities[row] for row in queries])
        return np.asarray(fit_ridge(x, of.target_vectors[targets]).weights)

    def _carried(self, differences: Tensor) -> Tensor:
        return as_unit(differences @ (self._origin + self.parameters["bridge.delta"]))

    @staticmethod
    def _contrast(carried: Tensor, wanted: Tensor) -> Tensor:
        import torch

        return info_nce(carried, wanted, torch.eye(len(carried), dtype=torch.bool), torch.tensor(np.float32(np.log(TEMPERATURE))))

    def _stored_differences(self) -> np.ndarray:
        pivot = self._problem.pivot
        if pivot is None or not len(pivot.media):
            return np.zeros((0, self.crossing.origin.shape[0]), np.float32)
        found = np.array(pivot.media, np.float32)
        for modality in dict.fromkeys(pivot.media_modalities):
            mine = np.array([of is modality for of in pivot.media_modalities])
            found[mine] -= found[mine].mean(axis=0)
        return found
