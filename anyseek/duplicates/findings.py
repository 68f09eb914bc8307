"""What a search for duplicates finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..types import Kind

__all__ = ["Duplicates", "Group", "Member", "OnLook", "Tier"]

OnLook = Callable[[str, int, int], None]
"""Hears how the work goes on: what is being done, how much of it is done, and how much there is."""


class Tier(StrEnum):
    """How much alike the files of a group are."""

    EXACT = "exact"
    NEAR = "near"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a group.

    Attributes:
        keep: Whether to keep it is suggested.
        alike: How much it is like the first of the group: 1 for equal bytes; for near pictures the share of equal bits of their hashes;
            for near films and sounds how far their hashes agree, from 0 by chance to 1; for similar files the cosine.
        start_ms: Where in the first of the group it begins, when it is a part of it; None when it is all of it.
        end_ms: Where it ends there.
        size: In bytes.
        duration_ms: None for pictures.
    """

    path: Path
    asset_id: int
    keep: bool
    alike: float
    size: int
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Files each of which is like the first. No two others need be alike: nothing is in a group by a chain.

    Attributes:
        why: Why the first is the one to keep.
        members: The one to keep first, then the others, those most like it first.
    """

    tier: Tier
    kind: Kind
    why: str
    members: tuple[Member, ...]

    @property
    def others(self) -> tuple[Member, ...]:
        """Those that need not be kept."""
        return tuple(member for member in self.members if not member.keep)

    @property
    def freed(self) -> int:
        """The bytes that would be free without them."""
        return sum(member.size for member in self.others)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The groups that were found, by tier, those that would free most first.

    Attributes:
        looked_at: How many files were compared.
        took_ms: How long it took.
        notes: What a user should hear about.
        interrupted: It was stopped; what was found until then is there, and fingerprints that were taken are kept.
        min_similarity: The cosine from which on files count as similar, by kind, where that was asked.
    """

    groups: tuple[Group, ...] = ()
    looked_at: int = 0
    took_ms: float = 0.0
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    min_similarity: dict[Kind, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Group]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)
