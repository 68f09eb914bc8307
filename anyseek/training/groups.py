"""Groups of files that are nearly the same, however many steps apart: none may be learnt from while another one judges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from ..duplicates.hamming import bits_set, pairs_within
from ..duplicates.pictures import DISTANCE, FINE_TIMES, PLAIN
from ..duplicates.similar import DEVIATIONS
from ..duplicates.vectors import Whole, usual
from ..media.fingerprint import PICTURE
from ..types import Modality

__all__ = ["NEAR", "Alike", "near_groups"]

# Of 73 photos and 18 sounds of the demo media, two different ones have a cosine of 0.948 at most with the starter model; each with itself
# at half its size, a little brighter or less loud, or recompressed, one of 0.99 or more at the median.
NEAR = 0.97
"""The cosine from which on two files are taken for nearly the same, unless a model gives nearly all files such cosines."""

BLOCK_CELLS = 1 << 24


class Alike:
    """Things that are joined step by step (union-find: R. Tarjan, Journal of the ACM 22, 1975).

    Args:
        things: All of them.
    """

    def __init__(self, things: Iterable[int]) -> None:
        self._parent = {thing: thing for thing in things}

    def first(self, thing: int) -> int:
        """The lowest of those that a thing is joined with."""
        root = thing
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[thing] != root:
            self._parent[thing], thing = root, self._parent[thing]
        return root

    def join(self, one: int, other: int) -> None:
        """Put two, and whatever each is joined with, into one group."""
        lower, higher = sorted((self.first(one), self.first(other)))
        self._parent[higher] = lower

    def groups(self) -> dict[int, int]:
        """The group of each, numbered from 0 on in the order of their lowest members."""
        firsts = {thing: self.first(thing) for thing in self._parent}
        numbers = {first: number for number, first in enumerate(sorted(set(firsts.values())))}
        return {thing: numbers[first] for thing, first in firsts.items()}


def near_groups(
    contents: Sequence[int],
    vectors: np.ndarray,
    modalities: Sequence[Modality],
    prints: Mapping[int, bytes] | None = None,
    least: float | None = None,
) -> dict[int, int]:
    """Group contents by cosines within each modality, and pictures by their fingerprints as well, where those are known.

    Two are in one group if there is a chain between them, so that no two files of different groups are nearly the same. Unlike for
    duplicates, shots of one series count as such: the model learns of one what the other one asks.

    Args:
        contents: n ids, of which each may be there several times: for what of it is seen, heard, and for its moments.
        vectors: (n, dim) float32 unit rows.
        modalities: n of them.
        prints: Fingerprints of pictures by id of the content, as `anyseek.media.fingerprint` takes them.
        least: The cosine from which on two are nearly the same; above 1 for fingerprints alone; None for `NEAR`, or more where files have
            such cosines by chance.

    Returns:
        The group of each content, numbered from 0 on in the order of their lowest ids.
    """
    ids = np.asarray(contents, np.int64)
    alike = Alike(sorted(set(ids.tolist())))
    for modality in dict.fromkeys(modalities):
        rows = np.flatnonzero([of is modality for of in modalities])
        for one, other in _near(ids[rows], vectors[rows], _least(vectors[rows]) if least is None else least):
            alike.join(one, other)
    for one, other in _same_looking({id_: stored for id_, stored in (prints or {}).items() if id_ in set(ids.tolist())}):
        alike.join(one, other)
    return alike.groups()


def _least(vectors: np.ndarray) -> float:
    chance = usual(Whole(np.arange(len(vectors)), vectors))
    return NEAR if chance is None else max(NEAR, chance.cosine(DEVIATIONS))


def _near(ids: np.ndarray, vectors: np.ndarray, least: float) -> Iterator[tuple[int, int]]:
    height = max(1, BLOCK_CELLS // max(1, len(ids)))
    for start in range(0, len(ids), height):
        cosines = vectors[start : start + height] @ vectors[start:].T
        rows, columns = np.nonzero(cosines >= least)
        one, other = ids[start:][rows], ids[start:][columns]
        pairs = np.unique(np.stack([one, other], axis=1)[one < other], axis=0)
        backward = np.unique(np.stack([other, one], axis=1)[one > other], axis=0)
        yield from map(tuple, np.unique(np.concatenate([pairs, backward]), axis=0).tolist())


def _same_looking(prints: Mapping[int, bytes]) -> Iterator[tuple[int, int]]:
    """Pictures whose hashes differ as little as those of near-duplicates do; plain ones have a hash of their noise, and are left alone."""
    ids = np.array(sorted(prints), np.int64)
    pictures = np.frombuffer(b"".join(prints[id_] for id_ in ids.tolist()), PICTURE)
    telling = pictures["contrast"] >= PLAIN
    ids, pictures = ids[telling], pictures[telling]
    fine = np.ascontiguousarray(pictures["fine"]).view(np.uint64)
    hashes, which = np.unique(pictures["coarse"], return_inverse=True)
    members = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which, minlength=len(hashes)))[:-1])
    close = [(number, number) for number, of in enumerate(members) if len(of) > 1] + pairs_within(hashes, DISTANCE).tolist()
    for left, right in close:
        differing = bits_set(fine[members[left]][:, None] ^ fine[members[right]][None]).sum(axis=2, dtype=np.int64)
        for row, column in np.argwhere(differing < FINE_TIMES * (DISTANCE + 1)).tolist():
            one, other = int(ids[members[left][row]]), int(ids[members[right][column]])
            if one != other:
                yield one, other
