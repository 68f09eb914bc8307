"""What learns: parameters, and what becomes of a problem's queries and targets by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ..errors import BadInput
from ..types import Modality
from .anchoring import Anchors
from .losses import Tensor
from .networks import DELTA, fused, kept_parts, mapped, new_linear, new_network, new_residual, part_weights
from .problem import Parts, Problem

__all__ = ["FusionLearner", "Learner", "MapLearner", "View", "tensors"]


class View(NamedTuple):
    """The queries and targets of a batch in one way to see them.

    Attributes:
        queries: (b, dim) unit rows.
        targets: (c, dim) unit rows.
    """

    queries: Tensor
    targets: Tensor


class Learner(Protocol):
    """Something with parameters.

    Attributes:
        parameters: By name; what is learnt.
    """

    parameters: dict[str, Tensor]

    def views(self, queries: np.ndarray, targets: np.ndarray, vectors: View | None, chance: np.random.Generator | None) -> list[View]:
        """What becomes of some queries and targets; the first view is the one that is validated.

        Args:
            queries: (b,) rows of the problem.
            targets: (c,) rows of the problem.
            vectors: What they are before, where that was changed; None for what the problem says.
            chance: Of what is left to it in training; None outside.
        """

    def stored(self, vectors: Tensor, modalities: Sequence[Modality]) -> Tensor:
        """What becomes of other things that are stored, (n, dim) unit rows."""

    def held_back(self, chance: np.random.Generator) -> Tensor | None:
        """What else is to be made small beside the loss of the pairs, (); None for nothing."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learnt, as an adapter holds it."""


class MapLearner:
    """Maps of the vectors of each modality that something is learnt of, of queries alone or of all.

    Args:
        problem: What from.
        rank: Of residual maps; None for linear ones.
        both: Whether targets are mapped, too.
        anchors: What is to stay.
        anchor_weight: How much that counts.
        chance: Where what it begins with comes from.

    Raises:
        BadInput: Nothing is learnt of what is to be mapped.
    """

    def __init__(
        self, problem: Problem, rank: int | None, *, both: bool, anchors: Anchors, anchor_weight: float, chance: np.random.Generator
    ) -> None:
        dim = problem.query_vectors.shape[1]
        self._problem, self._both, self._anchors, self._anchor_weight = problem, both, anchors, anchor_weight
        keys = {of: known for of in problem.mapped if len(known := self._keys(of))}
        if not keys:
            raise BadInput("nothing that is learnt from is of a kind that is mapped: give pairs that are asked with text")
        new = {of: new_linear(dim) if rank is None else new_residual(known, rank, self._others(of), chance) for of, known in keys.items()}
        self.parameters = tensors({f"map.{of.value}.{name}": array for of, arrays in new.items() for name, array in arrays.items()})
        self._maps = {of: {name: self.parameters[f"map.{of.value}.{name}"] for name in arrays} for of, arrays in new.items()}

    def views(self, queries: np.ndarray, targets: np.ndarray, vectors: View | None, chance: np.random.Generator | None) -> list[View]:
        """See `Learner.views`."""
        of = self._problem
        before = vectors or View(*tensor_rows(of.query_vectors, queries, of.target_vectors, targets))
        asked = self._ask(before.queries, [of.query_modalities[row] for row in queries])
        return [View(asked, self.stored(before.targets, [of.target_modalities[row] for row in targets]))]

    def stored(self, vectors: Tensor, modalities: Sequence[Modality]) -> Tensor:
        """See `Learner.stored`."""
        return mapped(vectors, modalities, self._maps) if self._both else vectors

    def held_back(self, chance: np.random.Generator) -> Tensor | None:
        """How far the anchors have moved."""
        moved = self._anchors.moved(self._ask, self.stored, chance) if self._anchor_weight else None
        return None if moved is None else self._anchor_weight * moved

    def arrays(self) -> dict[str, np.ndarray]:
        """See `Learner.arrays`."""
        found = numpy_arrays(self.parameters)
        for name in [name for name in found if name.endswith(DELTA)]:
            delta = found.pop(name)
            found[name.removesuffix(DELTA) + "weights"] = np.eye(len(delta), dtype=np.float32) + delta
        return found

    def _keys(self, modality: Modality) -> np.ndarray:
        """What a modality's map is to know first: the different vectors of that modality that are learnt from."""
        of, right = self._problem, self._problem.train.positive
        sides = [(of.query_vectors, of.query_modalities, of.train.query[right])]
        sides += [(of.target_vectors, of.target_modalities, of.train.target[right])] if self._both else []
        rows = [vectors[[row for row in np.unique(used) if modalities[row] is modality]] for vectors, modalities, used in sides]
        return np.unique(np.concatenate(rows), axis=0)

    def _others(self, modality: Modality) -> np.ndarray:
        """What is not to answer to the keys of a modality: its anchors, or whatever else is known of it."""
        others = self._problem.candidates
        if modality in self._problem.anchors:
            return self._problem.anchors[modality]
        if others is None:
            return np.zeros((0, self._problem.query_vectors.shape[1]), np.float32)
        return others.vectors[[of is modality for of in others.modalities]]

    def _ask(self, vectors: Tensor, modalities: Sequence[Modality]) -> Tensor:
        return mapped(vectors, modalities, self._maps)


class FusionLearner:
    """Two ways to join parts, learnt side by side: a network, and a weight for each modality.

    Args:
        problem: What from; its queries or its targets have parts.
        rank: Of the network.
        dropping: The chance with which a part is missing in training.
        chance: Where what it begins with comes from.
    """

    def __init__(self, problem: Problem, rank: int, dropping: float, chance: np.random.Generator) -> None:
        self._problem, self._dropping = problem, dropping
        sides = [parts for parts in (problem.query_parts, problem.target_parts) if parts is not None]
        there = {modality for parts in sides for modality in parts.modalities}
        modalities = [modality for modality in Modality if modality in there]
        network = tensors(new_network(problem.query_vectors.shape[1], rank, modalities, chance))
        self._logits = tensors({modality.value: np.zeros((), np.float32) for modality in modalities})
        self._network = network
        self.parameters = {f"network.{name}": of for name, of in network.items()} | {
            f"weights.{name}": of for name, of in self._logits.items()
        }

    def views(self, queries: np.ndarray, targets: np.ndarray, vectors: View | None, chance: np.random.Generator | None) -> list[View]:
        """The network's view, and that of the weights; both miss the same parts."""
        of = self._problem
        before = vectors or View(*tensor_rows(of.query_vectors, queries, of.target_vectors, targets))
        asked = self._joined(before.queries, of.query_parts, queries, chance)
        found = self._joined(before.targets, of.target_parts, targets, chance)
        return [View(*both) for both in zip(asked, found, strict=True)]

    def stored(self, vectors: Tensor, modalities: Sequence[Modality]) -> Tensor:
        """What is stored is one vector already."""
        return vectors

    def held_back(self, chance: np.random.Generator) -> Tensor | None:
        """A network of one part changes nothing: there is nothing to hold."""
        return None

    def arrays(self) -> dict[str, np.ndarray]:
        """See `Learner.arrays`; the weights as shares, which add up to 1."""
        names = [f"weights.{name}" for name in self._logits]
        shares = part_weights([Modality(name) for name in self._logits], self._logits)
        return numpy_arrays({**self.parameters, **dict(zip(names, shares, strict=True))})

    def _joined(self, whole: Tensor, parts: Parts | None, rows: np.ndarray, chance: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        import torch

        if parts is None or not len(rows):
            return whole, whole
        starts, ends = np.searchsorted(parts.owner, rows), np.searchsorted(parts.owner, rows, side="right")
        mine = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
        owner = np.repeat(np.arange(len(rows)), ends - starts)
        weights = parts.weights[mine]
        if chance is not None and self._dropping:
            weights = np.where(kept_parts(owner, self._dropping, chance), weights, 0).astype(np.float32)
        modalities = [parts.modalities[part] for part in mine]
        given = torch.from_numpy(parts.vectors[mine]), modalities
        user, of = torch.from_numpy(weights), torch.from_numpy(owner)
        return fused(*given, user, of, self._network), fused(*given, user * part_weights(modalities, self._logits), of, {})


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Parameters that are to be learnt, as float32."""
    import torch

    return {name: torch.tensor(array, dtype=torch.float32, requires_grad=True) for name, array in arrays.items()}


def numpy_arrays(parameters: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """The same as arrays of their own, float32."""
    return {name: np.array(parameter.detach().numpy(), np.float32, order="C") for name, parameter in parameters.items()}


def tensor_rows(queries: np.ndarray, query_rows: np.ndarray, targets: np.ndarray, target_rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Some rows of two matrices."""
    import torch

    return torch.from_numpy(queries[query_rows]), torch.from_numpy(targets[target_rows])
