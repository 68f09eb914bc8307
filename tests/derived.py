"""Copies of media that are not the same bytes: smaller, in another format, cut, or joined to others."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

__all__ = ["Part", "brighter", "cut_film", "cut_sound", "heard_in", "marked", "page", "resized"]

RATE = 44_100
TICKS = 90_000


class Part(NamedTuple):
    """A stretch of a file, in seconds."""

    path: Path
    start: float = 0.0
    end: float = 1e9


def resized(source: Path, target: Path, share: float = 0.5, quality: int = 85) -> Path:
    photo = _upright(source)
    photo.resize((max(1, round(photo.width * share)), max(1, round(photo.height * share)))).save(target, quality=quality)
    return target


def brighter(source: Path, target: Path, times: float = 1.12) -> Path:
    ImageEnhance.Brightness(_upright(source)).enhance(times).save(target)
    return target


def marked(source: Path, target: Path) -> Path:
    """With a small text in a corner."""
    copy = _upright(source)
    size = max(10, copy.height // 16)
    ImageDraw.Draw(copy).text((copy.width * 0.6, copy.height * 0.88), "(c) photo.example", "white", ImageFont.load_default(size))
    copy.save(target)
    return target


def _upright(source: Path) -> Image.Image:
    """Without its EXIF, as programs leave it that turn a picture by its orientation."""
    with Image.open(source) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def page(target: Path, seed: int) -> Path:
    """A letter: those of different seeds have the same head and other lines."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (620, 877), "white")
    draw = ImageDraw.Draw(image)
    draw.text((50, 40), "Example Ltd. - Invoice", "black", ImageFont.load_default(28))
    for top in range(120, 800, 22):
        words = (
            "".join(chr(97 + int(letter)) for letter in random.integers(0, 16, random.integers(2, 9)))
            for _ in range(random.integers(0, 13))
        )
        draw.text((50, top), " ".join(words)[:70], "black", ImageFont.load_default(14))
    image.save(target)
    return target


def heard_in(part: Part) -> np.ndarray:
    """(1, n) float32 of its sound at 44.1 kHz; nothing where there is none."""
    with av.open(str(part.path)) as container:
        if not container.streams.audio:
            return np.zeros((1, 0), np.float32)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        pieces = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray() for piece in resampler.resample(None)]
    end = None if part.end > 1e8 else round(part.end * RATE)
    return np.concatenate(pieces, axis=1)[:, round(part.start * RATE) : end]


def cut_sound(target: Path, *parts: Part, codec: str = "aac", bit_rate: int = 64_000, loudness: float = 1.0) -> Path:
    """Write parts of sounds one after the other."""
    samples = loudness * np.concatenate([heard_in(part) for part in parts], axis=1)
    with av.open(str(target), "w") as container:
        track = container.add_stream(codec, rate=RATE, layout="mono")
        track.bit_rate = bit_rate
        for packet in _encoded_sound(track, samples):
            container.mux(packet)
    return target


def cut_film(target: Path, *parts: Part, size: tuple[int, int] = (480, 270), crf: int = 28, silent: bool = False) -> Path:
    """Write parts of films one after the other."""
    with av.open(str(target), "w") as container:
        track = container.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "veryfast"})
        track.width, track.height, track.pix_fmt = *size, "yuv420p"
        track.codec_context.time_base = Fraction(1, TICKS)
        heard = None if silent else container.add_stream("aac", rate=RATE, layout="mono")
        packets, sounds, start = [], [], 0.0
        for part in parts:
            length = 0.0
            for at, frame in _frames(part):
                small = frame.reformat(*size, format="yuv420p")
                small.pts, small.time_base, small.pict_type = round((start + at) * TICKS), Fraction(1, TICKS), 0
                packets += track.encode(small)
                length = at + 0.04
            samples = heard_in(part)[:, : round(length * RATE)]
            sounds.append(np.pad(samples, ((0, 0), (0, round(length * RATE) - samples.shape[1]))))
            start += length
        packets += track.encode(None)
        if heard is not None:
            packets += _encoded_sound(heard, np.concatenate(sounds, axis=1))
        for packet in sorted(packets, key=lambda packet: float(packet.dts * packet.time_base)):
            container.mux(packet)
    return target


def _frames(part: Part) -> Sequence[tuple[float, av.VideoFrame]]:
    found: list[tuple[float, av.VideoFrame]] = []
    with av.open(str(part.path)) as container:
        zero: float | None = None
        for frame in container.decode(video=0):
            zero = frame.time if zero is None else zero
            at = frame.time - zero
            if at >= part.end:
                break
            if at >= part.start:
                found.append((at - part.start, frame))
    return found


def _encoded_sound(track: av.AudioStream, samples: np.ndarray) -> list[av.Packet]:
    context = track.codec_context
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    resampler = av.AudioResampler(format=context.format, layout="mono", rate=RATE, frame_size=context.frame_size or 1024)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return [packet for piece in [*pieces, None] for packet in track.encode(piece)]
