"""Films and sounds that are nearly the same, or parts of others.

Vectors say which are worth a closer look, and no more: two chainsaws may have a cosine of 0.98, and a film in half its size one of
0.8 with itself. What decides are hashes of how they look and sound from moment to moment, which must agree all along the shorter of both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..media.fingerprint import FRAME_STEP_MS, SOUND_STEP_MS
from ..storage.fingerprints import LiveContent
from ..types import Kind
from .alignment import Signs, agreement_at, align, repeats, signs_of
from .keeping import best_first, longest_first

__all__ = ["Match", "Track", "match", "near_films"]

# Of 100 sounds, each recompressed, halved in rate and loudness, and trimmed, hashes agreed by 0.56 at least; those of two different ones by
# 0.30 at most. Of 6 films frames agreed by 0.71 at least (without the steadiest of them: 0.86), and in places that are not the same by
# 0.67 at most, in a shot that stands still.
SOUND_AGREEMENT = 0.45
FRAME_AGREEMENT = 0.7
HEARD_AND_SEEN = 0.5
"""What is asked of frames where the sound agrees, and says where they belong."""
COVERAGE = 0.85
FEWEST_HEARD = 24
FEWEST_ALONE = 6
"""So many steps of sound that say something are asked for beside pictures, and where there is nothing but sound."""
ALL_OF_IT = 0.9
STILL_LAG_MS = 2_000
STILL_MARGIN = 0.1
SAME_LOOK = 0.9
MORE_PIXELS = 1.1


@dataclass(frozen=True, slots=True)
class Track:
    """A film or a sound as its fingerprint has it: (n, 64) of frames, (m, 32) of sound."""

    content: LiveContent
    seen: Signs
    heard: Signs

    @classmethod
    def read(cls, content: LiveContent, stored: bytes) -> Track:
        """Make it of what `anyseek.media.fingerprint` wrote."""
        frames = int.from_bytes(stored[1:5], "little")
        seen = np.frombuffer(stored, "<u8", frames, 5)
        return cls(content, signs_of(seen), signs_of(np.frombuffer(stored, "<u4", offset=5 + 8 * frames)))

    @property
    def length_ms(self) -> int:
        """How long it is."""
        known = self.content.duration_ms or 0
        return known or max(len(self.seen) * FRAME_STEP_MS, len(self.heard) * SOUND_STEP_MS)


@dataclass(frozen=True, slots=True)
class Match:
    """One film or sound within another, or as long.

    Attributes:
        offset_ms: When in the longer one the shorter begins.
        agreement: How far they agree where both are, from 0 by chance to 1.
        whole: The shorter is all of the longer, but for a tenth at most.
    """

    offset_ms: int
    agreement: float
    whole: bool


def match(longer: Track, shorter: Track) -> Match | None:
    """Tell whether one is the other, or a part of it.

    Where both have sound enough, that must agree, and the frames where it says they belong. Otherwise the frames decide alone, and then
    they must tell where they belong: not those of a shot that stands still, unless both are as long as each other and look alike all along.
    """
    if longer.content.kind is not shorter.content.kind:
        return None
    fewest = FEWEST_HEARD if longer.content.kind is Kind.VIDEO else FEWEST_ALONE
    audible = [int(track.heard.any(axis=1).sum()) >= fewest for track in (longer, shorter)]
    if all(audible):
        return _heard(longer, shorter)
    return _seen(longer, shorter) if longer.content.kind is Kind.VIDEO else None


def _heard(longer: Track, shorter: Track) -> Match | None:
    found = align(shorter.heard, longer.heard, SOUND_AGREEMENT)
    if found is None or found.agreement < SOUND_AGREEMENT or found.coverage < COVERAGE:
        return None
    offset_ms = found.offset * SOUND_STEP_MS
    if longer.content.kind is Kind.VIDEO:
        step = round(offset_ms / FRAME_STEP_MS)
        if max(agreement_at(shorter.seen, longer.seen, step + slip) for slip in (-1, 0, 1)) < HEARD_AND_SEEN:
            return None
    return _within(longer, shorter, offset_ms, found.agreement)


def _seen(longer: Track, shorter: Track) -> Match | None:
    found = align(shorter.seen, longer.seen, FRAME_AGREEMENT)
    if found is None or found.agreement < FRAME_AGREEMENT or found.coverage < COVERAGE:
        return None
    if found.agreement >= _stillness(shorter.seen) + STILL_MARGIN:
        return _within(longer, shorter, found.offset * FRAME_STEP_MS, found.agreement)
    as_it_is = _within(longer, shorter, 0, agreement_at(shorter.seen, longer.seen, 0))
    return as_it_is if as_it_is.whole and as_it_is.agreement >= SAME_LOOK else None


def _within(longer: Track, shorter: Track, offset_ms: int, agreement: float) -> Match:
    offset_ms = max(0, min(offset_ms, longer.length_ms - shorter.length_ms))
    return Match(offset_ms, agreement, shorter.length_ms >= ALL_OF_IT * longer.length_ms)


def _stillness(seen: Signs) -> float:
    """How far a film agrees with itself at other times; 1 where it is too short to tell."""
    return repeats(seen, STILL_LAG_MS // FRAME_STEP_MS)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one that is near the first of its group; `keep` where it has clearly more pixels than what it is a part of."""

    content: LiveContent
    match: Match
    keep: bool


def near_films(
    tracks: Mapping[int, Track], likely: Sequence[tuple[int, int]], go_on: Callable[[int], bool] = lambda done: True
) -> list[tuple[LiveContent, list[Found]]]:
    """Group films, or sounds.

    Args:
        tracks: By id of the content.
        likely: Pairs of these ids that are worth comparing.
        go_on: Told how many of them were compared; False leaves the others.

    Returns:
        The one to keep of each group, and the others, each compared with it: those that agree most first, then parts by their time.
    """
    compared = _Compared(tracks)
    for done, pair in enumerate(likely, start=1):
        compared.compare(*pair)
        if not go_on(done):
            break
    free = set(tracks)
    groups: list[tuple[LiveContent, list[Found]]] = []
    for id_ in sorted(tracks, key=compared.ranks.__getitem__):
        if id_ not in free:
            continue
        kept = compared.best_like(id_, free)
        others = compared.with_(kept, free)
        if others:
            free -= {kept, *others}
            found = {tracks[other].content: how for other, how in others.items()}
            groups.append((tracks[kept].content, _ranked(tracks[kept].content, found)))
    return groups


class _Compared:
    """Films or sounds as far as they were compared with each other.

    Attributes:
        ranks: Of what may hold others before those.
    """

    def __init__(self, tracks: Mapping[int, Track]) -> None:
        self.tracks = tracks
        self.ranks = {content.id: rank for rank, content in enumerate(longest_first([track.content for track in tracks.values()]))}
        self._done: set[tuple[int, int]] = set()
        self._held: dict[int, dict[int, Match]] = {id_: {} for id_ in tracks}  # by what holds them
        self._near: dict[int, set[int]] = {id_: set() for id_ in tracks}

    def compare(self, one: int, other: int) -> None:
        """Compare two, unless that was done before."""
        longer, shorter = sorted((one, other), key=self.ranks.__getitem__)
        if (longer, shorter) in self._done:
            return
        self._done.add((longer, shorter))
        found = match(self.tracks[longer], self.tracks[shorter])
        if found is None:
            return
        self._near[longer].add(shorter)
        self._near[shorter].add(longer)
        self._held[longer][shorter] = found
        if found.whole:
            self._held[shorter][longer] = replace(found, offset_ms=0)

    def best_like(self, id_: int, free: Collection[int]) -> int:
        """The best of those that are as long as one and the same, however many steps away."""
        while True:
            same = [other for other, found in self._held[id_].items() if found.whole and other in free]
            best = best_first([self.tracks[other].content for other in (id_, *same)])[0].id
            if best == id_:
                return id_
            id_ = best

    def with_(self, id_: int, free: Collection[int]) -> dict[int, Match]:
        """Those that one holds: of what it was compared with, and of what these were found near to."""
        for other in {far for near in self._near[id_] for far in self._near[near]} - {id_}:
            if other in free:
                self.compare(id_, other)
        return {other: found for other, found in self._held[id_].items() if other in free}


def _ranked(kept: LiveContent, others: Mapping[LiveContent, Match]) -> list[Found]:
    found = [Found(content, how, content.pixels > MORE_PIXELS * kept.pixels) for content, how in others.items()]
    return sorted(found, key=lambda one: (-one.match.whole, one.match.offset_ms, -one.match.agreement, one.content.path))
