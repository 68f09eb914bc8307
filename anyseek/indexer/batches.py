"""Decoded segments wait here until there are enough of them for the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ..encoders.protocol import Encoder
from ..types import Decoded, Modality, Picture, Segment

__all__ = ["Batches", "Encoded"]

Owner = TypeVar("Owner")


@dataclass(frozen=True, slots=True)
class Encoded(Generic[Owner]):
    """One segment with its (dim,) float32 unit vector."""

    owner: Owner
    segment: Segment
    vector: np.ndarray


class Batches(Generic[Owner]):
    """One waiting list per modality."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self.encoder = encoder
        self.size = size
        self._waiting: dict[Modality, list[tuple[Owner, Decoded]]] = {Modality.IMAGE: [], Modality.AUDIO: []}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, owner: Owner, decoded: Decoded) -> None:
        """Put a segment on its list."""
        self._waiting[decoded.segment.modality].append((owner, decoded))

    def drop(self, owner: Owner) -> None:
        """Forget what waits of a file that turned out to be unusable."""
        for modality, waiting in self._waiting.items():
            self._waiting[modality] = [item for item in waiting if item[0] is not owner]

    def encode(self, *, partial: bool = False) -> list[Encoded[Owner]]:
        """Encode the lists that are full, with `partial` also those that are not."""
        encoded: list[Encoded[Owner]] = []
        for modality, waiting in self._waiting.items():
            while waiting and (partial or len(waiting) >= self.size):
                batch, waiting = waiting[: self.size], waiting[self.size :]
                self._waiting[modality] = waiting
                encoded.extend(
                    Encoded(owner, decoded.segment, vector)
                    for (owner, decoded), vector in zip(batch, self._vectors([decoded for _, decoded in batch]), strict=True)
                )
        return encoded

    def _vectors(self, batch: list[Decoded]) -> np.ndarray:
        if isinstance(batch[0], Picture):
            return self.encoder.encode_images([item.pixels for item in batch if isinstance(item, Picture)])
        return self.encoder.encode_audio([item.samples for item in batch if not isinstance(item, Picture)])
