"""Decoded segments wait here until there are enough of them for the encoder."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ..encoders.protocol import Encoder
from ..types import Decoded, Modality, Picture, Segment

__all__ = ["Batches", "Encoded"]

Owner = TypeVar("Owner")

CROWD = 3
"""Batches of segments that may wait."""


@dataclass(frozen=True, slots=True)
class Encoded(Generic[Owner]):
    """One segment with its (dim,) float32 unit vector."""

    owner: Owner
    segment: Segment
    vector: np.ndarray


class Batches(Generic[Owner]):
    """One waiting list per modality, and a thread that encodes one batch at a time while the decoding processes are being served."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self.encoder = encoder
        self.size = size
        self._waiting: dict[Modality, list[tuple[Owner, Decoded]]] = {Modality.IMAGE: [], Modality.AUDIO: []}
        self._thread = ThreadPoolExecutor(1, "anyseek-encode")
        self._encoding: Future[list[Encoded[Owner]]] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def is_encoding(self) -> bool:
        """Whether a batch is in the thread, or was and has not been taken."""
        return self._encoding is not None

    @property
    def is_crowded(self) -> bool:
        """Whether so much waits that nothing should be added before the next batch is done."""
        return self.is_encoding and len(self) >= CROWD * self.size

    def add(self, owner: Owner, decoded: Decoded) -> None:
        """Put a segment on its list."""
        self._waiting[decoded.segment.modality].append((owner, decoded))

    def drop(self, owner: Owner) -> None:
        """Forget what waits of a file that turned out to be unusable; what is being encoded comes out all the same."""
        for modality, waiting in self._waiting.items():
            self._waiting[modality] = [item for item in waiting if item[0] is not owner]

    def start(self, *, partial: bool = False) -> None:
        """Begin to encode the longest list if it is full, or with `partial` if it has anything; not while another batch is encoded."""
        modality = max(self._waiting, key=lambda modality: len(self._waiting[modality]))
        waiting = self._waiting[modality]
        if self.is_encoding or not waiting or (len(waiting) < self.size and not partial):
            return
        batch, self._waiting[modality] = waiting[: self.size], waiting[self.size :]
        self._encoding = self._thread.submit(self._encode, batch)

    def take(self, timeout_s: float | None = 0.0) -> list[Encoded[Owner]]:
        """The batch in the thread, once: nothing when there is none or it is not done in time (None waits for it)."""
        if self._encoding is None or not wait([self._encoding], timeout_s).done:
            return []
        encoding, self._encoding = self._encoding, None
        return encoding.result()

    def close(self) -> None:
        """Wait for the batch in the thread, whose vectors are lost unless they were taken, and end the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _encode(self, batch: list[tuple[Owner, Decoded]]) -> list[Encoded[Owner]]:
        vectors = self._vectors([decoded for _, decoded in batch])
        return [Encoded(owner, decoded.segment, vector) for (owner, decoded), vector in zip(batch, vectors, strict=True)]

    def _vectors(self, batch: list[Decoded]) -> np.ndarray:
        if isinstance(batch[0], Picture):
            return self.encoder.encode_images([item.pixels for item in batch if isinstance(item, Picture)])
        return self.encoder.encode_audio([item.samples for item in batch if not isinstance(item, Picture)])
