"""The words of anyseek as values: kinds, spaces, segments, hits.

Everything here is frozen and free of I/O, and imports nothing but the standard library and numpy, so that every layer may use it.
Times are whole milliseconds from the start of the media and intervals are half open: ``[start_ms, end_ms)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np

__all__ = [
    "ENCODED",
    "Annotation",
    "AnnotationType",
    "Capture",
    "Clip",
    "Decoded",
    "Kind",
    "MediaInfo",
    "Modality",
    "Picture",
    "Segment",
    "Sound",
    "Space",
]


class Kind(StrEnum):
    """What a file is, told from its content and never from its name alone."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class Modality(StrEnum):
    """What an encoder takes in.

    A film is looked at as IMAGE (its frames, one by one) and heard as AUDIO (its sound). Only few encoders take VIDEO: the frames of a
    shot together, so that movement counts. None takes WHOLE: what is seen, heard and said of one moment, joined to one vector.
    """

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    WHOLE = "whole"


ENCODED = (Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)
"""What there are encoders for."""


@dataclass(frozen=True, slots=True)
class Space:
    """An embedding space. Vectors of two spaces never meet unless their fingerprints are equal.

    Attributes:
        spec: The name a user types, such as ``starter``.
        dim: Length of a vector.
        fingerprint: Hex digest over all that shapes a vector: weights, preprocessing, prompts, windows, dimension.
        revision: Which version of the model's files it is (a commit of a model hub, or a digest of local files), so that the same ones
            can be loaded again; None where the program itself brings them. The fingerprint covers it.
    """

    spec: str
    dim: int
    fingerprint: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a content that gets one vector.

    Attributes:
        modality: IMAGE for a picture or a frame of film, AUDIO for a stretch of sound, VIDEO for a shot as a whole, WHOLE for several of
            these and the words about them.
        start_ms: First millisecond the segment stands for; 0 for a picture.
        end_ms: The millisecond after its last; 0 for a picture.
        frame_ms: When the representative frame is shown; None for sound and for shots as a whole.
    """

    modality: Modality
    start_ms: int = 0
    end_ms: int = 0
    frame_ms: int | None = None


class AnnotationType(StrEnum):
    """What a text says about a content. Stored in the catalog, so values never change their meaning.

    TAGGED and FUSED are none for people: they note that a content was tagged, or that what belongs together in it was joined, and by what,
    so that nothing is done twice.
    """

    TAG = "tag"
    CAPTION = "caption"
    SPEECH = "speech"
    TEXT = "text"
    TAGGED = "tagged"
    FUSED = "fused"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A text about a content or a stretch of it.

    Attributes:
        type: What it says.
        origin: Who says so: the vocabulary and the model of a tag.
        text: What is said.
        start_ms: First millisecond it is about; 0 for a content as a whole.
        end_ms: The millisecond after the last; 0 for a content as a whole.
        confidence: How sure it is, in [0, 1]; None where nobody knows.
    """

    type: AnnotationType
    origin: str
    text: str
    start_ms: int = 0
    end_ms: int = 0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture or frame: `pixels` is (height, width, 3) uint8, sRGB, upright."""

    segment: Segment
    pixels: np.ndarray


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded stretch of sound: `samples` is (n,) float32 mono within [-1, 1] at the rate that was asked for."""

    segment: Segment
    samples: np.ndarray


@dataclass(frozen=True, slots=True)
class Clip:
    """A shot of film as a whole: `frames` is (t, height, width, 3) uint8, sRGB, upright; `times_ms` (t,) says when each is shown."""

    segment: Segment
    frames: np.ndarray
    times_ms: np.ndarray


Decoded = Picture | Sound | Clip


@dataclass(frozen=True, slots=True)
class Capture:
    """When a thing was taken, and how that is known.

    Attributes:
        at: The moment; aware where the file names an offset, naive local time where it does not.
        origin: ``exif``, ``xmp``, ``container``, ``tag`` or ``mtime``, the most trustworthy that was found.
    """

    at: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file says about itself, known before or while its segments are decoded.

    Attributes:
        kind: By content.
        format: Short name of the container or image format, lower case (``jpeg``, ``mp4``, ``ogg``).
        width: In pixels as seen upright; None for sound.
        height: In pixels as seen upright; None for sound.
        duration_ms: As far as it could really be read; None for pictures.
        frames: Pictures in an animation or pages; None where it has no meaning.
        has_audio: Whether there is a sound track.
        capture: When it was taken; None when only the file time could say.
        latitude: Degrees north, WGS 84.
        longitude: Degrees east, WGS 84.
        rating: 0 to 5 stars.
        keywords: In the order in which the file lists them, without repetition.
    """

    kind: Kind
    format: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    frames: int | None = None
    has_audio: bool = False
    capture: Capture | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    title: str | None = None
    artist: str | None = None
    rating: int | None = None
    keywords: tuple[str, ...] = field(default=())
