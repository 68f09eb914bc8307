"""Decoded segments wait here until there are enough of them for an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from ..encoders.protocol import Encoder, VideoEncoder
from ..errors import EncoderFailed
from ..types import Clip, Decoded, Modality, Picture, Segment, Sound
from .lanes import Lane
from .messages import bytes_of

__all__ = ["Batches", "Encoded"]

Owner = TypeVar("Owner")

BATCH_BYTES = 64 * 1024**2
"""Where a batch would be larger than this it has fewer segments: a shot as a whole can weigh as much as a hundred pictures."""


@dataclass(frozen=True, slots=True)
class Encoded(Generic[Owner]):
    """One segment with its (dim,) float32 unit vector, or with what the encoder had against it."""

    owner: Owner
    segment: Segment
    vector: np.ndarray | None
    refusal: str = ""


@dataclass(slots=True)
class _List(Generic[Owner]):
    """What waits for one encoder in one modality."""

    encoder: Encoder
    size: int
    items: list[tuple[Owner, Decoded]] = field(default_factory=list)
    bytes: int = 0

    @property
    def batches(self) -> float:
        """How many batches wait; a list is full from 1 on."""
        return max(len(self.items) / self.size, self.bytes / BATCH_BYTES)

    def add(self, owner: Owner, decoded: Decoded) -> None:
        self.items.append((owner, decoded))
        self.bytes += bytes_of(decoded)

    def drop(self, owner: Owner) -> int:
        kept = [item for item in self.items if item[0] is not owner]
        dropped = len(self.items) - len(kept)
        self._keep(kept)
        return dropped

    def pop_batch(self) -> list[tuple[Owner, Decoded]]:
        count = weight = 0
        for _, decoded in self.items[: self.size]:
            weight += bytes_of(decoded)
            if count and weight > BATCH_BYTES:
                break
            count += 1
        batch = self.items[:count]
        self._keep(self.items[count:])
        return batch

    def _keep(self, items: list[tuple[Owner, Decoded]]) -> None:
        self.items = items
        self.bytes = sum(bytes_of(decoded) for _, decoded in items)


class Batches(Generic[Owner]):
    """One waiting list per lane and modality, and a thread that encodes one batch at a time while the decoding processes are being served.

    Args:
        lanes: Whose encoders take them; `add` names one by its number.
        size: Segments in a batch; what suits each encoder when None.
    """

    def __init__(self, lanes: Sequence[Lane], size: int | None) -> None:
        self._lists: dict[tuple[int, Modality], _List[Owner]] = {
            (number, modality): _List(lane.encoder, size or lane.batch_size)
            for number, lane in enumerate(lanes)
            for modality in sorted(lane.encoder.modalities - {Modality.TEXT})
        }
        self._thread = ThreadPoolExecutor(1, "anyseek-encode")
        self._encoding: Future[list[Encoded[Owner]]] | None = None

    def __len__(self) -> int:
        return sum(len(waiting.items) for waiting in self._lists.values())

    @property
    def is_encoding(self) -> bool:
        """Whether a batch is in the thread, or was and has not been taken."""
        return self._encoding is not None

    @property
    def is_crowded(self) -> bool:
        """Whether nothing should be added before the next batch is done: a batch more waits than there are lists, so one must be full."""
        return self.is_encoding and sum(waiting.batches for waiting in self._lists.values()) >= len(self._lists) + 1

    def add(self, lane: int, owner: Owner, decoded: Decoded) -> None:
        """Put a segment on its list."""
        self._lists[lane, decoded.segment.modality].add(owner, decoded)

    def drop(self, owner: Owner) -> int:
        """Forget what waits of an owner that has no use for it any more, and say how much it was.

        What is being encoded comes out all the same.
        """
        return sum(waiting.drop(owner) for waiting in self._lists.values())

    def start(self, *, partial: bool = False) -> None:
        """Begin to encode the longest list if it is full, or with `partial` if it has anything; not while another batch is encoded."""
        if self.is_encoding or not self._lists:
            return
        longest = max(self._lists.values(), key=lambda waiting: waiting.batches)
        if longest.items and (partial or longest.batches >= 1):
            self._encoding = self._thread.submit(_encode, longest.encoder, longest.pop_batch())

    def take(self, timeout_s: float | None = 0.0) -> list[Encoded[Owner]]:
        """The batch in the thread, once: nothing when there is none or it is not done in time (None waits for it)."""
        if self._encoding is None or not wait([self._encoding], timeout_s).done:
            return []
        encoding, self._encoding = self._encoding, None
        return encoding.result()

    def close(self) -> None:
        """End the thread. A batch that is in it is lost and not waited for: it may take minutes, and a second Ctrl-C ends at once."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _encode(encoder: Encoder, batch: list[tuple[Owner, Decoded]]) -> list[Encoded[Owner]]:
    """Encode a batch, and if that fails each of its segments alone: a bad one must not cost its neighbours.

    Raises:
        EncoderFailed: It takes none of several files.
    """
    try:
        vectors = _vectors(encoder, [decoded for _, decoded in batch])
    except Exception as error:
        refusal = f"{type(error).__name__}: {error}"
        if len(batch) == 1:
            owner, decoded = batch[0]
            return [Encoded(owner, decoded.segment, None, refusal)]
        singly = [encoded for item in batch for encoded in _encode(encoder, [item])]
        if all(encoded.vector is None for encoded in singly) and len({id(encoded.owner) for encoded in singly}) > 1:
            raise EncoderFailed(encoder.space.spec, refusal) from error
        return singly
    return [
        Encoded(owner, decoded.segment, vector if np.isfinite(vector).all() else None, "it has no finite vector")
        for (owner, decoded), vector in zip(batch, vectors, strict=True)
    ]


def _vectors(encoder: Encoder, batch: list[Decoded]) -> np.ndarray:
    if isinstance(batch[0], Picture):
        return encoder.encode_images([item.pixels for item in batch if isinstance(item, Picture)])
    if isinstance(batch[0], Sound):
        return encoder.encode_audio([item.samples for item in batch if isinstance(item, Sound)])
    assert isinstance(encoder, VideoEncoder)  # only those are given clips, see `lanes.fitted`
    return encoder.encode_video([item for item in batch if isinstance(item, Clip)])
