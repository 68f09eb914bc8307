"""What belongs together in one content: which of its segments are about the same moment, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..storage.catalog import ContentInfo
from ..types import Annotation, AnnotationType, Modality, Segment

__all__ = ["Belonging", "Words", "belonging", "words_of"]

MEDIA = (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO)
SAID = (AnnotationType.CAPTION, AnnotationType.SPEECH, AnnotationType.TEXT)


@dataclass(frozen=True, slots=True)
class Words:
    """A text about a stretch of a content, or about all of it where it ends at 0."""

    text: str
    start_ms: int = 0
    end_ms: int = 0


@dataclass(frozen=True, slots=True)
class Belonging:
    """What is to become one.

    Attributes:
        segment: What it is about; WHOLE.
        members: Of each modality the numbers of the segments, and for how many milliseconds each is about that moment.
        texts: What is said of it, each text once.
    """

    segment: Segment
    members: Mapping[Modality, tuple[tuple[int, int], ...]]
    texts: tuple[str, ...]

    @property
    def sides(self) -> int:
        """Of how many sorts it is."""
        return len(self.members) + bool(self.texts)


def words_of(info: ContentInfo, annotations: Iterable[Annotation]) -> list[Words]:
    """What is said of a content: by its file, and by captions, speech and the text that can be read in it.

    Tags are left out: they were worked out from the same vectors.
    """
    found = [Words(info.title)] if info.title else []
    found += [Words(", ".join(info.keywords))] if info.keywords else []
    return found + [Words(one.text, one.start_ms, one.end_ms) for one in annotations if one.type in SAID]


def belonging(segments: Sequence[Segment], words: Sequence[Words]) -> list[Belonging]:
    """Find what belongs together.

    What is seen says where moments begin and end: a frame stands for a stretch of its shot. The sound of a moment is that of all windows
    that have a time in common with it. Where nothing is seen, each window of sound is a moment. What is said of a stretch belongs to every
    moment in it; what is said of the whole belongs to a moment that is all there is, a picture's for one: of the hundreds of a film it says
    nothing in particular.

    Args:
        segments: All of a content in one space; none WHOLE.
        words: About it.

    Returns:
        In order of time; what is of one sort alone is left out.
    """
    leading = next((modality for modality in MEDIA if any(segment.modality is modality for segment in segments)), None)
    leaders = sorted((number for number, one in enumerate(segments) if one.modality is leading), key=lambda number: _time(segments[number]))
    beside = {modality: _Stretches.of(segments, modality) for modality in MEDIA if modality is not leading}
    about_all = [one.text for one in words if not one.end_ms] if len(leaders) == 1 else []
    timed = [one for one in words if one.end_ms]
    spoken = _Stretches.over(range(len(timed)), timed)
    found = []
    for number in leaders:
        leader = segments[number]
        members: dict[Modality, tuple[tuple[int, int], ...]] = {leader.modality: ((number, max(leader.end_ms - leader.start_ms, 1)),)}
        members |= {modality: shared for modality, stretches in beside.items() if (shared := stretches.shared_with(leader))}
        said = about_all + [timed[place].text for place, _ in spoken.shared_with(leader)]
        whole = Segment(Modality.WHOLE, leader.start_ms, leader.end_ms, leader.frame_ms)
        found.append(Belonging(whole, members, tuple(dict.fromkeys(said))))
    return [one for one in found if one.sides > 1]


class _Stretches(NamedTuple):
    """Numbers of things, and when each begins and ends, (n,) each; a long film has thousands."""

    numbers: np.ndarray
    starts_ms: np.ndarray
    ends_ms: np.ndarray

    @classmethod
    def of(cls, segments: Sequence[Segment], modality: Modality) -> _Stretches:
        numbers = [number for number, one in enumerate(segments) if one.modality is modality]
        return cls.over(numbers, [segments[number] for number in numbers])

    @classmethod
    def over(cls, numbers: Sequence[int], things: Sequence[Segment | Words]) -> _Stretches:
        times = np.array([(number, one.start_ms, one.end_ms) for number, one in zip(numbers, things, strict=True)], np.int64)
        return cls(*times.reshape(-1, 3).T)

    def shared_with(self, segment: Segment) -> tuple[tuple[int, int], ...]:
        """Those that have a time in common with a segment, and how many milliseconds."""
        shared = np.minimum(self.ends_ms, segment.end_ms) - np.maximum(self.starts_ms, segment.start_ms)
        places = np.flatnonzero(shared > 0)
        return tuple(zip(self.numbers[places].tolist(), shared[places].tolist(), strict=True))


def _time(segment: Segment) -> tuple[int, int, int]:
    return segment.start_ms, segment.end_ms, segment.frame_ms or 0
