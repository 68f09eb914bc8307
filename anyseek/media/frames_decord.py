"""Frames of film with decord (the maintained fork decord2), for MP4 and Matroska with a constant rate and whole.

decord takes a frame by its number, hangs on some MPEG-TS, and returns the wrong frame in others (see docs/video-readers.md). So PyAV first
looks at every packet: what is no plain film is read by PyAV, and so is the rest of one at which decord fails.
"""

from __future__ import annotations

import importlib.util
import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..errors import MissingExtra
from .containers import Pulse, check_size, first_frame, open_container, packets_of, picture_track, rotation_of
from .frames_pyav import PyavFrames
from .protocol import Frame, Limits, Tick

__all__ = ["DecordFrames"]

_CONTAINERS = {"mp4", "matroska"}
_CODECS = {"h264", "mpeg4", "av1", "libdav1d"}  # not hevc: in open groups the frame is another one than asked for
_JITTER_MS = 1.1  # Matroska rounds to whole ms
_BATCH = 8


class DecordFrames:
    """The reader for plain MP4 and Matroska; PyAV reads the others.

    Attributes:
        name: ``decord``.
        end_ms: Where the pictures of the film read last ended, in ms from its first frame.

    Raises:
        MissingExtra: decord is not installed.
    """

    name = "decord"

    def __init__(self) -> None:
        if importlib.util.find_spec("decord") is None:
            raise MissingExtra("decord2", "decord")
        self.end_ms = 0

    def frames(self, path: Path, *, interval_ms: int, image_size: int, limits: Limits, tick: Tick) -> Iterator[Frame]:
        """Yield frames as `PyavFrames.frames` does, key frames where they are near enough.

        Args:
            path: A local file.
            interval_ms: Wanted distance in ms.
            image_size: Short side in pixels to which larger frames are shrunk.
            limits: Caps on pixels and duration.
            tick: Called while work goes on.

        Raises:
            MediaError: There is no picture track, nothing of it can be decoded, or it lies beyond `limits`.
        """
        from decord.base import DECORDError

        last_ms = -1
        plan = _plan(path, interval_ms, image_size, limits, Pulse(tick))
        if plan is not None:
            try:
                for frame in _read(path, plan, Pulse(tick)):
                    last_ms = frame.at_ms
                    yield frame
                self.end_ms = plan.end_ms
                return
            except (DECORDError, AssertionError, IndexError):
                pass  # its own words name sources and lines; PyAV says what is wrong with the file
        rest = PyavFrames()
        for frame in rest.frames(path, interval_ms=interval_ms, image_size=image_size, limits=limits, tick=tick):
            if frame.at_ms > last_ms:
                yield frame
        self.end_ms = rest.end_ms


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which frames to ask for: their numbers, out of `count`, and the size in which to have them."""

    numbers: list[int]
    count: int
    width: int
    height: int
    end_ms: int


def _plan(path: Path, interval_ms: int, image_size: int, limits: Limits, pulse: Pulse) -> _Plan | None:
    """Look at every packet; None for a film that decord is not to be trusted with."""
    with open_container(path) as container:
        track = picture_track(container)
        if track is None or track.time_base is None or not _CONTAINERS & set(container.format.name.split(",")):
            return None
        check_size(track.width, track.height, limits, path)
        if track.codec_context.name not in _CODECS:
            return None
        tick_ms = float(track.time_base * 1000)
        is_key: dict[float, bool] = {}
        for packet in packets_of(container, track, pulse):
            if packet.pts is None or packet.is_discard:
                return None
            is_key[packet.pts * tick_ms] = packet.is_keyframe
        times = sorted(is_key)
        whole = track.frames in (0, len(times))  # Matroska does not declare them
        steps = [after - before for before, after in pairwise(times)]
        if not steps or not whole or max(steps) - min(steps) > _JITTER_MS:
            return None
        if times[-1] - times[0] > limits.max_duration_ms:
            return None
    size = _plain_size(path, image_size, times[0] / tick_ms, pulse)
    if size is None:
        return None
    since = [time - times[0] for time in times]
    keys = [time - times[0] for time in times if is_key[time]]
    return _Plan(_choose(since, keys, interval_ms), len(times), *size, end_ms=round(since[-1] + steps[-1]))


def _plain_size(path: Path, image_size: int, first_pts: float, pulse: Pulse) -> tuple[int, int] | None:
    """The size to ask for; None when the film stands turned, or does not begin with the first of its frames."""
    with open_container(path) as container:
        track = picture_track(container)
        frame = first_frame(container, track, pulse) if track is not None else None
        if track is None or frame is None or frame.pts != round(first_pts) or rotation_of(frame):
            return None
        wide = track.width * float(track.sample_aspect_ratio or 1)
        scale = min(1.0, image_size / min(wide, track.height))
        return max(1, round(wide * scale)), max(1, round(track.height * scale))


def _choose(times: list[float], keys: list[float], interval_ms: int) -> list[int]:
    """Numbers of the frames nearest to each multiple of the interval that are cheap: a key frame up to half of it away, else the next."""
    near, wanted = interval_ms / 2, 0.0
    chosen = []
    while wanted <= times[-1]:
        key = bisect_left(keys, wanted - near)
        served = key < len(keys) and keys[key] <= wanted + near
        at = keys[key] if served else times[bisect_left(times, wanted - _JITTER_MS)]
        chosen.append(bisect_left(times, at))
        reached = at + near if served else at
        wanted = max(wanted + interval_ms, (math.floor((reached + _JITTER_MS / 2) / interval_ms) + 1) * interval_ms)
    return sorted(set(chosen))


def _read(path: Path, plan: _Plan, pulse: Pulse) -> Iterator[Frame]:
    from decord import VideoReader, cpu
    from decord import logging as decord_log

    decord_log.set_level(decord_log.QUIET)
    reader = VideoReader(str(path), ctx=cpu(0), width=plan.width, height=plan.height, num_threads=2)
    if len(reader) != plan.count:
        raise IndexError(f"decord counts {len(reader)} frames, not {plan.count}")
    first = float(reader.get_frame_timestamp([0])[0, 0])
    for start in range(0, len(plan.numbers), _BATCH):
        pulse.beat()
        numbers = plan.numbers[start : start + _BATCH]
        stamps = reader.get_frame_timestamp(numbers)
        batch = reader.get_batch(numbers).asnumpy()
        for (at, _), pixels in zip(stamps, batch, strict=True):
            yield Frame(round((float(at) - first) * 1000), pixels)
