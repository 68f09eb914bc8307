"""How what people thought of answers comes into the catalog and out of it, inside one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, case, delete
from sqlalchemy.dialects.sqlite import insert

from .feedback_reads import feedback_where, stored_time
from .models import feedback
from .rows import QueryKey, Verdict

__all__ = ["FeedbackWrites"]


class FeedbackWrites:
    """The half of `anyseek.storage.writer.Writer` that deals with feedback.

    What is replaced or forgotten is overwritten in the file, for it says what somebody was looking for.
    """

    _connection: Connection

    def put_feedback(
        self,
        query: QueryKey,
        content_id: int,
        verdict: Verdict,
        *,
        session: str,
        stretch: tuple[int, int] = (0, 0),
        at: datetime | None = None,
    ) -> None:
        """Write down what a person thought of an answer; the verdict on the same answer to the same query in that session is replaced.

        To open an answer says less than to like or reject it, and replaces neither.

        Args:
            query: What was asked.
            content_id: The answer.
            verdict: What the person thought.
            session: Where it belongs.
            stretch: Of the content, in milliseconds, half open; (0, 0) for the whole.
            at: When; now unless told.
        """
        row = {
            "at": stored_time(at or datetime.now(UTC)),
            "session": session,
            "query_kind": query.kind,
            "query": query.text,
            "query_content_id": query.content_id,
            "content_id": content_id,
            "start_ms": stretch[0],
            "end_ms": stretch[1],
            "verdict": verdict,
        }
        made = insert(feedback)
        weaker = (made.excluded.verdict == "opened") & (feedback.c.verdict != "opened")
        changes = {name: case((weaker, feedback.c[name]), else_=made.excluded[name]) for name in ("at", "verdict")}
        with self._overwriting():
            self._connection.execute(made.on_conflict_do_update(index_elements=_KEY, set_=changes), row)

    def forget_feedback(self, *, session: str | None = None, query: QueryKey | None = None, before: datetime | None = None) -> int:
        """Remove feedback: all, or what satisfies every condition that is given; see `FeedbackReads.feedback`.

        Returns:
            How much was removed.
        """
        with self._overwriting():
            return self._connection.execute(delete(feedback).where(*feedback_where(session, query, before))).rowcount

    @contextmanager
    def _overwriting(self) -> Iterator[None]:
        """Have SQLite fill the room of what is deleted with zeros; else it stays in the file until something else needs the room."""
        self._connection.exec_driver_sql("PRAGMA secure_delete=ON").close()
        try:
            yield
        finally:
            self._connection.exec_driver_sql("PRAGMA secure_delete=OFF").close()


_KEY = ["content_id", "session", "query_kind", "query", "start_ms", "end_ms"]
