"""Makes products: photos and sounds taken again and again, each time differently, under names that no model knows."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from anyseek.media.open import open_media
from anyseek.media.protocol import DecodeOptions
from anyseek.types import Picture, Sound

__all__ = [
    "RATE",
    "SIZE",
    "kin_names",
    "photographed",
    "product_names",
    "read_photo",
    "read_sound",
    "recorded",
    "write_photo",
    "write_sound",
]

SIZE = 288
RATE = 32_000

ONSETS = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "fl", "gr", "kl", "pl", "st", "tr"]
VOWELS = ["a", "e", "i", "o", "u", "ai", "ou"]
CODAS = ["", "", "", "n", "r", "l", "s", "x", "k"]


def product_names(count: int, seed: int) -> list[str]:
    """Pronounceable words that mean nothing, each once: ``Brodabrour``, ``Sifas``."""
    chance = np.random.default_rng([seed, 0])
    names: dict[str, None] = {}
    while len(names) < count:
        syllables = int(chance.integers(2, 4))
        word = ""
        for number in range(syllables):
            word += str(chance.choice(ONSETS)) + str(chance.choice(VOWELS))
            if number == syllables - 1 or chance.random() < 0.3:
                word += str(chance.choice(CODAS))
        names[word.capitalize()] = None
    return list(names)


def kin_names(count: int, seed: int, families: int) -> list[str]:
    """Names of two words, of which those of a family share the first: ``Brodabrour Sifas``, ``Brodabrour Misak``, in no order."""
    models = -(-count // families)
    words = product_names(families + models, seed)
    names = [f"{words[number % families]} {words[families + number // families]}" for number in range(count)]
    return [names[place] for place in np.random.default_rng([seed, 1]).permutation(count)]


def read_photo(path: Path) -> Image.Image:
    """A photo as the program sees it."""
    with open_media(path, DecodeOptions(image_size=640)) as file:
        return Image.fromarray(next(item for item in file.segments() if isinstance(item, Picture)).pixels)


def read_sound(path: Path) -> np.ndarray:
    """A sound as the program hears it, (n,) float32 mono at `RATE`."""
    with open_media(path, DecodeOptions(sample_rate=RATE)) as file:
        return np.concatenate([item.samples for item in file.segments() if isinstance(item, Sound)])


def photographed(photo: Image.Image, backgrounds: Sequence[Image.Image], chance: np.random.Generator, strength: float) -> Image.Image:
    """Take a product's photo again: nearer, askew, mirrored, in other light, before other things, half hidden.

    Args:
        photo: RGB.
        backgrounds: What it may be laid on.
        chance: Decides on all of it.
        strength: How different photos of one product are, from 0 to 1. At 1 crops have from 40 % of the area on, half of the photos are
            covered or laid on something else, and light and colours are a third stronger or weaker.
    """
    picture = _seen_from(_cropped(photo, chance, strength), chance, strength)
    angle = float(chance.uniform(-25, 25)) * strength
    if chance.random() < 0.4 * strength:
        ground = ImageOps.fit(backgrounds[int(chance.integers(len(backgrounds)))], (SIZE, SIZE))
        picture = _laid_on(ground, picture, angle, chance.uniform(0.85 - 0.35 * strength, 0.9), chance)
    else:
        picture = picture.rotate(angle, Image.Resampling.BICUBIC)
        across, down = picture.width // 10, picture.height // 10
        picture = picture.crop((across, down, picture.width - across, picture.height - down))
    return _lit(picture, chance, strength)


def recorded(sound: np.ndarray, backgrounds: Sequence[np.ndarray], chance: np.random.Generator) -> np.ndarray:
    """Record a product's sound again: another stretch, faster or slower and so higher or lower, louder or softer, with noise and others.

    Args:
        sound: (n,) float32 mono at `RATE`.
        backgrounds: What may be heard quietly besides.
        chance: Decides on all of it.
    """
    length = min(len(sound), max(RATE, int(len(sound) * chance.uniform(0.5, 1))))
    start = int(chance.integers(0, len(sound) - length + 1))
    times = np.arange(0, length - 1, np.exp(chance.uniform(-0.16, 0.16)))
    heard = np.interp(times, np.arange(length), sound[start : start + length])
    heard = _loud(heard) + _noise(len(heard), chance) * _decibels(-chance.uniform(12, 30))
    if chance.random() < 0.5:
        besides = backgrounds[int(chance.integers(len(backgrounds)))]
        besides = np.resize(np.roll(besides, int(chance.integers(len(besides)))), len(heard))
        heard = heard + _loud(besides) * _decibels(-chance.uniform(12, 24))
    heard = np.roll(heard, int(chance.integers(0, len(heard) // 4 + 1)))
    return np.asarray(heard / np.abs(heard).max() * _decibels(-chance.uniform(1, 20)), np.float32)


def write_photo(picture: Image.Image, path: Path, chance: np.random.Generator) -> None:
    """Write a JPEG of some quality."""
    picture.save(path, "JPEG", quality=int(chance.integers(25, 91)))


def write_sound(samples: np.ndarray, path: Path) -> None:
    """Write a WAV of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())


def _cropped(photo: Image.Image, chance: np.random.Generator, strength: float) -> Image.Image:
    area, ratio = chance.uniform(1 - 0.6 * strength, 1), np.exp(chance.uniform(-0.25, 0.25) * strength)
    wide, high = min(1.0, np.sqrt(area * ratio)), min(1.0, np.sqrt(area / ratio))
    left, top = chance.uniform(0, 1 - wide), chance.uniform(0, 1 - high)
    box = (left * photo.width, top * photo.height, (left + wide) * photo.width, (top + high) * photo.height)
    part = photo.crop(tuple(round(side) for side in box))
    scale = SIZE / max(part.size)
    part = part.resize((max(8, round(part.width * scale)), max(8, round(part.height * scale))), Image.Resampling.BICUBIC)
    return ImageOps.mirror(part) if chance.random() < 0.5 else part


def _seen_from(picture: Image.Image, chance: np.random.Generator, strength: float) -> Image.Image:
    """In perspective: each corner is pulled in by up to an eighth."""
    width, height = picture.size
    x, y = chance.uniform(0, 0.12 * strength, (2, 4))
    quad = (x[0] * width, y[0] * height, x[1] * width, height - y[1] * height)
    quad += (width - x[2] * width, height - y[2] * height, width - x[3] * width, y[3] * height)
    return picture.transform(picture.size, Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)


def _laid_on(ground: Image.Image, picture: Image.Image, angle: float, share: float, chance: np.random.Generator) -> Image.Image:
    mask = Image.new("L", picture.size, 255).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    turned = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    scale = share * SIZE / max(turned.size)
    size = (max(8, int(turned.width * scale)), max(8, int(turned.height * scale)))
    corner = (int(chance.integers(0, SIZE - size[0] + 1)), int(chance.integers(0, SIZE - size[1] + 1)))
    ground.paste(turned.resize(size), corner, mask.resize(size))
    return ground


def _lit(picture: Image.Image, chance: np.random.Generator, strength: float) -> Image.Image:
    """In other light and colours, with noise, perhaps with something before it, perhaps out of focus."""
    pixels = np.asarray(picture, np.float32) / 255
    pixels = pixels ** np.exp(chance.uniform(-0.45, 0.45) * strength)
    pixels = pixels * chance.uniform(1 - 0.35 * strength, 1 + 0.25 * strength) * (1 + chance.uniform(-0.2, 0.2, 3) * strength)
    mean = pixels.mean()
    pixels = (pixels - mean) * (1 + chance.uniform(-0.3, 0.3) * strength) + mean
    pixels = pixels + chance.normal(0, chance.uniform(0, 0.05) * strength, pixels.shape)
    if chance.random() < 0.3 * strength:
        height, width = pixels.shape[:2]
        side = np.sqrt(chance.uniform(0.05, 0.2))
        top, left = int(chance.uniform(0, 1 - side) * height), int(chance.uniform(0, 1 - side) * width)
        pixels[top : top + int(side * height), left : left + int(side * width)] = chance.uniform(0, 1, 3)
    lit = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    return lit.filter(ImageFilter.GaussianBlur(float(chance.uniform(0, 2)) * strength)) if chance.random() < 0.5 else lit


def _noise(length: int, chance: np.random.Generator) -> np.ndarray:
    """From white to brown, of power 1."""
    spectrum = np.fft.rfft(chance.normal(size=1 << (length - 1).bit_length()))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** chance.uniform(0, 1.2)
    return _loud(np.fft.irfft(spectrum)[:length])


def _loud(samples: np.ndarray) -> np.ndarray:
    return np.asarray(samples / (np.sqrt(np.mean(np.square(samples))) + 1e-9))


def _decibels(level: float) -> float:
    return float(10 ** (level / 20))
