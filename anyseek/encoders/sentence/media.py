"""Decoded media in the forms that Sentence Transformers takes without having to guess what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import BadInput
from ...types import Clip

__all__ = ["audio_input", "checked_clip", "image_input", "video_input"]

MOST_ELONGATED = 100
"""Side by side. Some processors refuse more than 200, others enlarge the short side first and would fill the memory."""

SHORTEST_S = 0.1
"""Less is not one frame of a spectrogram after it was thinned out, and the networks fail on it."""

CLOCK = 1_000.0
"""Frames per second of a clip whose frames are numbered by the millisecond in which they are shown."""


def image_input(pixels: np.ndarray) -> dict[str, Any]:
    """One (height, width, 3) uint8 picture. As a Pillow image, since of an array 3 pixels high nobody can tell rows from colours."""
    from PIL import Image

    return {"image": Image.fromarray(np.ascontiguousarray(_middle(pixels, 0)))}


def audio_input(samples: np.ndarray, sample_rate: int) -> dict[str, Any]:
    """One (n,) float32 window of sound."""
    missing = int(SHORTEST_S * sample_rate) - samples.size
    return {"audio": {"array": np.pad(samples, (0, max(0, missing))), "sampling_rate": sample_rate}}


def video_input(clip: Clip, fewest_frames: int = 1) -> dict[str, Any]:
    """One clip, with the time of each frame, which some models are told; its last is repeated until there are enough."""
    shown = [*range(len(clip.frames)), *[-1] * (fewest_frames - len(clip.frames))]
    frames, times = _middle(clip.frames, 1)[shown], clip.times_ms[shown]
    metadata = {
        "fps": CLOCK,
        "total_num_frames": int(times[-1]) + 1,
        "duration": (int(times[-1]) + 1) / CLOCK,
        "frames_indices": [int(time) for time in times],
    }
    return {"video": {"array": np.ascontiguousarray(frames), "video_metadata": metadata}}


def checked_clip(clip: Clip, max_frames: int) -> Clip:
    """Return the clip as it is, or say what is wrong with it.

    Raises:
        BadInput: Its frames are not (t, height, width, 3) uint8, are none or more than `max_frames`, or lack times.
    """
    frames = clip.frames
    if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        raise BadInput("the frames of a clip must be a (t, height, width, 3) uint8 array: decode them to RGB")
    if frames.size == 0:
        raise BadInput("a clip has no frames or no pixels: give at least one frame")
    if len(frames) > max_frames:
        raise BadInput(f"a clip has {len(frames)} frames and at most {max_frames} are looked at: choose fewer")
    if np.shape(clip.times_ms) != (len(frames),):
        raise BadInput(f"a clip has {len(frames)} frames and {np.size(clip.times_ms)} times: give one time for each frame")
    return clip


def _middle(pixels: np.ndarray, rows: int) -> np.ndarray:
    """The middle of what is too elongated, whose rows lie along axis `rows` and columns along the next."""
    height, width = pixels.shape[rows : rows + 2]
    longest = MOST_ELONGATED * min(height, width)
    for axis, side in ((rows, height), (rows + 1, width)):
        if side > longest:
            first = (side - longest) // 2
            pixels = np.take(pixels, range(first, first + longest), axis)
    return pixels
