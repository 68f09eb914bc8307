"""A small network that joins vectors: what it adds to their mean was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..errors import BadQuery
from ..types import Modality
from .early import Fused, Pieces
from .fitted import TRAIN
from .mean import summed
from .vectors import SHORTEST, shares_of

__all__ = ["Branch", "FusionNetwork", "NetworkFusion"]


class Branch(NamedTuple):
    """What the network knows of one modality.

    Attributes:
        down: (dim, r) float32.
        up: (r, dim) float32; an untrained one is 0, and the network is the mean.
        gate: (dim,) float32.
        gate_bias: () float32.
    """

    down: np.ndarray
    up: np.ndarray
    gate: np.ndarray
    gate_bias: np.ndarray


@dataclass(frozen=True, eq=False)
class FusionNetwork:
    """Gated residual fusion with a projection for each modality.

    Of unit vectors x of modalities m and weights w, whose absolute values add up to 1, it makes

        z_i = relu(x_i·down[m_i])·up[m_i]        g_i = sigmoid(x_i·gate[m_i] + gate_bias[m_i])        unit(Σ w_i·x_i + Σ_w_i>0 w_i·g_i·z_i)

    A piece that is missing is simply not in the sums (it is dropped at random in training, so that the others stand alone), one of a
    modality that was not trained counts in the mean alone, and so does what pushes away.

    Args:
        branches: By modality; all of one dimension.

    Raises:
        ValueError: Their shapes do not fit together, or a number is not finite.
    """

    branches: Mapping[Modality, Branch]

    def __post_init__(self) -> None:
        dims = {branch.gate.shape for branch in self.branches.values()}
        for modality, branch in self.branches.items():
            rank = branch.down.shape[-1] if branch.down.ndim == 2 else 0
            shapes = (branch.down.shape, branch.up.shape, branch.gate.shape, branch.gate_bias.shape)
            dim = branch.gate.shape[0] if branch.gate.ndim == 1 else 0
            if shapes != ((dim, rank), (rank, dim), (dim,), ()) or len(dims) != 1 or not rank:
                raise ValueError(f"the arrays of {modality} of shapes {shapes} are not those of a fusion network")
            if not all(np.isfinite(array).all() for array in branch):
                raise ValueError(f"the arrays of {modality} are not all finite")
        if not self.branches:
            raise ValueError("a fusion network without any modality joins nothing")

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return len(next(iter(self.branches.values())).gate)

    def joined(self, vectors: np.ndarray, weights: np.ndarray, modalities: tuple[Modality, ...]) -> np.ndarray:
        """What it makes of some vectors, before it is made unit length.

        Args:
            vectors: (n, dim) float32 unit rows.
            weights: (n,) float64, whose absolute values add up to 1.
            modalities: n of them.

        Returns:
            (dim,) float64.
        """
        rows = np.asarray(vectors, np.float64)
        total = weights @ rows
        for modality in dict.fromkeys(modalities):
            branch = self.branches.get(modality)
            mine = np.array([of is modality for of in modalities]) & (weights > 0)
            if branch is None or not mine.any():
                continue
            own = rows[mine]
            gates = 1 / (1 + np.exp(-np.clip(own @ branch.gate + branch.gate_bias, -500, 500)))
            total = total + (weights[mine] * gates) @ (np.maximum(own @ branch.down, 0.0) @ branch.up)
        return np.asarray(total)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is kept in a file: float32 by names such as ``down.image``."""
        return {
            f"{field}.{modality}": np.asarray(array, np.float32)
            for modality, branch in self.branches.items()
            for field, array in branch._asdict().items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Undo `arrays`.

        Raises:
            ValueError: They are not those of such a network.
        """
        found: dict[str, dict[str, np.ndarray]] = {}
        for name, array in arrays.items():
            field, _, modality = name.partition(".")
            found.setdefault(modality, {})[field] = array
        wrong = [name for name, fields in found.items() if set(fields) != set(Branch._fields)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} has not all of {', '.join(Branch._fields)}")
        return cls({Modality(name): Branch(**fields) for name, fields in found.items()})


@dataclass(frozen=True)
class NetworkFusion:
    """Joins vectors by a network that was trained for their space; one piece alone stays what it is.

    Attributes:
        networks: By the fingerprint of the space.
    """

    name: ClassVar[str] = "network"
    with_parts: ClassVar[bool] = True
    networks: Mapping[str, FusionNetwork]

    def fuse(self, pieces: Pieces) -> Fused:
        """Join vectors."""
        network = self.networks.get(pieces.fingerprint)
        if network is None:
            raise BadQuery(f"no fusion network was trained for this model: {TRAIN}")
        if len(pieces.weights) == 1:
            return summed(pieces, pieces.weights)
        weights = np.array(pieces.weights, np.float64)
        weights /= np.abs(weights).max()
        joined = network.joined(pieces.vectors, weights / np.abs(weights).sum(), pieces.modalities)
        length = float(np.linalg.norm(joined))
        if length < SHORTEST:
            raise BadQuery("the parts of the query cancel each other out: change their weights")
        vector = np.asarray(joined / length, np.float32)
        return Fused(vector, shares_of(vector, pieces.vectors))
