"""The search for duplicates: tier after tier, each over what those before it leave."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from ..errors import BadInput
from ..filters import Condition, parse
from ..storage.catalog import Catalog, LocatedAsset, SpaceRow
from ..storage.fingerprints import Fingerprints, LiveContent
from ..storage.space_index import SpaceIndex
from ..types import Kind
from .films import Track, near_films
from .findings import Duplicates, Group, Member, OnLook, Tier
from .keeping import oldest_first, reason
from .pictures import DISTANCE, MOST_DISTANCE, near_pictures
from .similar import least_cosine, similar_files
from .taking import Taking, is_unchanged
from .vectors import likely_pairs, space_of, wholes

__all__ = ["Finder", "Wanted"]

NAMES = {Kind.IMAGE: "pictures", Kind.AUDIO: "sounds", Kind.VIDEO: "films"}


Left = dict[int, LiveContent]
"""The contents that no tier before has found superfluous, by id."""


class Like(NamedTuple):
    """A content that is like the first of its group; see `Member`."""

    content: LiveContent
    alike: float
    keep: bool = False
    start_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for.

    Attributes:
        tiers: Which tiers; see `Tier`.
        kinds: Only these kinds; all when empty.
        where: Only assets that satisfy this.
        distance: Near pictures: how many of the 64 bits of their hashes may differ.
        min_similarity: Similar files: the least cosine; None for what the library's own files suggest.
    """

    tiers: frozenset[Tier] = frozenset({Tier.EXACT, Tier.NEAR})
    kinds: frozenset[Kind] = frozenset()
    where: Condition | None = None
    distance: int = DISTANCE
    min_similarity: float | None = None

    @classmethod
    def of(
        cls,
        tiers: Collection[Tier | str],
        kinds: frozenset[Kind],
        where: str | Condition | None,
        distance: int | None,
        min_similarity: float | None,
    ) -> Self:
        """Make it of what a caller says.

        Raises:
            BadInput: A tier is none, a condition cannot be read, or a number cannot be meant.
        """
        try:
            named = frozenset(map(Tier, [tiers] if isinstance(tiers, str) else tiers))
        except ValueError as error:
            raise BadInput(f"{error}: tiers are {', '.join(Tier)}") from None
        condition = parse(where) if isinstance(where, str) else where
        return cls(named, kinds, condition, DISTANCE if distance is None else distance, min_similarity)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.tiers:
            raise BadInput(f"no tier is named: use {', '.join(Tier)}")
        if not 0 <= self.distance <= MOST_DISTANCE:
            raise BadInput(f"a distance of {self.distance} bits cannot be used: give 0 to {MOST_DISTANCE}, of 64")
        if self.min_similarity is not None and not -1 <= self.min_similarity <= 1:
            raise BadInput(f"{self.min_similarity} is no cosine: give a number from -1 to 1, such as 0.9")


class Finder:
    """One search.

    Args:
        catalog: Of the library.
        open_index: Opens the index of a space.
        wanted: What to look for.
        on_look: Told how it goes on.
        stop: Set it to leave off.
    """

    def __init__(
        self,
        catalog: Catalog,
        open_index: Callable[[SpaceRow], SpaceIndex],
        wanted: Wanted,
        on_look: OnLook | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.catalog = catalog
        self.open_index = open_index
        self.wanted = wanted
        self.on_look = on_look or (lambda what, done, total: None)
        self.stop = stop or threading.Event()
        self.stored = Fingerprints(catalog)
        self.taking = Taking(self.stored, self.on_look, self.stop)
        self.notes: list[str] = []
        self.least: dict[Kind, float] = {}
        self.lost: dict[int, Path] = {}

    def find(self) -> Duplicates:
        """Look for everything that is wanted."""
        started = time.perf_counter()
        contents = self.stored.contents(self.wanted.kinds, self.wanted.where)
        groups: list[Group] = []
        left = {content.id: content for content in contents}
        for tier, find in ((Tier.EXACT, self._exact), (Tier.NEAR, self._near), (Tier.SIMILAR, self._similar)):
            if tier in self.wanted.tiers and not self.stop.is_set():
                groups += sorted(find(left), key=lambda group: (-group.freed, group.members[0].path))
        return Duplicates(
            groups=tuple(groups),
            looked_at=sum(content.places for content in contents),
            took_ms=(time.perf_counter() - started) * 1000,
            notes=(*self.notes, *self._troubles()),
            interrupted=self.stop.is_set(),
            min_similarity=self.least,
        )

    def _exact(self, left: Left) -> Iterator[Group]:
        several = [content for content in left.values() if content.places > 1]
        assets = self.catalog.assets_of((content.id for content in several), self.wanted.where)
        for content in several:
            copies = self._there(assets.get(content.id, []))
            if len(copies) > 1:
                why = "oldest" if copies[0].mtime_ns != copies[1].mtime_ns else "first by path"
                members = (_member(copy, Like(content, 1.0, keep=place == 0)) for place, copy in enumerate(copies))
                yield Group(Tier.EXACT, content.kind, why, tuple(members))

    def _near(self, left: Left) -> Iterator[Group]:
        by_kind = _by_kind(left)
        pictures = by_kind[Kind.IMAGE]
        prints = self.taking.of(pictures, "looking at pictures") if pictures else {}
        for kept, others in near_pictures(pictures, prints, self.wanted.distance):
            yield from self._group(Tier.NEAR, kept, [Like(content, share) for content, share in others], left)
        for kind in (Kind.VIDEO, Kind.AUDIO):
            yield from self._near_films(kind, by_kind[kind], left)

    def _near_films(self, kind: Kind, contents: Sequence[LiveContent], left: Left) -> Iterator[Group]:
        known = space_of(self.catalog, kind) if len(contents) > 1 else None
        if known is None or self.stop.is_set():
            return
        space, modality = known
        likely = likely_pairs(self.catalog, self.open_index(space), kind, modality, [content.id for content in contents])
        worth = {id_ for pair in likely for id_ in pair}
        chosen = [content for content in contents if content.id in worth]
        prints = self.taking.of(chosen, f"looking through {NAMES[kind]}")
        tracks = {content.id: Track.read(content, prints[content.id]) for content in chosen if content.id in prints}
        comparable = sorted((one, other) for one, other in likely if one in tracks and other in tracks)
        for kept, others in near_films(tracks, comparable, lambda done: self._looked(f"comparing {NAMES[kind]}", done, len(comparable))):
            likes = [Like(one.content, one.match.agreement, one.keep, None if one.match.whole else one.match.offset_ms) for one in others]
            yield from self._group(Tier.NEAR, kept, likes, left)

    def _looked(self, what: str, done: int, total: int) -> bool:
        """Tell how it goes on, and whether it is to go on."""
        self.on_look(what, done, total)
        return not self.stop.is_set()

    def _similar(self, left: Left) -> Iterator[Group]:
        for kind, contents in _by_kind(left).items():
            known = space_of(self.catalog, kind) if contents else None
            if known is None:
                continue
            whole = wholes(self.catalog, *known, [content.id for content in contents])
            least = self.wanted.min_similarity if self.wanted.min_similarity is not None else least_cosine(whole)
            self.least[kind] = least
            for kept, others in similar_files(contents, whole, least):
                yield from self._group(Tier.SIMILAR, kept, [Like(content, cosine) for content, cosine in others], left)

    def _group(self, tier: Tier, kept: LiveContent, likes: Sequence[Like], left: Left) -> Iterator[Group]:
        """Make a group of contents; further tiers leave those alone that need not be kept. None where the one to keep is gone.

        Where copies of equal bytes are told by a tier of their own, each content is there with the one of them that is kept.
        """
        assets = self.catalog.assets_of([kept.id, *(like.content.id for like in likes)], self.wanted.where)
        there = {content_id: self._there(copies) for content_id, copies in assets.items()}
        likes = [like for like in likes if there.get(like.content.id)]
        if not there.get(kept.id) or not likes:
            return
        members: list[Member] = []
        for like in (Like(kept, 1.0, keep=True), *likes):
            copies = there[like.content.id]
            for place, copy in enumerate(copies[:1] if Tier.EXACT in self.wanted.tiers else copies):
                members.append(_member(copy, like._replace(keep=like.keep and place == 0)))
            if not like.keep:
                left.pop(like.content.id, None)
        whole = [like.content for like in likes if like.start_ms is None]
        why = reason(kept, whole or [like.content for like in likes], longest=not whole)
        yield Group(tier, kept.kind, why, tuple(members))

    def _there(self, assets: Sequence[LocatedAsset]) -> list[LocatedAsset]:
        """Those that lie where they did and were not changed since they were indexed, the oldest first.

        Whoever deletes what need not be kept must be left with what is to be kept.
        """
        found = []
        for asset in oldest_first(assets):
            if is_unchanged(asset):
                found.append(asset)
            else:
                self.lost[asset.id] = asset.path
        return found

    def _troubles(self) -> Iterator[str]:
        unread, kept = len(self.taking.unread), self.taking.not_kept
        if unread:
            yield (
                f"{_files(unread)} could not be looked at, being gone, changed or unreadable since they were indexed "
                f"({self.taking.unread[0].name}{' and others' if unread > 1 else ''}): run  anyseek index"
            )
        if self.lost:
            lost = list(self.lost.values())
            yield (
                f"{_files(len(lost))} of a group {'is' if len(lost) == 1 else 'are'} left out, being gone or changed since indexed "
                f"({lost[0].name}{' and others' if len(lost) > 1 else ''}): run  anyseek index"
            )
        if kept:
            yield f"what {_files(kept)} look{'s' if kept == 1 else ''} like could not be kept in the library, for {self.taking.because}"


def _by_kind(left: Left) -> dict[Kind, list[LiveContent]]:
    found: dict[Kind, list[LiveContent]] = defaultdict(list)
    for content in left.values():
        found[content.kind].append(content)
    return found


def _member(asset: LocatedAsset, like: Like) -> Member:
    content, start_ms = like.content, like.start_ms
    return Member(
        path=asset.path,
        asset_id=asset.id,
        keep=like.keep,
        alike=like.alike,
        size=content.size,
        width=content.width,
        height=content.height,
        duration_ms=content.duration_ms,
        start_ms=start_ms,
        end_ms=None if start_ms is None else start_ms + (content.duration_ms or 0),
    )


def _files(count: int) -> str:
    return f"{count:,} file{'s' if count != 1 else ''}"
