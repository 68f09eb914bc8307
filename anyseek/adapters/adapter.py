"""An adapter: its card, and the numbers that it has learnt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import AdapterMismatch
from ..fusion.fitted import FusionWeights
from ..fusion.network import FusionNetwork
from ..types import Modality, Space
from .card import Card
from .maps import VectorMap, map_from

__all__ = ["PREFIX", "Adapter", "adapted_fingerprint"]

PREFIX = "adapted:"
"""What the names of spaces begin with that were made of another one by an adapter."""


@dataclass(frozen=True, eq=False)
class Adapter:
    """Something that was trained on the vectors of a space, ready to be applied.

    Args:
        card: What is known of it.
        arrays: What it has learnt, by names that begin with what they belong to, float32: ``map.text.weights``, or ``map.text.down``,
            ``map.text.bias`` and ``map.text.up``, for each modality that is mapped; ``bridge.weights``, ``bridge.source_centre`` and
            ``bridge.radius``.

    Raises:
        ValueError: The arrays are not what the card promises.
    """

    card: Card
    arrays: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        for name, array in self.arrays.items():
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ValueError(f"{name} is not all finite float32 numbers")
        check = {"linear": self._check_maps, "residual": self._check_maps, "bridge": self._check_bridge, "fusion": self._check_fusion}
        check[self.card.method]()

    @cached_property
    def maps(self) -> dict[Modality, VectorMap]:
        """How vectors of each modality are mapped; those of the others stay what they are."""
        grouped: dict[str, dict[str, np.ndarray]] = {}
        for name, array in self._part("map").items():
            modality, _, field = name.partition(".")
            grouped.setdefault(modality, {})[field] = array
        return {Modality(modality): map_from(arrays) for modality, arrays in grouped.items()}

    @property
    def bridge(self) -> dict[str, np.ndarray]:
        """The arrays of a bridge, by the names that a ridge bridge has for them; none of anything else."""
        return self._part("bridge")

    @cached_property
    def network(self) -> FusionNetwork | None:
        """What joins several vectors of its space; None where no network was trained."""
        arrays = self._part("network")
        return FusionNetwork.from_arrays(arrays) if arrays else None

    @cached_property
    def weights(self) -> FusionWeights | None:
        """How much each modality counts when several vectors of its space are joined; None where that was not fitted."""
        arrays = self._part("weights")
        return FusionWeights.from_arrays(arrays) if arrays else None

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what it has learnt and the fingerprint of its space, in hex: two adapters of one digest do the same."""
        seen = hashlib.sha256(self.card.fingerprint.encode())
        if self.card.target is not None:
            seen.update(self.card.target.fingerprint.encode())
        for name in sorted(self.arrays):
            array = np.asarray(self.arrays[name], "<f4", order="C")
            seen.update(f"\0{name}\0{array.shape}\0".encode())
            seen.update(array.tobytes())
        return seen.hexdigest()

    @property
    def adapted_space(self) -> Space:
        """The space that stored vectors lie in when they are mapped, too."""
        return Space(PREFIX + self.card.name, self.card.dim, adapted_fingerprint(self.card.fingerprint, self.digest), self.card.revision)

    def fit_for(self, space: Space, target: Space | None = None) -> None:
        """Refuse another space than the one that it was trained on.

        Args:
            space: Where it is to be applied; of a bridge, where that leaves from.
            target: Of a bridge, where it leads to.

        Raises:
            AdapterMismatch: It is another one.
        """
        for trained, found in ((self.card.space, space), (self.card.target, target)):
            if trained is not None and (found is None or found.fingerprint != trained.fingerprint):
                same = found is not None and found.spec == trained.spec
                here = "nothing there" if found is None else f"another version of {found.spec}" if same else found.spec
                raise AdapterMismatch(self.card.name, trained.spec, here)

    def apply(self, vectors: np.ndarray, modality: Modality) -> np.ndarray:
        """Map vectors of one modality, (n, dim) float32 unit rows; they stay what they are where it maps none of that."""
        found = self.maps.get(modality)
        return vectors if found is None else found.apply(vectors)

    def _part(self, name: str) -> dict[str, np.ndarray]:
        return {key.removeprefix(f"{name}."): array for key, array in self.arrays.items() if key.startswith(f"{name}.")}

    def _check_maps(self) -> None:
        if not self.maps or set(self.maps) != set(self.card.modalities):
            raise ValueError("its maps are not those of the modalities on its card")
        for name, array in self._part("map").items():
            if not name.endswith(".bias") and array.shape[-1 if name.endswith(".up") else 0] != self.card.dim:
                raise ValueError(f"map.{name} of shape {array.shape} does not map vectors of {self.card.dim} numbers")
        self._check_nothing_else("map")

    def _check_bridge(self) -> None:
        assert self.card.target is not None  # the card sees to it
        shapes = {"weights": (self.card.dim, self.card.target.dim), "source_centre": (self.card.dim,), "radius": ()}
        if {name: array.shape for name, array in self.bridge.items()} != shapes:
            raise ValueError("its arrays are not those of a bridge between its spaces")
        self._check_nothing_else("bridge")

    def _check_fusion(self) -> None:
        if self.network is None and self.weights is None:
            raise ValueError("it has neither a network nor weights to join anything by")
        if self.network is not None and self.network.dim != self.card.dim:
            raise ValueError(f"its network joins vectors of {self.network.dim} numbers, and its space has {self.card.dim}")
        self._check_nothing_else("network", "weights")

    def _check_nothing_else(self, *parts: str) -> None:
        others = [name for name in self.arrays if name.partition(".")[0] not in parts]
        if others:
            raise ValueError(f"{others[0]} does not belong to it")


def adapted_fingerprint(fingerprint: str, digest: str) -> str:
    """The fingerprint of the space that an adapter of some digest makes of a space."""
    return hashlib.sha256(f"{fingerprint} {digest}".encode()).hexdigest()
