"""What the catalog knows of what people thought of answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, func, select

from .asset_reads import AssetReads
from .engine import fetch
from .models import feedback
from .rows import FeedbackRow, QueryKey, Verdict

__all__ = ["FEEDBACK_SETTING", "FeedbackReads", "feedback_where", "stored_time"]

FEEDBACK_SETTING = "feedback"
"""The setting that says whether feedback is recorded: ``on`` if it is."""


class FeedbackReads(AssetReads):
    """The reading half of `anyseek.storage.catalog.Catalog` that deals with feedback."""

    @property
    def feedback_enabled(self) -> bool:
        """Whether feedback is recorded; not unless somebody said so."""
        return self.setting(FEEDBACK_SETTING) == "on"

    def feedback(
        self,
        *,
        session: str | None = None,
        query: QueryKey | None = None,
        before: datetime | None = None,
        verdicts: Collection[Verdict] | None = None,
    ) -> list[FeedbackRow]:
        """What people thought of answers, the oldest first.

        Args:
            session: Only in this one.
            query: Only of answers to this one.
            before: Only what is older, by the second.
            verdicts: Only these.
        """
        statement = select(*_COLUMNS).where(*feedback_where(session, query, before)).order_by(feedback.c.at, feedback.c.id)
        if verdicts is not None:
            statement = statement.where(feedback.c.verdict.in_(sorted(verdicts)))
        with self.database.reading() as connection:
            rows = connection.execute(statement).all()
        keys = [QueryKey(row.query_kind, row.query, row.query_content_id) for row in rows]
        contents = {row.content_id for row in rows} | {key.content_id for key in keys if key.content_id is not None}
        places = {content_id: assets[0].path for content_id, assets in self.assets_of(contents).items()} if contents else {}
        return [
            FeedbackRow(
                row.id,
                datetime.fromisoformat(row.at),
                row.session,
                _said(key, places),
                key.kind,
                places.get(row.content_id),
                row.content_id,
                row.start_ms,
                row.end_ms,
                row.verdict,
            )
            for row, key in zip(rows, keys, strict=True)
        ]

    def feedback_counts(self) -> dict[Verdict, int]:
        """How many answers were thought of in which way; those ways that there are."""
        statement = select(feedback.c.verdict, func.count()).group_by(feedback.c.verdict)
        with self.database.reading() as connection:
            return dict(fetch(connection, statement))

    def feedback_sessions(self) -> list[str]:
        """The sessions with feedback, in order."""
        statement = select(feedback.c.session).distinct().order_by(feedback.c.session)
        with self.database.reading() as connection:
            return [row[0] for row in fetch(connection, statement)]


def feedback_where(session: str | None, query: QueryKey | None, before: datetime | None) -> list[ColumnElement[bool]]:
    """What rows must be like; nothing of those arguments that are None."""
    conditions: list[ColumnElement[bool]] = []
    if session is not None:
        conditions.append(feedback.c.session == session)
    if query is not None:
        conditions += [feedback.c.query_kind == query.kind, feedback.c.query == query.text]
    if before is not None:
        conditions.append(feedback.c.at < stored_time(before))
    return conditions


def stored_time(at: datetime) -> str:
    """A time as it is stored, so that texts are in the order of times; one that names no offset is in UTC."""
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).isoformat(timespec="seconds")


def _said(key: QueryKey, places: dict[int, Path]) -> str:
    """A query as a person or a program would put it today."""
    if key.content_id is None:
        return key.text
    place, (start, end) = places.get(key.content_id), key.stretch
    if place is None:
        return ""
    return f"{place}@{start / 1000:.3f}-{end / 1000:.3f}" if end else str(place)


_COLUMNS = (
    feedback.c.id,
    feedback.c.at,
    feedback.c.session,
    feedback.c.query_kind,
    feedback.c.query,
    feedback.c.query_content_id,
    feedback.c.content_id,
    feedback.c.start_ms,
    feedback.c.end_ms,
    feedback.c.verdict,
)
