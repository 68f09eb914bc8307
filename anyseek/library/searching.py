"""The half of the door that answers questions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ..asking import Asked
from ..search.references import Reference
from ..search.timings import Stopwatch
from ..storage.catalog import Catalog
from ..types import Kind
from .arguments import StrPath, as_kinds, as_paths, as_references, as_texts

if TYPE_CHECKING:
    from ..filters import Condition
    from ..search.engine import Answer, Engine
    from ..search.fusion import Fusion

__all__ = ["Searching"]


class Searching:
    """The methods of `anyseek.library.Library` that search."""

    catalog: Catalog

    def search(
        self,
        text: str | Sequence[str] | None = None,
        *,
        negative: str | Sequence[str] = (),
        image: StrPath | Sequence[StrPath] = (),
        audio: StrPath | Sequence[StrPath] = (),
        video: StrPath | Sequence[StrPath] = (),
        like: StrPath | Sequence[StrPath] = (),
        unlike: StrPath | Sequence[StrPath] = (),
        liked: StrPath | Sequence[StrPath] = (),
        rejected: StrPath | Sequence[StrPath] = (),
        session: str | None = None,
        weights: Mapping[str, float] | None = None,
        kinds: Collection[Kind | str] = (),
        where: str | Condition | None = None,
        fusion: str | Fusion = "mean",
        min_relevance: float | None = None,
        order: str = "relevance",
        reverse: bool = False,
        moments: int | None = None,
        explain: bool = False,
        limit: int = 10,
        cursor: str | None = None,
    ) -> Answer:
        """Find what comes nearest to a text, to examples, or to all of them together.

        Args:
            text: What to look for, in words; several texts count together as much as one.
            negative: What not to, in words.
            image: Pictures to look for the like of.
            audio: Sounds to look for the like of.
            video: Films to look for the like of.
            like: Files of the library to look for the like of, or moments of them: ``film.mp4@0:12-0:18``. Nothing is decoded for them.
            unlike: Files and moments of the library that are not meant.
            liked: Answers to this query that were good, as for `like`: the query moves towards them, by Rocchio's weights; they are no part
                of it, and may be answers again. Of a whole file what counts is its segment that answers best.
            rejected: Answers to this query that were not: it moves away from them, and they are left out.
            session: What was recorded of this query in this session counts as `liked` and `rejected`, too; see `record_feedback`.
            weights: How much ``text``, ``image``, ``audio``, ``video`` and ``like`` count, and how strongly ``negative`` and ``unlike``
                push away; 1 unless told.
            kinds: Only these kinds.
            where: Only files that satisfy a condition, such as ``rating>=4 and date:2024``; see docs/filters.md.
            fusion: How parts are joined: as one vector by the ``mean``, by ``agreement`` (what agrees with the others counts for more) or
                as it was trained (``weighted``, ``network``); by their answers with ``max`` (as relevant as to the part that is answered
                best) or ``rrf`` (reciprocal ranks); or by an object that obeys `EarlyFusion` or `LateFusion`. See docs/fusion.md.
            min_relevance: Leave hits of less out; None for what is more likely wrong than right, 0 to show all.
            order: ``relevance``, ``date`` (the newest first), ``path`` or ``duration`` (the longest first).
            reverse: The other way round.
            moments: Most moments of one hit.
            explain: Say of each hit how it came about.
            limit: Most hits to give.
            cursor: The one of the page before, for the next page of the same question.

        Raises:
            BadQuery: There is nothing to search for, or what is asked cannot be.
            MediaError: An example cannot be read.
            UnsupportedModality: The encoder does not understand an example.
        """
        asked = Asked(
            text=as_texts(text),
            negative=as_texts(negative),
            image=as_paths(image),
            audio=as_paths(audio),
            video=as_paths(video),
            like=as_references(like),
            unlike=as_references(unlike),
            liked=as_references(liked),
            rejected=as_references(rejected),
            session=session,
            weights=weights or {},
            kinds=as_kinds(kinds),
            where=where,
            fusion=fusion,
            min_relevance=min_relevance,
            order=order,
            reverse=reverse,
            moments=moments,
            explain=explain,
            limit=limit,
            cursor=cursor,
        )
        return self._answer(asked)

    def similar(
        self,
        path: StrPath,
        *,
        liked: StrPath | Sequence[StrPath] = (),
        rejected: StrPath | Sequence[StrPath] = (),
        session: str | None = None,
        kinds: Collection[Kind | str] = (),
        where: str | Condition | None = None,
        min_relevance: float | None = None,
        order: str = "relevance",
        reverse: bool = False,
        moments: int | None = None,
        explain: bool = False,
        limit: int = 10,
        cursor: str | None = None,
    ) -> Answer:
        """Find what resembles a file of the library, or a moment of it, by the vectors that it has already; see `search`.

        Raises:
            BadQuery: The file is not in the library.
        """
        asked = Asked(
            similar_to=Reference.read(path),
            liked=as_references(liked),
            rejected=as_references(rejected),
            session=session,
            kinds=as_kinds(kinds),
            where=where,
            min_relevance=min_relevance,
            order=order,
            reverse=reverse,
            moments=moments,
            explain=explain,
            limit=limit,
            cursor=cursor,
        )
        return self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        watch = Stopwatch()
        return self._asked(lambda engine: engine.answer(asked.query(engine, self.catalog, watch), watch))

    @abstractmethod
    def _asked(self, ask: Callable[[Engine], Answer]) -> Answer:
        """Ask the spaces that serve."""
