"""Photos to index: made here, with the detail and the file sizes of a camera's, each one different."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["MEGAPIXELS_12", "MEGAPIXEL_1", "VGA", "jpegs", "write_photos"]

MEGAPIXELS_12 = (4032, 3024)
MEGAPIXEL_1 = (1152, 864)
VGA = (640, 480)

TILE = 512
QUALITY = 90


def write_photos(folder: Path, count: int, size: tuple[int, int], *, pictures: int = 12, seed: int = 0) -> list[Path]:
    """Fill a folder, about a hundred files to each sub-folder.

    Files that show the same picture differ in the bytes behind its end, which no decoder reads: to the indexer each is a content of its
    own, and making ten thousand of them takes seconds.

    Args:
        folder: Made when it is not there.
        count: How many files.
        size: (width, height) in pixels.
        pictures: How many different pictures there are among them.
        seed: Another seed, other pictures.
    """
    bodies = list(jpegs(min(pictures, count), size, seed))
    paths = [folder / f"{number // 100:03}" / f"photo{number:05}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bodies[number % len(bodies)] + number.to_bytes(8, "little"))
    return paths


def jpegs(count: int, size: tuple[int, int], seed: int) -> Iterator[bytes]:
    """Pictures of soft colours with finer and finer texture on them, whose amplitude falls with its scale, as it does in nature."""
    random = np.random.default_rng(seed)
    texture = _fractal(random, (TILE, TILE), 1, coarsest=64, finest=1)
    for _ in range(count):
        buffer = BytesIO()
        Image.fromarray(_landscape(random, size, texture)).save(buffer, "JPEG", quality=QUALITY)
        yield buffer.getvalue()


def _landscape(random: np.random.Generator, size: tuple[int, int], texture: np.ndarray) -> np.ndarray:
    width, height = size
    small = _fractal(random, (max(8, width // 16), max(8, height // 16)), 3, coarsest=width // 16, finest=4) + 127
    colours = Image.fromarray(np.clip(small, 0, 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    shifted = np.roll(texture, random.integers(0, TILE, 2), (0, 1))
    tiled = np.tile(shifted, (height // TILE + 1, width // TILE + 1, 1))[:height, :width]
    return np.clip(np.asarray(colours, np.int16) + tiled // 3, 0, 255).astype(np.uint8)


def _fractal(random: np.random.Generator, size: tuple[int, int], channels: int, *, coarsest: int, finest: int) -> np.ndarray:
    """Noise of all scales from `coarsest` down to `finest` pixels, (height, width, channels) int16 around 0."""
    width, height = size
    total = np.zeros((height, width, channels), np.float32)
    cell, weight = coarsest, 1.0
    while cell >= finest:
        patch = random.normal(0, 70 * weight, (height // cell + 2, width // cell + 2, channels)).astype(np.float32)
        for channel in range(channels):
            total[..., channel] += np.asarray(Image.fromarray(patch[..., channel]).resize(size, Image.Resampling.BICUBIC))
        cell, weight = cell // 2, weight / 1.4
    return total.astype(np.int16)
