"""Small films and sounds whose content says when it is shown: each frame has its own number painted into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["SIZE", "film", "flat", "number_in", "numbered", "ordinary_priority", "remux", "sound", "tone"]

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 tells its whole configuration otherwise

SIZE = (160, 48)
_BITS = 10
_TICKS = 90_000

Painter = Callable[[int], np.ndarray]


def numbered(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(height, width, 3) uint8: the number's ten bits as black and white columns, above a red floor that tells top from bottom."""
    width, height = size
    bits = [(number >> bit) & 1 for bit in reversed(range(_BITS))]
    columns = np.array([16 + 220 * bits[x * _BITS // width] for x in range(width)], np.uint8)
    pixels = np.repeat(np.repeat(columns[None, :, None], height, 0), 3, 2)
    pixels[-height // 4 :] = (220, 20, 20)
    return pixels


def number_in(pixels: np.ndarray) -> int:
    """The number that `numbered` painted, read from a frame of any size."""
    height, width = pixels.shape[:2]
    row = pixels[: height // 2].mean(axis=(0, 2))
    centres = [int((bit + 0.5) * width / _BITS) for bit in range(_BITS)]
    return sum(1 << (_BITS - 1 - bit) for bit, x in enumerate(centres) if row[x] > 128)


def flat(*colours: tuple[int, int, int], frames_each: int, size: tuple[int, int] = (64, 48)) -> Painter:
    """A painter of one colour after the other."""
    return lambda number: np.full((size[1], size[0], 3), colours[min(number // frames_each, len(colours) - 1)], np.uint8)


@contextmanager
def ordinary_priority() -> Iterator[None]:
    """Undo what SVT-AV1 does when root encodes with it: it makes the calling thread a real-time one of the highest priority.

    All processes that are started later inherit that, and as soon as one of their threads waits for another by spinning, nothing else
    runs on its core any more. The whole machine stood still because of it.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


@ordinary_priority()
def film(
    path: Path,
    *,
    at: Sequence[float] = tuple(number / 25 for number in range(100)),
    paint: Painter = numbered,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    gop: int = 25,
    rate: int = 25,
    codec_options: dict[str, str] | None = None,
    mux_options: dict[str, str] | None = None,
    format: str | None = None,  # noqa: A002
    rotation: int = 0,
    aspect: Fraction | None = None,
    sounds: Sequence[tuple[np.ndarray, int, float]] = (),
) -> Path:
    """Write a film whose frame number n, painted by ``paint(n)``, is shown at ``at[n]`` seconds.

    Each of `sounds` is (channels, n) float32 samples, their rate, and the second at which they start.
    """
    with av.open(str(path), "w", format=format, options=mux_options or {}) as container:
        options = {"sc_threshold": "0", **(codec_options or {})} if codec == "libx264" else codec_options or {}
        track = container.add_stream(codec, rate=rate, options=options)
        height, width = paint(0).shape[:2]
        track.width, track.height, track.pix_fmt, track.gop_size = width, height, pixels, gop
        track.codec_context.time_base = Fraction(1, rate if codec in ("mpeg2video", "mpeg4") else _TICKS)
        if aspect is not None:
            track.codec_context.sample_aspect_ratio = aspect
        if rotation:
            track.set_display_rotation(rotation)
        heard = [(_sound_track(container, rate_, samples), samples, rate_, start) for samples, rate_, start in sounds]
        packets = list(_encoded(track, at, paint, pixels))
        for sounding, samples, rate_, start in heard:
            packets += _encoded_sound(sounding, samples, rate_, start)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            container.mux(packet)
    return path


def _encoded(track: av.VideoStream, at: Sequence[float], paint: Painter, pixels: str) -> Iterable[av.Packet]:
    base = track.codec_context.time_base
    for number, second in enumerate(at):
        frame = av.VideoFrame.from_ndarray(paint(number), format="rgb24").reformat(format=pixels)
        frame.pts, frame.time_base = round(second / base), base
        yield from track.encode(frame)
    yield from track.encode(None)


def _sound_track(container: av.container.OutputContainer, rate: int, samples: np.ndarray) -> av.AudioStream:
    codec = {"webm": "libopus", "mpegts": "mp2", "mpeg": "mp2"}.get(container.format.name, "aac")
    return container.add_stream(codec, rate=rate, layout="mono" if len(samples) == 1 else "stereo")


def _encoded_sound(track: av.AudioStream, samples: np.ndarray, rate: int, start: float) -> Iterable[av.Packet]:
    context = track.codec_context
    layout = "mono" if len(samples) == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), "fltp", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, round(start * rate), Fraction(1, rate)
    resampler = av.AudioResampler(
        format=context.format, layout=context.layout, rate=context.sample_rate, frame_size=context.frame_size or 1024
    )
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        yield from track.encode(piece)
    yield from track.encode(None)


def tone(seconds: float, *, hertz: float = 440.0, rate: int = 16_000, loudness: float = 0.5) -> np.ndarray:
    """(n,) float32 of a sine."""
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def sound(path: Path, samples: np.ndarray, *, rate: int = 16_000, codec: str = "pcm_s16le", layout: str | None = None) -> Path:
    """Write (channels, n) float32 samples."""
    layout = layout or {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=rate, layout=layout)
        for packet in _encoded_sound_in(track, samples, rate, layout):
            container.mux(packet)
    return path


def _encoded_sound_in(track: av.AudioStream, samples: np.ndarray, rate: int, layout: str) -> Iterable[av.Packet]:
    context = track.codec_context
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), "fltp", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    resampler = av.AudioResampler(format=context.format, layout=layout, rate=rate, frame_size=context.frame_size or 1024)
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        yield from track.encode(piece)
    yield from track.encode(None)


def remux(
    source: Path, target: Path, keep: Callable[[av.Packet], bool] = lambda packet: True, options: dict[str, str] | None = None
) -> Path:
    """Copy the packets for which `keep` says so, without encoding anything."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=options or {}) as new:
        tracks = {track.index: new.add_stream_from_template(track) for track in old.streams}
        new.start_encoding()
        for packet in old.demux():
            if packet.size and keep(packet):
                packet.stream = tracks[packet.stream.index]
                new.mux(packet)
    return target
