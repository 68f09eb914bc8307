"""Which answers were liked and rejected: those that are named, and those that were recorded of a query in a session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import BadQuery
from ..storage.catalog import Catalog, QueryKey
from .query import Judged, Refinement

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["Named", "judged"]


@dataclass(frozen=True, slots=True)
class Named:
    """A content, or a stretch of it in milliseconds; (0, 0) for the whole. What it is called makes no difference."""

    content_id: int
    stretch: tuple[int, int] = (0, 0)
    label: str = field(default="", compare=False)

    @property
    def is_whole(self) -> bool:
        """Whether all of it is meant."""
        return not any(self.stretch)


def judged(
    engine: Engine,
    catalog: Catalog,
    liked: Sequence[Named] = (),
    rejected: Sequence[Named] = (),
    recorded: tuple[str, QueryKey] | None = None,
) -> tuple[Refinement, frozenset[int]]:
    """Put together what a query is refined by. What is named counts more than what was recorded of the same answer.

    Args:
        engine: Knows the vectors of contents.
        catalog: Knows what was recorded.
        liked: Answers are to be like these.
        rejected: And not like these; they are no answers themselves.
        recorded: A session and a query: what was recorded there counts, too, but for what was only opened.

    Returns:
        What the query is refined by, and the contents that are no answers.

    Raises:
        BadQuery: Something is both liked and rejected, or has no vectors.
    """
    if set(liked) & set(rejected):
        both = next(one.label for one in liked if one in set(rejected))
        raise BadQuery(f"{both} is both liked and rejected: leave it out of one of them")
    wanted = {one: _stored(engine, one) for one in liked}
    unwanted = {one: _stored(engine, one) for one in rejected}
    hidden, notes = dict.fromkeys(rejected), []
    if recorded is not None:
        session, key = recorded
        rows = catalog.feedback(session=session, query=key, verdicts=("liked", "rejected"))
        lost = 0
        for row in rows:
            one = Named(row.content_id, (row.start_ms, row.end_ms))
            if one in wanted or one in unwanted:
                continue
            if row.verdict == "rejected":
                hidden[one] = None
            try:
                (wanted if row.verdict == "liked" else unwanted)[one] = _stored(engine, one)
            except BadQuery:
                lost += 1
        if not rows:
            notes.append(f"nothing was liked or rejected of this query in the session {session!r}: it was asked as it stands")
        if lost:
            notes.append(f"{lost} of what was liked or rejected in the session {session!r} has no vectors in the models that serve")
    stretches: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in hidden:
        if not one.is_whole:
            stretches[one.content_id].append(one.stretch)
    without = frozenset(one.content_id for one in hidden if one.is_whole)
    moments = {content_id: tuple(of) for content_id, of in stretches.items()}
    known = frozenset(one.content_id for one in (*wanted, *unwanted))
    return Refinement(tuple(wanted.values()), tuple(unwanted.values()), known, moments, tuple(notes)), without


def _stored(engine: Engine, one: Named) -> Judged:
    start_ms, end_ms = (None, None) if one.is_whole else one.stretch
    return Judged(engine.stored(one.content_id, start_ms=start_ms, end_ms=end_ms, label=one.label), one.is_whole)
