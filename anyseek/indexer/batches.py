"""Decoded segments wait here until there are enough of them for the encoder."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ..encoders.protocol import Encoder
from ..errors import EncoderFailed
from ..types import Decoded, Modality, Picture, Segment, Sound

__all__ = ["Batches", "Encoded"]

Owner = TypeVar("Owner")

CROWD = 3
"""Batches of segments that may wait."""


@dataclass(frozen=True, slots=True)
class Encoded(Generic[Owner]):
    """One segment with its (dim,) float32 unit vector, or with what the encoder had against it."""

    owner: Owner
    segment: Segment
    vector: np.ndarray | None
    refusal: str = ""


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
        """End the thread. A batch that is in it is lost and not waited for: it may take minutes, and a second Ctrl-C ends at once."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _encode(self, batch: list[tuple[Owner, Decoded]]) -> list[Encoded[Owner]]:
        """Encode a batch, and if that fails each of its segments alone: a bad one must not cost its neighbours.

        Raises:
            EncoderFailed: It takes none of several files.
        """
        try:
            vectors = self._vectors([decoded for _, decoded in batch])
        except Exception as error:
            refusal = f"{type(error).__name__}: {error}"
            if len(batch) == 1:
                owner, decoded = batch[0]
                return [Encoded(owner, decoded.segment, None, refusal)]
            singly = [encoded for item in batch for encoded in self._encode([item])]
            if all(encoded.vector is None for encoded in singly) and len({id(encoded.owner) for encoded in singly}) > 1:
                raise EncoderFailed(self.encoder.space.spec, refusal) from error
            return singly
        return [
            Encoded(owner, decoded.segment, vector if np.isfinite(vector).all() else None, "it has no finite vector")
            for (owner, decoded), vector in zip(batch, vectors, strict=True)
        ]

    def _vectors(self, batch: list[Decoded]) -> np.ndarray:
        if isinstance(batch[0], Picture):
            return self.encoder.encode_images([item.pixels for item in batch if isinstance(item, Picture)])
        return self.encoder.encode_audio([item.samples for item in batch if isinstance(item, Sound)])
