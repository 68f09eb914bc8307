"""Shots as a whole, for encoders that look at the frames of a shot together, so that movement counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..types import Clip, Modality, Picture, Segment
from .protocol import Frame
from .shots import pictures, shown

__all__ = ["pictures_and_clips"]


def pictures_and_clips(
    frames: Iterable[Frame], *, end_ms: Callable[[], int], min_shot_ms: int, max_shot_ms: int, max_clip_frames: int
) -> Iterator[Picture | Clip]:
    """Choose the pictures that stand for a film, as `shots.pictures` does, and follow those of each shot by the shot as a whole.

    A clip reaches from one cut to the next, or as far as `max_shot_ms` lets whole pictures be put together, and has the frames that were
    sampled there. Of more than `max_clip_frames` as many are taken evenly, the first and the last among them. Where none was sampled,
    the frame before goes on being shown. Frames of another size than the first (the film changes it on its way) are left out.

    The frames of three shots are held at most: a shot is only known to have ended when a picture of the next one has.

    Args:
        frames: Sampled, in order of time.
        end_ms: See `shots.pictures`.
        min_shot_ms: See `shots.pictures`.
        max_shot_ms: See `shots.pictures`; no clip is longer either.
        max_clip_frames: Most frames of a clip; 0 for no clips.
    """
    if not max_clip_frames:
        yield from pictures(frames, end_ms=end_ms, min_shot_ms=min_shot_ms, max_shot_ms=max_shot_ms)
        return
    held = _Held(frames)
    shot: Segment | None = None
    for picture, cut in shown(held, end_ms=end_ms, min_shot_ms=min_shot_ms, max_shot_ms=max_shot_ms):
        start_ms, until_ms = picture.segment.start_ms, picture.segment.end_ms
        if shot is not None and not cut and until_ms - shot.start_ms <= max_shot_ms:
            start_ms = shot.start_ms
        elif shot is not None:
            yield held.clip(shot, max_clip_frames)
        shot = Segment(Modality.VIDEO, start_ms, until_ms)
        yield picture
    if shot is not None:
        yield held.clip(shot, max_clip_frames)


class _Held:
    """Hands frames on and keeps each until its shot is known."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = frames
        self._waiting: deque[Frame] = deque()
        self._last: Frame | None = None

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self._waiting.append(frame)
            yield frame

    def clip(self, shot: Segment, most: int) -> Clip:
        """Make a clip of the frames of a shot, and let them go."""
        frames: list[Frame] = []
        while self._waiting and self._waiting[0].at_ms < shot.end_ms:
            frames.append(self._waiting.popleft())
        if not frames:
            assert self._last is not None  # a film begins with a frame
            frames = [self._last._replace(at_ms=shot.start_ms)]
        self._last = frames[-1]
        alike = [frame for frame in frames if frame.pixels.shape == frames[0].pixels.shape]
        chosen = [alike[number] for number in _evenly(len(alike), most)]
        return Clip(shot, np.stack([frame.pixels for frame in chosen]), np.array([frame.at_ms for frame in chosen], np.int64))


def _evenly(count: int, most: int) -> Iterable[int]:
    return range(count) if count <= most else np.linspace(0, count - 1, most).round().astype(int)
