"""What tells a moved file from a copied one."""

from __future__ import annotations

from dataclasses import dataclass, field

from .job import Job, Place
from .report import Outcome

__all__ = ["Movable"]


@dataclass(slots=True)
class Movable:
    """What tells a moved file from a copied one.

    Attributes:
        gone: Assets by the content that is not at their paths any more: a file elsewhere with these bytes is the same asset, moved.
        moved: Assets that were found again.
        displaced: Assets whose paths were taken by moved ones, and that were not found again so far.
        present: Contents of which some file is still there.
    """

    gone: dict[int, list[Place]] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    displaced: set[int] = field(default_factory=set)
    present: set[int] = field(default_factory=set)

    def leave(self, place: Place, content_id: int) -> None:
        """Note that a path does not have these bytes any more."""
        self.gone.setdefault(content_id, []).append(place)

    def claim(self, job: Job, content_id: int) -> Place | None:
        """The asset that a file with these bytes is: the one that was at its path, else one that left them and may be moved there.

        An asset that is still at a path only gives way to one that moved just now.
        """
        places = self.gone.get(content_id, [])
        here = (job.source.id, job.relative)
        candidates = [place for place in places if place.since_now or job.outcome is Outcome.NEW]
        place = next((place for place in candidates if (place.source_id, place.path) == here), candidates[0] if candidates else None)
        if place is not None:
            places.remove(place)
        return place

    def stay(self, place: Place, content_id: int) -> None:
        """Note that an asset keeps its path although its bytes are others now, so that nobody may claim it."""
        self.gone[content_id] = [other for other in self.gone.get(content_id, []) if other.asset_id != place.asset_id]
