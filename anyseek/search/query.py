"""What is asked: a list of weighted parts, each of which becomes one vector, and what the answer may hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..encoders.protocol import Encoder
from ..errors import BadQuery, UnsupportedModality
from ..types import Decoded, Kind, Modality, Picture, Sound

__all__ = ["Example", "Part", "Query", "Stored", "Text", "encode_parts"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words. Always words, even when they look like a path or an address."""

    text: str
    weight: float = 1.0
    name: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Example:
    """A picture, a sound or a film from outside the library, decoded into its segments."""

    kind: Kind
    segments: tuple[Decoded, ...]
    weight: float = 1.0

    @property
    def name(self) -> str:
        """What the part is called in an explanation."""
        return self.kind.value


@dataclass(frozen=True, slots=True)
class Stored:
    """Something of the library, by the vectors that it has already: (n, dim) float32 unit rows."""

    vectors: np.ndarray
    weight: float = 1.0
    name: Literal["stored"] = "stored"


Part = Text | Example | Stored


@dataclass(frozen=True, slots=True)
class Query:
    """A question.

    Attributes:
        parts: At least one.
        kinds: Only hits of these kinds; all when empty.
        limit: Most hits to give.
        without: Contents that are left out, such as the one that is itself the example.
    """

    parts: tuple[Part, ...]
    kinds: frozenset[Kind] = frozenset()
    limit: int = 10
    without: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.parts:
            raise BadQuery("there is nothing to search for: give a text, or an example with --image, --audio or --video")
        if self.limit < 1:
            raise BadQuery(f"a limit of {self.limit} leaves no room for an answer: use 1 or more")
        if not all(math.isfinite(part.weight) for part in self.parts):
            raise BadQuery("a weight must be a finite number, such as 2 or -0.5")
        if not any(part.weight for part in self.parts):
            raise BadQuery("all weights are 0, which leaves nothing to search for: give one part a weight above 0")


def encode_parts(parts: Sequence[Part], encoder: Encoder) -> np.ndarray:
    """One unit vector per part.

    Args:
        parts: What is asked.
        encoder: The encoder of the library.

    Returns:
        (len(parts), dim) float32 unit rows.

    Raises:
        BadQuery: A text is empty or too long, or an example holds nothing to search with.
        UnsupportedModality: The encoder cannot take a part.
    """
    return np.stack([_encode(part, encoder) for part in parts])


def _encode(part: Part, encoder: Encoder) -> np.ndarray:
    if isinstance(part, Stored):
        return unit_mean(part.vectors)
    if isinstance(part, Text):
        _require(encoder, Modality.TEXT)
        return np.asarray(encoder.encode_text([part.text])[0])
    pictures = [decoded.pixels for decoded in part.segments if isinstance(decoded, Picture)]
    sounds = [decoded.samples for decoded in part.segments if isinstance(decoded, Sound)]
    sides = []
    if pictures:
        _require(encoder, Modality.IMAGE)
        sides.append(unit_mean(encoder.encode_images(pictures)))
    if sounds:
        _require(encoder, Modality.AUDIO)
        sides.append(unit_mean(encoder.encode_audio(sounds)))
    if not sides:
        raise BadQuery(f"the {part.name} example holds nothing to search with: choose one that is not empty or silent")
    return unit_mean(np.stack(sides))


def _require(encoder: Encoder, modality: Modality) -> None:
    if modality not in encoder.modalities:
        raise UnsupportedModality(encoder.space.spec, modality.value)


def unit_mean(vectors: np.ndarray) -> np.ndarray:
    """The direction in which unit rows point together; the first row's when they cancel out.

    Args:
        vectors: (n, dim) float32 unit rows, n of at least 1.

    Returns:
        (dim,) float32 unit vector.
    """
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length > 1e-6 else vectors[0], np.float32)
