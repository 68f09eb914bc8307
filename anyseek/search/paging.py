"""The order of hits, and pages of it: where one ends, so that the next goes on from there."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Self

from ..errors import BadQuery
from .hits import Hit
from .query import Order, Query

__all__ = ["Cursor", "Ordered", "Page"]

Key = float | str
MARGIN = 1e-6  # scores of the index and of the catalog's vectors differ by their rounding


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last hit of a page by what it was ordered by: whatever the library gets or loses meanwhile, the next begins after it.

    Attributes:
        question: The query's digest; a page of another question makes no sense.
        key: What the hit was ordered by.
        asset_id: The hit, which decides among those of equal keys.
    """

    question: str
    key: Key
    asset_id: int

    def text(self) -> str:
        """As people and programs pass it on: URL-safe."""
        packed = json.dumps([self.question, self.key, self.asset_id], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, question: str) -> Self:
        """Undo `text`.

        Raises:
            BadQuery: It is no cursor, or that of another question.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            of, key, asset_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError, RecursionError):
            raise BadQuery(f"{text[:80]!r} is no cursor: give the one of an earlier answer, or leave it out for the first page") from None
        if not (isinstance(of, str) and _is_key(key) and type(asset_id) is int):
            raise BadQuery(f"{text[:80]!r} is no cursor: give the one of an earlier answer, or leave it out for the first page")
        if of != question:
            raise BadQuery("the cursor belongs to another question: ask the same with the same options, or leave it out for the first page")
        return cls(of, key, asset_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Hits in order, the cursor of the next page, if there is one, and what a user should hear about."""

    hits: tuple[Hit, ...]
    cursor: str | None
    notes: tuple[str, ...] = ()


class Ordered:
    """The order that a query asks for.

    Args:
        query: What is asked.

    Raises:
        BadQuery: Its cursor is none, or that of another question.
    """

    def __init__(self, query: Query) -> None:
        self.query = query
        self._key = _KEYS[query.order]
        self._after = None if query.cursor is None else Cursor.read(query.cursor, query.digest)
        if self._after is not None and isinstance(self._after.key, str) != (query.order == "path"):
            raise BadQuery("the cursor belongs to another order: ask the same with the same options, or leave it out for the first page")

    def page(self, hits: Sequence[Hit], bound: float) -> Page | None:
        """Cut a page out of all hits that were found.

        Args:
            hits: In any order.
            bound: The highest score of any hit that was not found; -inf when there is none.

        Returns:
            The page; None if what was not found might change it.
        """
        missing = bound > -math.inf
        if missing and (self.query.order != "relevance" or self.query.reverse):
            return None
        sure = [hit for hit in hits if not missing or hit.score > bound + MARGIN]
        sure.sort(key=self._place, reverse=self.query.reverse)
        after = self._after
        if after is not None:
            end = (after.key, after.asset_id)
            sure = [hit for hit in sure if (self._place(hit) < end if self.query.reverse else self._place(hit) > end)]
        limit = self.query.limit
        if missing and len(sure) <= limit:
            return None
        more = len(sure) > limit
        shown = tuple(sure[:limit])
        return Page(shown, Cursor(self.query.digest, *self._place(shown[-1])).text() if more else None)

    def _place(self, hit: Hit) -> tuple[Key, int]:
        return self._key(hit), hit.asset_id


def _is_key(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value))


def _newest_first(hit: Hit) -> float:
    """By the clock where it was taken: what names no offset has no other time."""
    return -hit.captured.at.replace(tzinfo=UTC).timestamp()


_KEYS: dict[Order, Callable[[Hit], Key]] = {
    "relevance": lambda hit: -hit.score,
    "date": _newest_first,
    "path": lambda hit: str(hit.path),
    "duration": lambda hit: -float(hit.info.duration_ms or 0),
}
