"""Frames of film with PyAV, without ever seeking: a frame asked for by seeking may be seconds away from its label in MPEG-TS and -PS.

Every packet is demuxed, which costs next to nothing, and only those groups of pictures are decoded that a wanted time needs. A wanted
time near a key frame takes that key frame, which is one packet to decode. Frames are labelled by their own time stamps.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FailureCode, MediaError
from .containers import Pulse, check_size, clock_may_jump, open_container, packets_of, picture_track, rotation_of
from .protocol import Frame, Limits, Tick

if TYPE_CHECKING:
    from av import VideoFrame
    from av.packet import Packet
    from av.video.stream import VideoStream

__all__ = ["PyavFrames"]

_MAX_GROUP_BYTES = 32 * 1024**2
_MAX_THREADS = 4  # each holds frames of its own: 64 of them would hold gigabytes of 4K film
_JUMP_MS = 10_000.0
_NEAR_MS = 0.5


class PyavFrames:
    """The reader for every file.

    Attributes:
        name: ``pyav``.
        end_ms: Where the pictures of the film read last ended, in ms from its first frame; grows while `frames` runs.
    """

    name = "pyav"

    def __init__(self) -> None:
        self.end_ms = 0

    def frames(self, path: Path, *, interval_ms: int, image_size: int, limits: Limits, tick: Tick) -> Iterator[Frame]:
        """Yield about one frame every `interval_ms`: the first one at or after each multiple, or a key frame up to half of it away.

        Neighbours lie less than two intervals apart. Memory stays bounded by a few seconds of packets, whatever the distance of key
        frames. Broken packets are passed over, and of a torn file what was read before stands.

        Args:
            path: A local file.
            interval_ms: Wanted distance in ms.
            image_size: Short side in pixels to which larger frames are shrunk.
            limits: Caps on pixels and duration.
            tick: Called while work goes on.

        Raises:
            MediaError: There is no picture track, nothing of it can be decoded, or it lies beyond `limits`.
        """
        self.end_ms = 0
        with open_container(path) as container:
            track = picture_track(container)
            if track is None:
                raise MediaError(FailureCode.NO_CONTENT, "there are no pictures in it", path)
            check_size(track.width, track.height, limits, path)
            jumps = clock_may_jump(container)
            sampler = _Sampler(track, interval_ms, image_size)
            found = False
            for frame in sampler.run(packets_of(container, track, Pulse(tick)), jumps):
                found = True
                self._reach(sampler.end_ms, limits, path)
                yield frame
            self._reach(sampler.end_ms, limits, path)
            if not found:
                raise MediaError(FailureCode.DAMAGED, "none of its pictures can be decoded", path)

    def _reach(self, end_ms: float, limits: Limits, path: Path) -> None:
        self.end_ms = round(end_ms)
        if self.end_ms > limits.max_duration_ms:
            raise MediaError(FailureCode.TOO_LONG, f"longer than the limit of {limits.max_duration_ms // 1000} s", path)


class _Sampler:
    """Chooses what to decode. Times are ms from the first frame shown; before that is known they are the track's own."""

    def __init__(self, track: VideoStream, interval_ms: int, image_size: int) -> None:
        self._codec = track.codec_context
        self._codec.thread_type = "AUTO"
        self._codec.thread_count = min(_MAX_THREADS, os.cpu_count() or 1)
        # frames that no other one needs are not decoded, as long as what is left is dense enough: a sixth of the work in long groups
        self._codec.skip_frame = "NONREF"
        self._tick_ms = float((track.time_base or Fraction(1, 1000)) * 1000)
        self._frame_ms = float(1000 / track.average_rate) if track.average_rate else 0.0
        self._aspect = float(track.sample_aspect_ratio or 1) or 1.0
        self._interval = float(interval_ms)
        self._near = interval_ms / 2
        self._image_size = image_size
        self._origin: float | None = None
        self._shift = 0.0
        self._wanted = 0.0
        self._group: deque[Packet[VideoStream]] = deque()
        self._group_bytes = 0
        self._in_group = False
        self._key_ms = 0.0
        self.end_ms = 0.0

    def run(self, packets: Iterable[Packet[VideoStream]], jumps: bool) -> Iterator[Frame]:
        last_dts: float | None = None
        for packet in packets:
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None:
                continue
            dts = (packet.dts if packet.dts is not None else stamp) * self._tick_ms
            if jumps and last_dts is not None and not -1000 < dts - last_dts < _JUMP_MS:
                yield from self._close(None)
                self._shift += last_dts + self._frame_ms - dts
            last_dts = dts
            at = self._at(stamp * self._tick_ms)
            if packet.is_keyframe:
                yield from self._close(at)
                yield from self._open(at, packet)
            elif self._in_group:
                yield from self._go_on(at, packet)
            self._note_end(packet)
        yield from self._close(None)

    def _at(self, track_ms: float) -> float:
        return track_ms + self._shift - (self._origin or 0.0)

    def _note_end(self, packet: Packet[VideoStream]) -> None:
        if self._origin is None or packet.pts is None or packet.is_discard:
            return
        length = packet.duration * self._tick_ms if packet.duration else self._frame_ms
        self.end_ms = max(self.end_ms, self._at(packet.pts * self._tick_ms) + length)

    def _open(self, at: float, packet: Packet[VideoStream]) -> Iterator[Frame]:
        self._in_group, self._key_ms = True, at
        if self._origin is None:
            yield from self._emit(self._decoded([packet]))
            return
        self._group.append(packet)
        self._group_bytes = packet.size
        if self._wanted <= at + self._near:
            for shown, frame in self._decoded([packet, None]):
                yield self._taken(shown, frame, reach=self._near)
                break
            self._codec.flush_buffers()

    def _go_on(self, at: float, packet: Packet[VideoStream]) -> Iterator[Frame]:
        self._group.append(packet)
        self._group_bytes += packet.size
        if self._origin is None or self._group_bytes > _MAX_GROUP_BYTES:
            yield from self._feed(math.inf)
        else:
            yield from self._feed(at - self._near)  # so far past a time wanted before that no key frame will do

    def _feed(self, until: float) -> Iterator[Frame]:
        """Decode what waits, as far as the times need it that are wanted before `until`."""
        while self._group and self._wanted < until:
            packet = self._group.popleft()
            self._group_bytes -= packet.size
            yield from self._emit(self._decoded([packet]))

    def _close(self, end: float | None) -> Iterator[Frame]:
        """End the group; decode what is left of it when a wanted time lies there that the key frame at `end` is too far from."""
        if self._in_group:
            until = math.inf if self._origin is None else self.end_ms if end is None else end - self._near
            yield from self._feed(until)
            if self._wanted < until:
                yield from self._emit(self._decoded([None]))
            self._codec.flush_buffers()
        self._group.clear()
        self._group_bytes, self._in_group = 0, False

    def _decoded(self, packets: Iterable[Packet[VideoStream] | None]) -> Iterator[tuple[float, VideoFrame]]:
        import av.error as libav

        for packet in packets:
            try:
                frames = self._codec.decode(packet)
            except libav.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is None:
                    continue
                if self._origin is None:
                    self._origin = frame.pts * self._tick_ms + self._shift
                    self._key_ms = 0.0
                yield self._at(frame.pts * self._tick_ms), frame  # frame.time is NaN for what comes out of a drained decoder

    def _emit(self, frames: Iterable[tuple[float, VideoFrame]]) -> Iterator[Frame]:
        for at, frame in frames:
            # what comes before its key frame refers to a group that was not decoded
            if at >= self._key_ms - _NEAR_MS and at >= self._wanted - _NEAR_MS:
                yield self._taken(at, frame)

    def _taken(self, at: float, frame: VideoFrame, reach: float = 0.0) -> Frame:
        if at > self._wanted + self._near:
            self._codec.skip_frame = "DEFAULT"
        self._wanted = (math.floor((at + reach + _NEAR_MS) / self._interval) + 1) * self._interval
        return Frame(round(at), self._picture(frame))

    def _picture(self, frame: VideoFrame) -> np.ndarray:
        wide = frame.width * self._aspect
        scale = min(1.0, self._image_size / min(wide, frame.height))
        width, height = max(1, round(wide * scale)), max(1, round(frame.height * scale))
        pixels = frame.to_ndarray(format="rgb24", interpolation="AREA", width=width, height=height)
        return np.ascontiguousarray(np.rot90(pixels, rotation_of(frame) // 90))
