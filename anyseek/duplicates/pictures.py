"""Pictures that are nearly the same: another size, format or quality, a little brighter, with a small watermark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..media.fingerprint import PICTURE
from ..storage.fingerprints import LiveContent
from .hamming import bits_set, pairs_within
from .keeping import best_first, told_apart
from .stars import stars

__all__ = ["DISTANCE", "MOST_DISTANCE", "near_pictures"]

# Over 167 photos, each in 12 variants, 64 bits differed by at most 6 and 256 bits by 32, 99 % of the latter by 25; two different photos
# differed in 16 of 64 bits at least and in 84 of 256. Pages of one letterhead differed in 8 and 78, screenshots of one program in 2 and 32.
DISTANCE = 7
MOST_DISTANCE = 15
FINE_TIMES = 4
FINE_BITS = 256

PLAIN = 4
"""Deviation of grey below which a picture is plain: its hash is that of its noise."""
TINTED = 8
TINT = 16
"""Pictures of which both have a tint, by `TINTED` at least, may not differ in it by more: a red shirt is no blue one."""
ASPECT = 0.05

Found = tuple[LiveContent, list[tuple[LiveContent, float]]]


def near_pictures(contents: Sequence[LiveContent], fingerprints: Mapping[int, bytes], distance: int = DISTANCE) -> list[Found]:
    """Group pictures.

    Args:
        contents: Pictures; those without a fingerprint, and plain ones, are in no group.
        fingerprints: By id of the content.
        distance: How many of 64 bits may differ; of 256 less than four times one more.

    Returns:
        The one to keep of each group, and the others with the share of their 256 bits that are equal, the most like first.
    """
    known = [content for content in contents if content.id in fingerprints]
    prints = np.frombuffer(b"".join(fingerprints[content.id] for content in known), PICTURE)
    likeness = _Likeness(known, prints, distance)
    places = {content.id: place for place, content in enumerate(known)}
    order = [places[content.id] for content in best_first([known[place] for place in likeness.not_alone.tolist()])]
    found: list[Found] = []
    for first, others in stars(order, likeness.of):
        shares = 1 - likeness.fine_distances(first, np.array(others)) / FINE_BITS
        ranked = sorted(zip(others, shares.tolist(), strict=True), key=lambda other: (-other[1], known[other[0]].path))
        found.append((known[first], [(known[other], share) for other, share in ranked]))
    return found


class _Likeness:
    """Which pictures are like one.

    Attributes:
        not_alone: The places of those that have the same 64 bits as another one, or nearly.
    """

    def __init__(self, contents: Sequence[LiveContent], prints: np.ndarray, distance: int) -> None:
        self.contents = contents
        self.fine = np.ascontiguousarray(prints["fine"]).view(np.uint64)
        self.tint = np.stack([prints["blue"], prints["red"]], axis=1).astype(np.int16) - 128
        self.aspect = np.array([np.log(content.width / content.height) if content.pixels else 0.0 for content in contents])  # type: ignore[operator]
        self.distance = distance
        telling = np.flatnonzero(prints["contrast"] >= PLAIN)
        hashes, which = np.unique(prints["coarse"][telling], return_inverse=True)
        self._hash_of = np.full(len(contents), -1)
        self._hash_of[telling] = which
        self._by_hash = telling[np.argsort(which, kind="stable")]
        self._bounds = np.searchsorted(np.sort(which), np.arange(len(hashes) + 1))
        self._near: dict[int, list[int]] = {}
        for one, other in pairs_within(hashes, distance).tolist():
            self._near.setdefault(one, []).append(other)
            self._near.setdefault(other, []).append(one)
        shared = np.diff(self._bounds) > 1
        shared[list(self._near)] = True
        self.not_alone = telling[shared[which]]

    def of(self, place: int, free: npt.NDArray[np.bool_]) -> list[int]:
        """Which of those that are free are like a picture; none but those of `not_alone` may be free."""
        own = int(self._hash_of[place])
        near = [own, *self._near.get(own, [])]
        others = np.concatenate([self._by_hash[self._bounds[hash_] : self._bounds[hash_ + 1]] for hash_ in near])
        others = others[free[others]]
        tint, tints = self.tint[place], self.tint[others]
        tinted = (np.abs(tints).max(axis=1) >= TINTED) & (np.abs(tint).max() >= TINTED)
        like = (
            (self.fine_distances(place, others) < FINE_TIMES * (self.distance + 1))
            & (np.abs(self.aspect[others] - self.aspect[place]) <= ASPECT)
            & ~(tinted & (np.abs(tints - tint).max(axis=1) > TINT))
        )
        return [other for other in others[like].tolist() if not told_apart(self.contents[place], self.contents[other])]

    def fine_distances(self, place: int, others: np.ndarray) -> npt.NDArray[np.int64]:
        """In how many of 256 bits pictures differ from one."""
        differing: npt.NDArray[np.int64] = bits_set(self.fine[others] ^ self.fine[place]).sum(axis=1, dtype=np.int64)
        return differing
