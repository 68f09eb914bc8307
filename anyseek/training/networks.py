"""What is learnt, in torch: the same formulas as `anyseek.adapters.maps` and `anyseek.fusion.network` apply with numpy.

A model is a dictionary of parameters under the names that its arrays have in an adapter, and functions of them: what is kept, checked
against numpy and written to a checkpoint is the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..types import Modality
from .losses import Tensor

__all__ = ["as_unit", "fused", "kept_parts", "linear", "mapped", "new_linear", "new_network", "new_residual", "part_weights", "residual"]

SHORTEST = 1e-6
DELTA = "delta"
"""What a linear map learns is what it adds to the identity: so weight decay draws it to the identity and not to nothing."""

STIRRED = 0.01
"""The share of anchors that a key may answer to before anything is learnt."""

NEAR, FURTHEST = 0.4, 0.9
"""The cosine from which on a key answers: where no anchors tell, and at most; what it was made of has 1."""


def as_unit(vectors: Tensor) -> Tensor:
    """Rows of length 1."""
    return vectors / vectors.norm(dim=1, keepdim=True).clamp(min=SHORTEST)


def linear(vectors: Tensor, delta: Tensor) -> Tensor:
    """unit(x (I + Δ)), (n, dim)."""
    return as_unit(vectors + vectors @ delta)


def residual(vectors: Tensor, down: Tensor, bias: Tensor, up: Tensor) -> Tensor:
    """unit(x + relu(x D + b) U), (n, dim)."""
    import torch

    return as_unit(vectors + torch.relu(vectors @ down + bias) @ up)


def new_linear(dim: int) -> dict[str, np.ndarray]:
    """A linear map that changes nothing."""
    return {DELTA: np.zeros((dim, dim), np.float32)}


def new_residual(keys: np.ndarray, rank: int, anchors: np.ndarray, chance: np.random.Generator) -> dict[str, np.ndarray]:
    """A residual map that changes nothing yet, and will change little but what is like its keys.

    D begins as keys, vectors of what it is to learn (R. Zhang et al., Tip-Adapter, ECCV 2022), b so that hardly an anchor is near enough to
    one of them to be changed by it, U as 0. A straight map cannot do that: there are far more captions than directions to keep them in.

    Args:
        keys: (n, dim) unit rows, different ones, n of at least 1.
        rank: How many to take, at most.
        anchors: (a, dim) unit rows that are to stay; maybe none.
        chance: Where the choice comes from.
    """
    down = keys[np.sort(chance.permutation(len(keys))[:rank])].T
    near = np.quantile(anchors @ down, 1 - STIRRED, axis=0) if len(anchors) else np.full(down.shape[1], NEAR)
    bias = -np.clip(near, 0.0, FURTHEST)
    return {"down": np.array(down, np.float32), "bias": np.asarray(bias, np.float32), "up": np.zeros(down.T.shape, np.float32)}


def new_network(dim: int, rank: int, modalities: Sequence[Modality], chance: np.random.Generator) -> dict[str, np.ndarray]:
    """A fusion network that is the mean."""
    arrays = {}
    for modality in modalities:
        arrays[f"down.{modality.value}"] = _drawn(dim, rank, chance)
        arrays[f"up.{modality.value}"] = np.zeros((rank, dim), np.float32)
        arrays[f"gate.{modality.value}"] = np.zeros(dim, np.float32)
        arrays[f"gate_bias.{modality.value}"] = np.zeros((), np.float32)
    return arrays


def mapped(vectors: Tensor, modalities: Sequence[Modality], maps: dict[Modality, dict[str, Tensor]]) -> Tensor:
    """Vectors, each by the map of its modality; those of other modalities stay what they are.

    Args:
        vectors: (n, dim) unit rows.
        modalities: n of them.
        maps: The parameters of each modality's map.
    """
    import torch

    there = list(dict.fromkeys(modalities))
    if len(there) < 2:
        return _mapped(vectors, maps.get(there[0])) if there else vectors
    rows = [torch.tensor([number for number, of in enumerate(modalities) if of is modality]) for modality in there]
    parts = [_mapped(vectors[mine], maps.get(modality)) for mine, modality in zip(rows, there, strict=True)]
    return torch.cat(parts)[torch.argsort(torch.cat(rows))]


def _mapped(vectors: Tensor, of: dict[str, Tensor] | None) -> Tensor:
    if of is None:
        return vectors
    return linear(vectors, of[DELTA]) if DELTA in of else residual(vectors, of["down"], of["bias"], of["up"])


def fused(vectors: Tensor, modalities: Sequence[Modality], weights: Tensor, owner: Tensor, network: dict[str, Tensor]) -> Tensor:
    """The fusion network: parts, each with what a small gated network of its modality adds to it, as one vector for each owner.

    mean = Σ w x; z = relu(x D) U; gate = sigmoid(x·g + b); unit(mean + Σ w gate z), with w summing to 1 over the parts of an owner. A part
    that is alone stays what it is, as `anyseek.fusion.network.NetworkFusion` leaves it.

    Args:
        vectors: (p, dim) unit rows.
        modalities: p of them.
        weights: (p,) 0 or more; a part of weight 0 is missing, and no owner misses all.
        owner: (p,) int64 from 0 on, whose each is.
        network: The parameters by name; a modality that has none adds nothing. None at all: the weighted mean.

    Returns:
        (owners, dim) unit rows.
    """
    import torch

    count = int(owner.max()) + 1
    shares = weights / vectors.new_zeros(count).index_add(0, owner, weights)[owner]
    accompanied = vectors.new_zeros(count).index_add(0, owner, (weights > 0).to(vectors.dtype))[owner] > 1
    added = vectors
    for modality in dict.fromkeys(modalities):
        if f"down.{modality.value}" in network:
            mine = torch.tensor([number for number, of in enumerate(modalities) if of is modality])
            down, up, gate, bias = (network[f"{name}.{modality.value}"] for name in ("down", "up", "gate", "gate_bias"))
            some = vectors[mine]
            extra = torch.relu(some @ down) @ up * (torch.sigmoid(some @ gate + bias) * accompanied[mine])[:, None]
            added = added.index_add(0, mine, extra)
    return as_unit(vectors.new_zeros(count, vectors.shape[1]).index_add(0, owner, added * shares[:, None]))


def part_weights(modalities: Sequence[Modality], logits: dict[str, Tensor]) -> Tensor:
    """What each part weighs by its modality, (p,): a softmax over the modalities, so that the weights lie on the simplex.

    Args:
        modalities: p of them.
        logits: () for each modality that parts have.
    """
    import torch

    names = list(logits)
    simplex = torch.softmax(torch.stack([logits[name] for name in names]), dim=0)
    return simplex[torch.tensor([names.index(modality.value) for modality in modalities])]


def kept_parts(owner: np.ndarray, dropping: float, chance: np.random.Generator) -> np.ndarray:
    """Which parts are there when each is missing with some chance, (p,) bool; of each owner at least one is.

    Args:
        owner: (p,) int64 from 0 on.
        dropping: The chance.
        chance: Where it comes from.
    """
    luck = chance.random(len(owner))
    luckiest = np.zeros(owner.max() + 1)
    np.maximum.at(luckiest, owner, luck)
    return np.asarray((luck >= dropping) | (luck == luckiest[owner]))


def _drawn(dim: int, rank: int, chance: np.random.Generator) -> np.ndarray:
    return np.asarray(chance.standard_normal((dim, rank)) / np.sqrt(dim), np.float32)
