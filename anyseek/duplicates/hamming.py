"""All pairs of 64-bit hashes that differ in few bits, exactly and without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["bits_set", "pairs_within"]

Hashes = npt.NDArray[np.uint64]
Pairs = npt.NDArray[np.int64]

BANDS = 4
BAND_BITS = 16
BLOCK = 1 << 22


def pairs_within(hashes: Hashes, distance: int) -> Pairs:
    """Find all pairs of hashes at most `distance` bits apart.

    Of four bands of 16 bits one at least differs in no more than a quarter of them (multi-index hashing: M. Norouzi, A. Punjani and
    D. Fleet, Fast Search in Hamming Space, CVPR 2012), so that only hashes are compared that have such a band in common. Up to a distance
    of 7 that is one bit, and each hash meets one in a thousand of the others; from 8 on it is two bits, and eight times as many.

    Args:
        hashes: (n,), each different from all others.
        distance: In bits.

    Returns:
        (p, 2) int64, the places of both in `hashes`, the lower first, in ascending order.
    """
    found = [np.empty(0, np.int64)]
    count = np.int64(len(hashes))
    for band in range(BANDS):
        keys = (hashes >> np.uint64(BAND_BITS * band)).astype(np.uint16)
        for left, right in _in_common(keys, distance // BANDS):
            near = bits_set(hashes[left] ^ hashes[right]) <= distance
            left, right = left[near], right[near]
            found.append(np.minimum(left, right) * count + np.maximum(left, right))
    pairs = np.unique(np.concatenate(found))
    return np.stack(np.divmod(pairs, max(len(hashes), 1)), axis=1)


def bits_set(words: Hashes) -> npt.NDArray[np.uint8]:
    """How many bits of each word are set."""
    if hasattr(np, "bitwise_count"):
        counted: npt.NDArray[np.uint8] = np.bitwise_count(words)
        return counted
    octets = np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape, 8)  # numpy 1
    return np.asarray(np.unpackbits(octets, axis=-1).sum(axis=-1), np.uint8)


def _in_common(keys: npt.NDArray[np.uint16], radius: int) -> Iterator[tuple[Pairs, Pairs]]:
    """Yield all pairs of places whose keys differ in at most `radius` bits, block by block, each pair once."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    bounds = np.searchsorted(ranked, np.arange((1 << BAND_BITS) + 1))
    places = np.arange(len(keys))
    for flip in _flips(radius):
        partners = ranked ^ flip
        begins, ends = bounds[partners.astype(np.int64)], bounds[partners.astype(np.int64) + 1]
        if flip:
            ends = np.where(ranked < partners, ends, begins)  # the other way round the pair comes up once more
        else:
            begins = places + 1
        counts = ends - begins
        total = np.cumsum(counts)
        cuts = np.searchsorted(total, np.arange(BLOCK, total[-1] + BLOCK if len(total) else 0, BLOCK), side="right")
        for start, stop in zip([0, *cuts], [*cuts, len(keys)], strict=True):
            part = counts[start:stop]
            if part.any():
                within = np.arange(part.sum()) - np.repeat(np.cumsum(part) - part, part)
                yield order[np.repeat(places[start:stop], part)], order[np.repeat(begins[start:stop], part) + within]


def _flips(radius: int) -> Iterator[np.uint16]:
    for count in range(radius + 1):
        for bits in combinations(range(BAND_BITS), count):
            yield np.uint16(sum(1 << bit for bit in bits))
