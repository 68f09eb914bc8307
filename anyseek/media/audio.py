"""Sound as windows of mono float32, streamed in constant memory from any file that libav opens.

The channels are averaged here, since FFmpeg's own downmix is 3 dB louder than the mean that audio models were trained on, and so that a
file whose format changes half way needs nothing but a new resampler.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import FailureCode, MediaError
from ..types import Modality, Segment, Sound
from .containers import Pulse, clock_may_jump, open_container, packets_of, sound_track
from .protocol import Limits, Tick

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

__all__ = ["is_silent", "mono", "windows"]

_SHORTEST_MS = 250
_GAP_MS = 250.0
_JUMP_MS = 10_000.0
_FEED_MS = 250
_SAFE_PLANES = 7  # of more, PyAV 18 reads past the end of their list and crashes: test_eight_channels_and_more_crash_nothing


def windows(path: Path, *, sample_rate: int, window_ms: int, limits: Limits, tick: Tick, zero_ms: float | None = None) -> Iterator[Sound]:
    """Yield the sound of a file in windows that follow one another, silent ones included.

    The last window may be shorter; a remainder below 250 ms counts only when it is all there is. Where a stretch of the track is missing
    or cannot be decoded, the window ends and the next one starts at its true time.

    Args:
        path: A local file.
        sample_rate: Of the samples handed out, in Hz.
        window_ms: Length of a window.
        limits: `max_duration_ms` is kept.
        tick: Called while work goes on.
        zero_ms: The time stamp in the file, in ms, from which times count; sound before it is left out. None: the sound's own start.

    Raises:
        MediaError: There is no sound track, nothing of it can be decoded, or it is too long.
    """
    with open_container(path) as container:
        track = sound_track(container)
        if track is None:
            raise MediaError(FailureCode.NO_CONTENT, "there is no sound in it", path)
        cutter = _Cutter(sample_rate, window_ms)
        for sound in cutter.run(_timed(_decoded(container, track, Pulse(tick)), zero_ms, clock_may_jump(container))):
            if sound.segment.end_ms > limits.max_duration_ms:
                raise MediaError(FailureCode.TOO_LONG, f"longer than the limit of {limits.max_duration_ms // 1000} s", path)
            yield sound
        if not cutter.fed and not container.duration:
            raise MediaError(FailureCode.NO_CONTENT, "its sound has no length", path)
        if not cutter.fed:
            raise MediaError(FailureCode.DAMAGED, "none of its sound can be decoded", path)


def is_silent(samples: np.ndarray, silence_db: float) -> bool:
    """Whether the RMS of `samples`, (n,) float32 within [-1, 1], lies below `silence_db` dB of full scale."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return power < 10 ** (silence_db / 10)


def mono(frame: AudioFrame) -> np.ndarray:
    """The mean of a frame's channels, (n,) float32 within [-1, 1]; what is no number is silence."""
    if frame.format.is_planar and frame.layout.nb_channels > _SAFE_PLANES:
        frame = _packed(frame)
    samples: np.ndarray = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
    else:
        samples = np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32)
    mean: np.ndarray = samples.mean(axis=0)
    return mean


def _packed(frame: AudioFrame) -> AudioFrame:
    """The same with the channels side by side."""
    import av

    (packed,) = av.AudioResampler(format="flt", layout=frame.layout, rate=frame.sample_rate).resample(frame)
    return packed


class _Chunk(NamedTuple):
    """A stretch of sound as it was decoded: (n,) samples at `rate` Hz, `at_ms` where the file gives it a time stamp."""

    at_ms: float | None
    rate: int
    samples: np.ndarray


def _decoded(container: InputContainer, track: AudioStream, pulse: Pulse) -> Iterator[_Chunk]:
    import av.error as libav

    tick_ms = float((track.time_base or Fraction(1, 1000)) * 1000)
    for packet in chain(packets_of(container, track, pulse), [None]):
        try:
            frames = track.codec_context.decode(packet)
        except libav.FFmpegError:  # one broken packet does not lose the file
            continue
        for frame in frames:
            if frame.samples and frame.sample_rate:
                yield _Chunk(None if frame.pts is None else frame.pts * tick_ms, frame.sample_rate, mono(frame))


def _timed(chunks: Iterator[_Chunk], zero_ms: float | None, jumps: bool) -> Iterator[_Chunk]:
    """Replace the file's time stamps by ms from `zero_ms`, given only where a stretch begins: at the start and after a gap."""
    expected: float | None = None
    begins = True
    for at, rate, samples in chunks:
        if zero_ms is None:
            zero_ms = at or 0.0
        if expected is None:
            expected = 0.0 if at is None else at - zero_ms
        elif at is not None:
            gap = at - zero_ms - expected
            if jumps and abs(gap) > _JUMP_MS:  # a broadcast's clock was set anew
                zero_ms += gap
            elif gap > _GAP_MS:
                begins, expected = True, expected + gap
        early = min(len(samples), max(0, math.ceil(-expected * rate / 1000)))
        expected += early * 1000 / rate
        if early < len(samples):
            yield _Chunk(expected if begins else None, rate, samples[early:])
            begins = False
        expected += (len(samples) - early) * 1000 / rate


class _Cutter:
    """Resamples and cuts into windows. `fed` says whether any sound came at all."""

    def __init__(self, sample_rate: int, window_ms: int) -> None:
        self._rate = sample_rate
        self._length = max(1, window_ms * sample_rate // 1000)
        self._shortest = _SHORTEST_MS * sample_rate // 1000
        self._resampler = _Resampler(sample_rate)
        self._parts: list[np.ndarray] = []
        self._held = 0
        self._start_ms = 0.0
        self._done = 0
        self.fed = False
        self._any = False

    def run(self, chunks: Iterable[_Chunk]) -> Iterator[Sound]:
        for chunk in chunks:
            if chunk.at_ms is not None:
                yield from self._rest()
                self._start_ms, self._done = chunk.at_ms, 0
            self.fed = True
            yield from self._take(self._resampler.feed(chunk.samples, chunk.rate))
        yield from self._rest()

    def _rest(self) -> Iterator[Sound]:
        yield from self._take(self._resampler.flush())
        if self._held and (self._held >= self._shortest or not self._any):
            yield self._window(np.concatenate(self._parts))
        self._parts, self._held = [], 0

    def _take(self, samples: np.ndarray) -> Iterator[Sound]:
        self._parts.append(samples)
        self._held += len(samples)
        if self._held < self._length:
            return
        joined = np.concatenate(self._parts)
        whole = len(joined) // self._length * self._length
        for start in range(0, whole, self._length):
            yield self._window(joined[start : start + self._length])
        self._parts, self._held = [joined[whole:].copy()], len(joined) - whole

    def _window(self, samples: np.ndarray) -> Sound:
        start = self._start_ms + self._done * 1000 / self._rate
        end = start + len(samples) * 1000 / self._rate
        self._done += len(samples)
        self._any = True
        return Sound(Segment(Modality.AUDIO, round(start), round(end)), np.clip(samples, -1, 1))


class _Resampler:
    """Brings mono sound of any rate, which may change on the way, to one rate; keeps a quarter of a second, since small bites are slow."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._from = rate
        self._waiting: list[np.ndarray] = []
        self._count = 0
        self._swr: Any = None

    def feed(self, samples: np.ndarray, rate: int) -> np.ndarray:
        before = [] if rate == self._from else [self.flush()]
        self._from = rate
        self._waiting.append(samples)
        self._count += len(samples)
        if self._count * 1000 >= _FEED_MS * rate:
            before.append(self._convert())
        return np.concatenate(before) if before else _NOTHING

    def flush(self) -> np.ndarray:
        """Hand out what is still on its way and forget the stream."""
        parts = [self._convert()]
        if self._swr is not None:
            parts += [frame.to_ndarray()[0] for frame in self._swr.resample(None)]
            self._swr = None
        return np.concatenate(parts)

    def _convert(self) -> np.ndarray:
        if not self._waiting:
            return _NOTHING
        samples = np.concatenate(self._waiting)
        self._waiting, self._count = [], 0
        if self._from == self._rate:
            return samples
        import av

        if self._swr is None:
            self._swr = av.AudioResampler(format="fltp", layout="mono", rate=self._rate)
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = self._from
        return np.concatenate([_NOTHING, *(out.to_ndarray()[0] for out in self._swr.resample(frame))])


_NOTHING = np.zeros(0, np.float32)
