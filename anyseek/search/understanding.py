"""What a space makes of one part of a query: by its encoder, or by vectors that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..adapters.adapter import Adapter
from ..encoders.protocol import Encoder, VideoEncoder
from ..fusion.early import EarlyFusion
from ..fusion.vectors import SHORTEST, unit_mean
from ..types import Clip, Decoded, Modality, Picture, Sound
from .backgrounds import Origin
from .probe import Understood
from .query import Example, Part, Stored, Text, Vectors
from .spaces import SearchSpace
from .timings import Stopwatch

__all__ = ["adapted", "understand"]


def understand(part: Part, space: SearchSpace, watch: Stopwatch, fusion: EarlyFusion | None = None) -> Understood | None:
    """Put a part of a query into a space.

    Args:
        part: What is asked.
        space: Where.
        watch: Counts the time.
        fusion: How what is seen and what is heard become one; by the mean unless told.

    Returns:
        What the space makes of it; None if it understands nothing of it.

    Raises:
        BadQuery: A text is empty or too long.
    """
    if isinstance(part, Text):
        if not space.takes(Modality.TEXT, watch):
            return None
        row = space.encode(lambda encoder: encoder.encode_text([part.text]), watch)[0]
        return Understood.alone(Origin(Modality.TEXT), np.asarray(row))
    if isinstance(part, Stored):
        stored = part.vectors.get(space.id)
        return None if stored is None else _of_vectors(stored, space, fusion)
    return _of_example(part, space, watch, fusion)


def adapted(understood: Understood, adapter: Adapter) -> Understood:
    """Let what a space makes of a part go through an adapter: each side through the map of its modality, if that has one.

    Returns:
        What it is then; the same where nothing of it is mapped, or where what is mapped would cancel out.
    """
    if not any(side.origin.modality in adapter.maps for side in understood.sides):
        return understood
    sides = [replace(side, vector=adapter.apply(side.vector[None], side.origin.modality)[0]) for side in understood.sides]
    if len(sides) == 1:
        return replace(Understood.alone(sides[0].origin, sides[0].vector), adapted=True)
    joined = np.sum([side.share * side.vector.astype(np.float64) for side in sides], axis=0)
    length = float(np.linalg.norm(joined))
    if length < SHORTEST:
        return understood
    return Understood((joined / length).astype(np.float32), tuple(side.times(1 / length) for side in sides), adapted=True)


def _of_vectors(stored: Vectors, space: SearchSpace, fusion: EarlyFusion | None) -> Understood:
    """All of them, each side by the length of its vectors' sum, so that the longer side of a film counts for more."""
    sides, weights = [], []
    for modality in dict.fromkeys(stored.modalities):
        rows = stored.rows[[of is modality for of in stored.modalities]]
        sides.append(Understood.alone(Origin(modality), unit_mean(rows)))
        weights.append(max(float(np.linalg.norm(rows.sum(axis=0))), SHORTEST))
    return Understood.together(sides, space, fusion, weights)


def _of_example(part: Example, space: SearchSpace, watch: Stopwatch, fusion: EarlyFusion | None) -> Understood | None:
    """What is seen, in single frames and in shots as a whole, and what is heard: both count alike, however long they are."""
    segments = part.segments.get(space.id, ())
    seen = [found for modality in (Modality.IMAGE, Modality.VIDEO) if (found := _of_segments(segments, modality, space, watch))]
    heard = _of_segments(segments, Modality.AUDIO, space, watch)
    both = ([Understood.together(seen, space, fusion)] if seen else []) + ([heard] if heard else [])
    return Understood.together(both, space, fusion) if both else None


def _of_segments(segments: Sequence[Decoded], modality: Modality, space: SearchSpace, watch: Stopwatch) -> Understood | None:
    mine = [decoded for decoded in segments if decoded.segment.modality is modality]
    if not mine or not space.takes(modality, watch):
        return None
    rows = space.encode(lambda encoder: _encode(encoder, mine), watch)
    return Understood.alone(Origin(modality), unit_mean(rows))


def _encode(encoder: Encoder, segments: Sequence[Decoded]) -> np.ndarray:
    clips = [decoded for decoded in segments if isinstance(decoded, Clip)]
    if clips and isinstance(encoder, VideoEncoder):
        return encoder.encode_video(clips)
    pictures = [decoded.pixels for decoded in segments if isinstance(decoded, Picture)]
    return encoder.encode_images(pictures) if pictures else encoder.encode_audio([d.samples for d in segments if isinstance(d, Sound)])
