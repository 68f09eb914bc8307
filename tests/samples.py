"""Small real media whose vectors under `fakes.ColourEncoder` are known."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["COLOURS", "write_picture", "write_tone"]

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}


def write_picture(path: Path, colour: str, size: tuple[int, int] = (32, 24)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, COLOURS[colour]).save(path)
    return path


def write_tone(path: Path, hertz: float, seconds: float = 2.0, rate: int = 8000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(int(seconds * rate)) / rate
    samples = (np.sin(2 * np.pi * hertz * times) * 20000).astype("<i2")
    with wave.open(os.fspath(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path
