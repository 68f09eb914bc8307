"""Makes films of photos and sounds, as `judged_plan` plans them: small H.264 and AAC in MP4."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from PIL import Image

from anyseek.media.open import open_media
from anyseek.media.protocol import DecodeOptions
from anyseek.types import Picture, Sound

from .judged_plan import Cut, FilmPlan

__all__ = ["make_film"]

FRAMES_PER_S = 15
SAMPLE_RATE = 44_100
AAC_FRAME = 1024
LOUDNESS = 0.1  # RMS that every sound is brought to: some of the clips are hardly audible beside others
ZOOM = 0.75  # the share of the picture's width and height that a moving camera sees at its nearest


def make_film(plan: FilmPlan, media: Path, path: Path) -> None:
    """Encode a film.

    Args:
        plan: What to show and play.
        media: The folder in which the paths of the plan lie.
        path: Where to write it; MP4 by its ending.
    """
    with av.open(str(path), "w") as container:
        track = container.add_stream("libx264", rate=FRAMES_PER_S, options={"preset": "veryfast", "crf": "26", "threads": "1"})
        track.width, track.height = plan.size
        track.pix_fmt = "yuv420p"
        heard = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono", bit_rate=64_000) if plan.played else None
        for number, pixels in enumerate(_frames(plan, media)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
        if heard is not None:
            samples = _samples(plan, media)
            for start in range(0, len(samples), AAC_FRAME):
                sound = av.AudioFrame.from_ndarray(samples[None, start : start + AAC_FRAME], format="fltp", layout="mono")
                sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
                container.mux(heard.encode(sound))
            container.mux(heard.encode(None))


def _frames(plan: FilmPlan, media: Path) -> Iterator[np.ndarray]:
    """(height, width, 3) uint8 RGB, `FRAMES_PER_S` of them a second."""
    for number in range(round(plan.duration_ms * FRAMES_PER_S / 1000)):
        at_ms = number * 1000 / FRAMES_PER_S
        mixed = np.zeros((plan.size[1], plan.size[0], 3), np.float32)
        for index, cut in enumerate(plan.shown):
            share = _share(plan, index, at_ms)
            if share > 0:
                mixed += np.float32(share) * _view(media / cut.path, plan.size, cut, at_ms)
        yield mixed.astype(np.uint8)


def _share(plan: FilmPlan, index: int, at_ms: float) -> float:
    """How much of a photo is there at some time: 1 between its cuts, and half of it on each in a cross-fade."""
    cut, fade = plan.shown[index], plan.fade_ms
    if not fade:
        return float(cut.start_ms <= at_ms < cut.end_ms)
    come = 1.0 if index == 0 else (at_ms - cut.start_ms) / fade + 0.5
    gone = 0.0 if index == len(plan.shown) - 1 else (at_ms - cut.end_ms) / fade + 0.5
    return min(max(come, 0.0), 1.0) - min(max(gone, 0.0), 1.0)


def _view(photo: Path, size: tuple[int, int], cut: Cut, at_ms: float) -> np.ndarray:
    """The part of a photo that the camera sees, (height, width, 3) uint8."""
    done = min(max((at_ms - cut.start_ms) / (cut.end_ms - cut.start_ms), 0.0), 1.0)
    whole = _fitted(photo, size)
    if cut.move == "still":
        return np.asarray(whole)
    near = {"in": done, "out": 1 - done}.get(cut.move, 1.0)
    across = {"left": 1 - done, "right": done}.get(cut.move, 0.5)
    share = 1 - near * (1 - ZOOM)
    width, height = size[0] * share, size[1] * share
    left, top = (size[0] - width) * across, (size[1] - height) / 2
    return np.asarray(whole.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height)))


@lru_cache(maxsize=16)
def _fitted(photo: Path, size: tuple[int, int]) -> Image.Image:
    """The whole photo in the middle of a black frame: cutting it to the frame might lose what it is judged by."""
    with open_media(photo, DecodeOptions(image_size=480)) as file:
        (picture,) = [item for item in file.segments() if isinstance(item, Picture)][:1]
    whole = Image.fromarray(picture.pixels)
    scale = min(size[0] / whole.width, size[1] / whole.height)
    whole = whole.resize((max(1, round(whole.width * scale)), max(1, round(whole.height * scale))), Image.Resampling.LANCZOS)
    frame = Image.new("RGB", size)
    frame.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    return frame


def _samples(plan: FilmPlan, media: Path) -> np.ndarray:
    """The whole sound track, (n,) float32: each sound repeated until its end, silence between."""
    track = np.zeros(round(plan.duration_ms * SAMPLE_RATE / 1000), np.float32)
    for cut in plan.played:
        start, end = (round(ms * SAMPLE_RATE / 1000) for ms in (cut.start_ms, cut.end_ms))
        track[start:end] = np.resize(_sound(media / cut.path), end - start)
    return track


@lru_cache(maxsize=64)
def _sound(path: Path) -> np.ndarray:
    with open_media(path, DecodeOptions(sample_rate=SAMPLE_RATE)) as file:
        samples = np.concatenate([item.samples for item in file.segments() if isinstance(item, Sound)])
    power = float(np.sqrt(np.mean(np.square(samples))))
    return np.asarray(np.clip(samples * (LOUDNESS / power), -1, 1), np.float32)
