"""What a tagging run is asked and what it tells. Nothing here is printed; the doors draw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadInput
from ..filters import Condition
from ..types import Kind

__all__ = ["OnTagging", "Stretch", "Tag", "TagOptions", "TagReport", "TaggedAsset"]

LEAST = 0.5
MOST_TAGS = 5

OnTagging = Callable[[int, int], None]
"""Told while files are tagged: how many contents are done, and how many there are."""


@dataclass(frozen=True)
class TagOptions:
    """How to tag.

    Attributes:
        min_relevance: A label holds from this relevance on.
        max_tags: Most tags of one file.
        where: Only files that satisfy this.
        redo: Also files that were tagged before in just this way.
        dry_run: Write nothing.
    """

    min_relevance: float = LEAST
    max_tags: int = MOST_TAGS
    where: Condition | None = None
    redo: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.min_relevance < 1:
            raise BadInput(f"a relevance of {self.min_relevance} cannot be asked for: use a number between 0 and 1, such as 0.8")
        if self.max_tags < 1:
            raise BadInput(f"{self.max_tags} tags are none: use 1 or more, or remove tags with --remove")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a tag holds, in milliseconds, half open, and how surely."""

    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Tag:
    """A label that holds of a file.

    Attributes:
        text: The label.
        confidence: The relevance of the segment that it fits best.
        stretches: Where it holds in sound and film, in order of time; empty for pictures.
    """

    text: str
    confidence: float
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class TaggedAsset:
    """A file and its tags, the surest first; `unchanged` when they are those of an earlier run."""

    path: Path
    kind: Kind
    tags: tuple[Tag, ...]
    unchanged: bool = False


@dataclass
class TagReport:
    """What a run did.

    Attributes:
        vocabulary: Its name.
        labels: How many it has.
        spaces: The models that were asked.
        assets: The files looked at, in order of path when the run is over.
        removed: How many tags were removed by a run that removes them.
        interrupted: It was stopped; what was done is kept, and the next run goes on from there.
        notes: What a user should hear about.
    """

    vocabulary: str
    labels: int = 0
    spaces: tuple[str, ...] = ()
    assets: list[TaggedAsset] = field(default_factory=list)
    removed: int = 0
    dry_run: bool = False
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How many files have each tag."""
        return Counter(tag.text for asset in self.assets for tag in asset.tags)
