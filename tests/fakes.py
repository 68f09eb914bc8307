"""An encoder whose vectors a person can compute by hand, so that a wrong order shows as a wrong order.

The eight axes, before a row is made unit length:

    0 red      1 green     2 blue     3 dark      4 … 7 unknown words, by their length

- A picture is its mean colour in [0, 1] on red, green and blue, and what its brightest channel lacks to 1 on dark:
  pure red is (1, 0, 0, 0, …), black is (0, 0, 0, 1, …), mid grey is nearly (.5, .5, .5, .5, …).
- A sound is its share of power in three bands, on the axes that light of long, middle and short waves has: below 500 Hz on red, below
  2000 Hz on green, above on blue. Silence is dark. So a 200 Hz tone is where a red picture is, which lets pictures find sounds.
- A shot as a whole, for `MovementEncoder` alone, is what its mean colour changes by from its first frame to its last, on red, green and
  blue, with its sign: from red to green is (-1, 1, 0, 0, …). One that does not change is dark.
- A text adds up its words: a word of `WORDS` gives its axes, any other word of n letters gives 1 on axis 4 + n % 4.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Sequence

import numpy as np

from anyseek.encoders.protocol import EncoderSettings
from anyseek.errors import BadInput, BadQuery
from anyseek.types import Clip, Modality, Space

__all__ = ["WORDS", "ColourEncoder", "MovementEncoder"]

DIM = 8
MAX_WORDS = 32
LOW_HZ, HIGH_HZ = 500, 2000

WORDS = {
    "red": (1, 0, 0, 0),
    "green": (0, 1, 0, 0),
    "blue": (0, 0, 1, 0),
    "yellow": (1, 1, 0, 0),
    "cyan": (0, 1, 1, 0),
    "magenta": (1, 0, 1, 0),
    "white": (1, 1, 1, 0),
    "black": (0, 0, 0, 1),
    "low": (1, 0, 0, 0),
    "middle": (0, 1, 0, 0),
    "high": (0, 0, 1, 0),
    "silence": (0, 0, 0, 1),
}


class ColourEncoder:
    """A fake encoder: mean colours, bands of sound and colour words in eight dimensions; see the module's text.

    Its limits differ from those of the real encoders, so that a constant copied from one of them is found out.

    Args:
        spec: The name its space gets.
        version: Shapes the fingerprint alone: two versions are two spaces with equal vectors.
        modalities: What it admits to understand.
        settings: Taken for the registry's sake and ignored.

    Attributes:
        encoded: How many texts, pictures and sounds were encoded so far, by modality.
    """

    image_size = 16
    sample_rate = 8000
    max_audio_ms = 4000
    window_ms = 3000

    def __init__(
        self,
        spec: str = "colour",
        version: str = "1",
        modalities: frozenset[Modality] = frozenset({Modality.TEXT, Modality.IMAGE, Modality.AUDIO}),
        settings: EncoderSettings | None = None,
    ) -> None:
        self.space = Space(spec, DIM, hashlib.sha256(f"{spec} {version} {DIM}".encode()).hexdigest())
        self.modalities = modalities
        self.encoded: Counter[Modality] = Counter()
        self._lock = threading.Lock()

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Add up the axes of the words of each text."""
        rows = [_text_row(text) for text in texts]
        return self._finish(rows, Modality.TEXT)

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Take the mean colour of each picture."""
        rows = [_picture_row(pixels) for pixels in pictures]
        return self._finish(rows, Modality.IMAGE)

    def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Take the share of power in three bands of each window."""
        longest = self.sample_rate * self.max_audio_ms // 1000
        rows = [_sound_row(samples, self.sample_rate, longest) for samples in windows]
        return self._finish(rows, Modality.AUDIO)

    def _finish(self, rows: list[np.ndarray], modality: Modality) -> np.ndarray:
        with self._lock:
            self.encoded[modality] += len(rows)
        if not rows:
            return np.zeros((0, DIM), np.float32)
        matrix = np.stack(rows)
        return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


class MovementEncoder(ColourEncoder):
    """A fake encoder that looks at shots as a whole, and at nothing else unless told."""

    max_frames = 4

    def __init__(
        self,
        spec: str = "movement",
        version: str = "1",
        modalities: frozenset[Modality] = frozenset({Modality.TEXT, Modality.VIDEO}),
        settings: EncoderSettings | None = None,
    ) -> None:
        super().__init__(spec, version, modalities, settings)

    def encode_video(self, clips: Sequence[Clip]) -> np.ndarray:
        """Take the change of the mean colour over each clip."""
        return self._finish([_clip_row(clip.frames, self.max_frames) for clip in clips], Modality.VIDEO)


def _clip_row(frames: np.ndarray, most: int) -> np.ndarray:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
        raise BadInput("the frames of a clip must be (t, height, width, 3) uint8 with t of at least 1")
    if len(frames) > most:
        raise BadInput(f"a clip has {len(frames)} frames and at most {most} are taken: thin it out")
    first, last = (frames[number].reshape(-1, 3).mean(axis=0) / 255 for number in (0, -1))
    row = np.zeros(DIM)
    row[:3] = last - first
    row[3] = float(np.abs(row[:3]).max() < 0.02)  # what a codec makes of a picture that stands still is no movement
    if row[3]:
        row[:3] = 0
    return row


def _text_row(text: str) -> np.ndarray:
    words = re.findall(r"\w+", text.lower())
    if not words:
        raise BadQuery("the text is empty: write what to look for")
    if len(words) > MAX_WORDS:
        raise BadQuery(f"the text has {len(words)} words and at most {MAX_WORDS} are taken: shorten it")
    row = np.zeros(DIM)
    for word in words:
        if word in WORDS:
            row[:4] += WORDS[word]
        else:
            row[4 + len(word) % 4] += 1
    return row


def _picture_row(pixels: np.ndarray) -> np.ndarray:
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise BadInput("a picture must be (height, width, 3) uint8")
    row = np.zeros(DIM)
    row[:3] = pixels.reshape(-1, 3).mean(axis=0) / 255
    row[3] = 1 - row[:3].max()
    return row


def _sound_row(samples: np.ndarray, rate: int, longest: int) -> np.ndarray:
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32 or samples.ndim != 1 or not samples.size:
        raise BadInput("a window of sound must be (n,) float32 with n of at least 1")
    if samples.size > longest:
        raise BadInput(f"a window of sound has {samples.size} samples and at most {longest} are taken: cut it")
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hertz = np.fft.rfftfreq(samples.size, 1 / rate)
    bands = np.array([power[hertz < LOW_HZ].sum(), power[(hertz >= LOW_HZ) & (hertz < HIGH_HZ)].sum(), power[hertz >= HIGH_HZ].sum()])
    row = np.zeros(DIM)
    if bands.sum() > 1e-12:
        row[:3] = bands / bands.sum()
    else:
        row[3] = 1
    return row
