"""What an encoder is handed, checked before any work: texts, pictures, windows of sound."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from ..errors import BadInput, BadQuery

__all__ = ["check_uncut", "check_word_pieces", "checked_picture", "checked_pictures", "checked_texts", "checked_window", "checked_windows"]

UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}
"""Unicode's categories of what leaves no mark: controls, joiners, spaces."""


def check_uncut(wanted: int | None, dim: int, spec: str) -> None:
    """Refuse another length of vectors than the model's own, for models that were not trained to be cut.

    Args:
        wanted: What the settings ask for; None for the model's own.
        dim: The model's own.
        spec: The encoder's name.

    Raises:
        BadInput: They differ.
    """
    if wanted not in (None, dim):
        raise BadInput(f"{spec} has {dim} dimensions and was not trained to be cut to {wanted}: leave the dimension out")


def checked_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts in a form that can be written as UTF-8.

    Half a surrogate pair, which stands for a byte of a file name that was no UTF-8, becomes a question mark.

    Raises:
        BadQuery: A text has nothing in it that can be read.
    """
    for text in texts:
        if all(unicodedata.category(character) in UNSEEN for character in text):
            raise BadQuery("the text is empty: write what to look for")
    return [text.encode("utf-8", "replace").decode() for text in texts]


def check_word_pieces(found: int, limit: int, spec: str, empty: int = 0) -> None:
    """Refuse a text that would be cut, or of which nothing is left.

    Args:
        found: Word pieces of the text, with those that mark its ends.
        limit: How many the encoder takes.
        spec: The encoder's name.
        empty: Word pieces of a text with nothing in it.

    Raises:
        BadQuery: There are more than the limit, or no more than in an empty text.
    """
    if found <= empty:
        raise BadQuery("the text has nothing in it that can be read: write what to look for")
    if found > limit:
        raise BadQuery(f"the text has {found} word pieces and {spec} takes {limit}: shorten it")


def checked_pictures(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Check every one of them, see `checked_picture`."""
    return [checked_picture(pixels) for pixels in pictures]


def checked_picture(pixels: np.ndarray) -> np.ndarray:
    """Return the picture as it is, or say what is wrong with it.

    Raises:
        BadInput: It is not (height, width, 3) uint8 or has no pixels.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise BadInput(f"a picture must be a (height, width, 3) uint8 array, not {_what(pixels)}: decode it to RGB")
    if pixels.size == 0:
        raise BadInput(f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels has nothing to see: give at least one pixel")
    return pixels


def checked_windows(windows: Sequence[np.ndarray], sample_rate: int, max_ms: int) -> list[np.ndarray]:
    """Check every one of them, see `checked_window`."""
    return [checked_window(samples, sample_rate, max_ms) for samples in windows]


def checked_window(samples: np.ndarray, sample_rate: int, max_ms: int) -> np.ndarray:
    """Return the window of sound as it is, or say what is wrong with it.

    Args:
        samples: (n,) float32 mono.
        sample_rate: The rate in Hz that they should have; it cannot be seen from them.
        max_ms: The longest that is heard as a whole.

    Raises:
        BadInput: It is not (n,) float32, is empty, too long, or holds NaN or infinity.
    """
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32 or samples.ndim != 1:
        raise BadInput(f"a window of sound must be a (n,) float32 array, not {_what(samples)}: mix it down to mono at {sample_rate} Hz")
    if samples.size == 0:
        raise BadInput("a window of sound is empty: give at least one sample")
    limit = sample_rate * max_ms // 1000
    if samples.size > limit:
        raise BadInput(f"a window of sound has {samples.size} samples and at most {limit} are heard ({max_ms} ms): cut it up")
    if not np.isfinite(samples).all():
        raise BadInput("a window of sound holds values that are not finite: decode it again")
    return samples


def _what(given: object) -> str:
    return f"{given.dtype} {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__
