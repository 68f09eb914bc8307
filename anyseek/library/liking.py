"""The half of the door that keeps what a person thought of answers."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import get_args

from ..errors import BadInput, LibraryError
from ..search.references import Reference
from ..storage.catalog import Catalog, FeedbackRow, QueryKey, Verdict, Writer
from ..storage.feedback_reads import FEEDBACK_SETTING
from ..storage.layout import LibraryFolder
from ..types import Kind
from .arguments import StrPath

__all__ = ["DEFAULT_SESSION", "Liking"]

DEFAULT_SESSION = "default"
MOST_CHARACTERS = 10_000


class Liking:
    """The methods of `anyseek.library.Library` that record feedback, list it and forget it; see docs/feedback.md.

    It is kept in the library and nowhere else, only once it was switched on, and until it is forgotten.
    """

    folder: LibraryFolder
    catalog: Catalog

    @property
    def feedback_enabled(self) -> bool:
        """Whether feedback is recorded; not unless `enable_feedback` said so."""
        return self.catalog.feedback_enabled

    def enable_feedback(self, enabled: bool = True) -> None:
        """Let feedback be recorded in this library from now on, or not; what was recorded stays until `forget_feedback`.

        Raises:
            LibraryLocked: Another process is writing to it.
            LibraryError: It was opened for reading only.
        """
        with self._feedback_writer("switching feedback on or off") as writer:
            writer.put_setting(FEEDBACK_SETTING, "on" if enabled else "off")

    def record_feedback(
        self,
        query: str | Reference,
        path: StrPath | Sequence[StrPath],
        verdict: Verdict,
        start_ms: int | None = None,
        end_ms: int | None = None,
        session: str = DEFAULT_SESSION,
    ) -> None:
        """Write down what a person thought of an answer. The same answer to the same query in the same session has one verdict, the last.

        Args:
            query: What was asked: words, or a file of the library or a moment of it for what was like it.
            path: The answer, a file of the library; without times also a moment of it, as in `Hit.reference`: ``film.mp4@0:12-0:18``.
                Of several all are written down, or none.
            verdict: ``liked``, ``rejected`` or ``opened``; to open an answer says less than the others and replaces neither.
            start_ms: Start of the moment that was meant; None for the whole file.
            end_ms: End of the moment; None for the instant `start_ms`.
            session: Where it belongs: a name for one sitting, in which what was liked may count for the next search.

        Raises:
            BadInput: Feedback is off, the file is not in the library, or something else cannot be written down.
            LibraryLocked: Another process is writing to it.
            LibraryError: It was opened for reading only.
        """
        if not self.feedback_enabled:
            raise BadInput(f"feedback is off in the library at {self.folder.path}: switch it on with  anyseek feedback on")
        if verdict not in get_args(Verdict):
            raise BadInput(f"{verdict!r} is no verdict: use {', '.join(get_args(Verdict))}")
        read = [Reference.read(one) for one in ([path] if isinstance(path, str | os.PathLike) else path)]
        meant = read if start_ms is None else [Reference(one.path, start_ms, end_ms) for one in read]
        answers = [self._stretch_of(one) for one in meant]
        key, session = self._key_of(query), _said(session, "a session")
        with self._feedback_writer("recording feedback") as writer:
            for content_id, stretch in answers:
                writer.put_feedback(key, content_id, verdict, session=session, stretch=stretch)

    def feedback(
        self,
        *,
        session: str | None = None,
        query: str | Reference | None = None,
        before: date | None = None,
        verdicts: Collection[Verdict] | None = None,
    ) -> list[FeedbackRow]:
        """What was recorded, the oldest first.

        Args:
            session: Only in this one.
            query: Only of answers to this one.
            before: Only what is older than this day or moment; in UTC where it names no offset.
            verdicts: Only these.

        Raises:
            BadInput: The query is a file that is not in the library.
        """
        key = None if query is None else self._key_of(query)
        return self.catalog.feedback(session=session, query=key, before=_moment(before), verdicts=verdicts)

    def forget_feedback(
        self,
        *,
        session: str | None = None,
        query: str | Reference | None = None,
        before: date | None = None,
        everything: bool = False,
    ) -> int:
        """Forget what was recorded, if it is like everything that is given; its room in the file is overwritten.

        Args:
            session: As for `feedback`.
            query: As for `feedback`.
            before: As for `feedback`.
            everything: Forget all of it; without this, one of the others must be given.

        Returns:
            How much was forgotten.

        Raises:
            BadInput: Nothing was said of what to forget, or too much.
            LibraryLocked: Another process is writing to it.
            LibraryError: It was opened for reading only.
        """
        if everything == any(given is not None for given in (session, query, before)):
            raise BadInput("say what to forget: everything, or that of a session, of a query, or before a date")
        key = None if query is None else self._key_of(query)
        with self._feedback_writer("forgetting feedback") as writer:
            return writer.forget_feedback(session=session, query=key, before=_moment(before))

    def _key_of(self, query: str | Reference) -> QueryKey:
        return QueryKey.words(_said(query, "a query")) if isinstance(query, str) else QueryKey.like(*self._stretch_of(query))

    def _stretch_of(self, reference: Reference) -> tuple[int, tuple[int, int]]:
        """A content of the library and the stretch of it that is meant; an instant is a stretch of a millisecond."""
        found = self.catalog.find_asset(reference.path.expanduser())
        if found is None:
            raise BadInput(f"{reference.path} is not in the library at {self.folder.path}: index it first")
        if found.content_id is None or not self.catalog.assets_of([found.content_id]):
            raise BadInput(f"{reference.path} could not be indexed, so that nothing finds it:  anyseek errors  says why")
        if reference.start_ms is None:
            return found.content_id, reference.stretch
        start_ms, end_ms = reference.stretch
        info = self.catalog.content_info([found.content_id])[found.content_id]
        if info.kind is Kind.IMAGE:
            raise BadInput(f"{reference.path} is a picture, which has no moments: leave the time out")
        if not 0 <= start_ms < end_ms or (info.duration_ms is not None and start_ms >= info.duration_ms):
            raise BadInput(f"{reference} is no moment of that file: choose a time within it")
        return found.content_id, (start_ms, end_ms)

    @contextmanager
    def _feedback_writer(self, purpose: str) -> Iterator[Writer]:
        from ..storage.lock import WriterLock

        if self.catalog.database.readonly:
            raise LibraryError(f"the library at {self.folder.path} was opened for reading only: open it for writing")
        with WriterLock(self.folder, purpose), self.catalog.transaction() as writer:
            yield writer


def _said(text: str, what: str) -> str:
    """A text that can be written down.

    Raises:
        BadInput: It cannot.
    """
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"{what} is empty: write what it is")
    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"{what} of {len(text):,} characters is too long: make it at most {MOST_CHARACTERS:,}")
    if any("\ud800" <= character <= "\udfff" or character == "\0" for character in text):
        raise BadInput(f"{text[:80]!r} cannot be written down as {what}: use characters that are text")
    return text


def _moment(before: date | None) -> datetime | None:
    """A day stands for its first second."""
    return before if before is None or isinstance(before, datetime) else datetime.combine(before, time())
