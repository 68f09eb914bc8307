"""How two sequences of hashes lie to each other in time, told from all offsets at once by Fourier transforms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Alignment", "Signs", "agreement_at", "align", "repeats", "signs_of"]

Signs = npt.NDArray[np.float32]

INSIDE = 0.9
BLOCKS = 16
TRANSFORMED_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Alignment:
    """The best way to lay one sequence upon another.

    Attributes:
        offset: At which step of the second the first begins; negative where the first begins earlier.
        agreement: Mean over the steps they share of the share of equal bits less that of unequal ones: 1 for equal, about 0 by chance.
        coverage: The share of up to `BLOCKS` stretches of these steps in which they agree by at least half as much as is asked for.
        shared: How many steps both have something to say about.
    """

    offset: int
    agreement: float
    coverage: float
    shared: int


def signs_of(hashes: npt.NDArray[np.unsignedinteger]) -> Signs:
    """Spell hashes out, (n, bits) float32: 1 and -1, and rows of 0 for hashes of 0, which say nothing."""
    width = hashes.dtype.itemsize * 8
    octets = hashes.astype(hashes.dtype.newbyteorder(">")).view(np.uint8).reshape(len(hashes), width // 8)
    signs = np.unpackbits(octets, axis=1).astype(np.float32) * 2 - 1
    signs[hashes == 0] = 0
    return signs


def align(one: Signs, other: Signs, least: float) -> Alignment | None:
    """Find where in one sequence the other lies.

    Only offsets count at which at least `INSIDE` of the shorter one lies within the longer one: of its steps, and of those of them that
    say something.

    Args:
        one: (n, bits), from `signs_of`.
        other: (m, bits).
        least: The agreement that is asked for; `Alignment.coverage` depends on it.

    Returns:
        The best, good or bad; None where no offset counts.
    """
    told, heard = _telling(one), _telling(other)
    fewer = min(int(told.sum()), int(heard.sum()))
    if not fewer:
        return None
    agreed, shared = _correlated(one, other), _correlated(told[:, None].astype(np.float64), heard[:, None].astype(np.float64))
    counts = np.rint(shared)
    offsets = np.arange(1 - len(one), len(other))
    overlaps = np.minimum(len(one), len(other) - offsets) - np.maximum(0, -offsets)
    possible = (counts >= INSIDE * fewer) & (overlaps >= INSIDE * min(len(one), len(other)))
    if not possible.any():
        return None
    agreement = np.where(possible, agreed / (np.maximum(counts, 1) * one.shape[1]), -1.0)
    best = int(np.argmax(agreement))
    offset = int(offsets[best])
    return Alignment(offset, float(agreement[best]), _coverage(one, other, offset, least / 2), int(counts[best]))


def agreement_at(one: Signs, other: Signs, offset: int) -> float:
    """How far two sequences agree when the first begins at a step of the second; 0 where they share nothing."""
    rows = _products(one, other, offset)
    return float(rows.mean()) if len(rows) else 0.0


def repeats(signs: Signs, lag: int) -> float:
    """How far a sequence agrees with itself at most when it is moved by `lag` steps or more; 1 where half of it is shorter than that."""
    steps = np.arange(lag, len(signs) // 2 + 1)
    told = _telling(signs)[:, None].astype(np.float64)
    if not len(steps) or not told.any():
        return 1.0
    middle = len(signs) - 1
    agreed, shared = _correlated(signs, signs)[middle + steps], np.rint(_correlated(told, told)[middle + steps])
    return float((agreed / (np.maximum(shared, 1) * signs.shape[1])).max())


def _correlated(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Sums of products at all offsets from 1 - n, where the last row of one meets the first of the other, to m - 1."""
    size = 1 << (len(one) + len(other) - 2).bit_length()
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    together = max(1, TRANSFORMED_AT_ONCE // size)  # all columns of a day of sound at once would take gigabytes
    for start in range(0, one.shape[1], together):
        columns = slice(start, start + together)
        forward, backward = np.fft.rfft(other[:, columns], size, axis=0), np.fft.rfft(one[::-1, columns], size, axis=0)
        spectrum += (forward * backward).sum(axis=1)
    return np.fft.irfft(spectrum, size)[: len(one) + len(other) - 1]


def _coverage(one: Signs, other: Signs, offset: int, least: float) -> float:
    agreed = _products(one, other, offset)
    blocks = np.array_split(agreed, min(BLOCKS, len(agreed)))
    return float(np.mean([block.mean() >= least for block in blocks]))


def _products(one: Signs, other: Signs, offset: int) -> npt.NDArray[np.float32]:
    """The agreement of each step of which both have something to say."""
    start, end = max(0, -offset), min(len(one), len(other) - offset)
    part, counterpart = one[start:end], other[start + offset : end + offset]
    known = _telling(part) & _telling(counterpart)
    agreed: npt.NDArray[np.float32] = (part[known] * counterpart[known]).mean(axis=1)
    return agreed


def _telling(signs: Signs) -> npt.NDArray[np.bool_]:
    """Which steps say something."""
    return np.asarray(signs.any(axis=1), np.bool_)
