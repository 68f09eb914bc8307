"""A lane: one embedding space that a run fills, with the encoder that gives its vectors.

A run has a lane for every space that serves or is to take over. A file is hashed once, and then read anew for each lane that lacks it, by
the lane's own options: what a lane gets of a file never depends on which other lanes there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..encoders.protocol import BatchingEncoder, Encoder, VideoEncoder
from ..media.protocol import DecodeOptions
from ..storage.catalog import SpaceRow
from ..types import Modality

__all__ = ["BATCH_SIZE", "Lane", "fitted"]

BATCH_SIZE = 16
"""Segments that are encoded at a time where the encoder does not say what suits it."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A space and the encoder that fills it."""

    space: SpaceRow
    encoder: Encoder

    @property
    def spec(self) -> str:
        """The name by which a person knows it."""
        return self.space.space.spec

    @property
    def batch_size(self) -> int:
        """How many segments suit the encoder."""
        return self.encoder.batch_size if isinstance(self.encoder, BatchingEncoder) else BATCH_SIZE

    def decode(self, options: DecodeOptions) -> DecodeOptions:
        """How files are decoded for it: as `fitted`, with shots as a whole where the encoder takes them."""
        return fitted(replace(options, modalities=options.modalities | {Modality.VIDEO}), self.encoder)


def fitted(options: DecodeOptions, encoder: Encoder) -> DecodeOptions:
    """Fit the options to what an encoder takes.

    Windows are always the encoder's own: they shape its vectors, so they belong to the space and are no option of a run.
    """
    most = encoder.max_frames if isinstance(encoder, VideoEncoder) else options.max_clip_frames
    return replace(
        options,
        modalities=encoder.modalities & options.modalities,
        image_size=encoder.image_size,
        sample_rate=encoder.sample_rate,
        window_ms=encoder.window_ms,
        max_clip_frames=min(options.max_clip_frames, most),
    )
