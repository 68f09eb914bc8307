"""The course of a search: plan, filter, look up, score, merge into moments, group by asset, order, page."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import BadQuery
from ..fusion.early import EarlyFusion
from ..fusion.named import Trained
from ..storage.catalog import Catalog
from ..storage.derived import DerivedArrays
from ..types import Modality, Segment
from .adaptation import Adaptation, Adapted
from .bridges import BridgeMethod
from .candidates import Candidates, Question
from .comparison import Comparison
from .hits import Answer, Hit, hits_of, tagged
from .lookup import allowed_in
from .paging import Ordered, Page
from .plan import Plan
from .query import Query, Stored, Vectors
from .refinement import Refiner
from .relevance import PlainCosine, Relevance, log_odds, relevance_of
from .spaces import SearchSpace
from .texts import OnText
from .timings import Stopwatch
from .vocabulary import Vocabulary

__all__ = ["Answer", "Engine", "Hit"]

MOST_CONTENTS = 10_000


class Engine:
    """Answers queries on the spaces of a library.

    It may be kept and used from several threads: a server makes one, and what the first queries have loaded (encoders, indexes, bridges)
    serves all later ones. It catches up by itself with what is written to the catalog; the spaces themselves are those it was made with.

    Args:
        catalog: Of the library.
        spaces: Those that serve, in the order in which bridges are to leave from them.
        kept: Where the library keeps what `prepare` has worked out; None to work it out when it is needed.
        vocabulary: What several spaces are compared by; the shipped one unless told.
        bridge: How a query is carried into a space that does not understand it.
        calibrated: Whether scores are calibrated; else hits are ranked by their cosines, whatever they are of.
        adapted: Whether queries go through the adapters that are switched on, or some adapters in their stead.
    """

    def __init__(
        self,
        catalog: Catalog,
        spaces: Sequence[SearchSpace],
        kept: DerivedArrays | None = None,
        *,
        vocabulary: Vocabulary | None = None,
        bridge: BridgeMethod = "ridge",
        calibrated: bool = True,
        adapted: Adapted = True,
    ) -> None:
        self.catalog = catalog
        self.spaces = tuple(spaces)
        self.calibrated = calibrated
        self._kept = kept
        self._lock = threading.Lock()
        self._comparison = Comparison(catalog, spaces, kept, vocabulary, bridge, adapted)

    @property
    def is_prepared(self) -> bool:
        """Whether the library keeps all that searches need, of this space, these captions and calibrations; not told of several spaces."""
        return len(self.spaces) == 1 and self._current().backgrounds.is_kept

    def prepare(self, on_text: OnText | None = None) -> None:
        """Work out and keep what searches need beside the vectors, as far as it is missing or out of date; remove what is not needed.

        The first time encodes the vocabulary in every space, which takes a minute or two with a large model on a CPU.

        Args:
            on_text: Told how far it is.

        Raises:
            StorageFull: The disk is full. Searches will do without.
        """
        needed = self._current().prepare(on_text)
        if self._kept is not None:
            self._kept.forget_others(needed)

    def answer(self, query: Query, watch: Stopwatch | None = None) -> Answer:
        """Run the plan.

        Args:
            query: What is asked.
            watch: Counts the time; give one that has counted what came before.

        Raises:
            BadQuery: The query cannot be asked.
            UnsupportedModality: No space takes a part of it.
        """
        started = time.perf_counter()
        watch = watch or Stopwatch()
        ordered = Ordered(query)
        comparison = self._current()
        relevance = self._relevance_of(comparison)
        with watch.time("lookup"):
            allowed = {space.id: allowed_in(self.catalog, space, query) for space in self.spaces}
        refine = Refiner(self.catalog, query, allowed, relevance, watch)
        searched_in = [space for space in self.spaces if allowed[space.id]] or self.spaces
        questions, notes = self._questions(query, comparison, searched_in, refine, watch)
        candidates = Candidates(self.catalog, query, questions, allowed, relevance, watch)
        away = all(part.weight < 0 for part in query.counted)  # then nothing is meant, and what is furthest from it is the answer
        usual = 0.0 if away else relevance.cut
        cut = usual if query.min_relevance is None else query.min_relevance
        page = self._page(candidates, query, ordered, cut, watch)
        searched = sum(len(ids) for of_space in allowed.values() for ids in of_space.values())
        probed = {probe.space.id: probe.space for question in questions for probe in question.probes}
        told = [note for space in probed.values() for note in space.index.notes] + comparison.texts.notes + comparison.adaptation.notes
        told += [f"{space.spec} could not be asked itself: {space.lost}" for space in self.spaces if space.lost is not None]
        told += [*notes, *query.refinement.notes, *page.notes, *self._why_empty(query, searched)]
        specs = tuple(space.spec for space in self.spaces)
        taken = (time.perf_counter() - started) * 1000
        return Answer(tagged(self.catalog, page.hits), searched, taken, tuple(dict.fromkeys(told)), watch.taken_ms, specs, cut, page.cursor)

    def _questions(
        self, query: Query, comparison: Comparison, searched: Sequence[SearchSpace], refine: Refiner, watch: Stopwatch
    ) -> tuple[list[Question], list[str]]:
        """What is looked up: all parts as one, each by itself, or both; the parts come last, in their order.

        What ranks is refined by earlier answers; what only says how relevant the best is, or pushes away, is not.
        """
        parts, wanted = query.counted, [part.weight for part in query.counted if part.weight > 0]
        early = query.fusion if isinstance(query.fusion, EarlyFusion) else None
        plan = Plan(parts, self.spaces, searched, comparison.backgrounds, watch, early)
        if len(parts) == 1 or (early is not None and not (early.with_parts and wanted)):
            return [Question(1.0, refine(plan.together()))], plan.notes
        if not wanted:
            raise BadQuery(f"{query.fusion.name} has nothing to rank when all parts push away: give one a weight above 0, or use mean")
        joined = [Question(max(wanted), refine(plan.together()))] if early is not None and len(wanted) > 1 else []
        alone = [plan.alone(number) for number in range(len(parts))]
        by_parts = [
            Question(part.weight, tuple(probes) if joined or part.weight < 0 else refine(probes))
            for part, probes in zip(parts, alone, strict=True)
        ]
        return [*joined, *by_parts], plan.notes

    def _page(self, candidates: Candidates, query: Query, ordered: Ordered, cut: float, watch: Stopwatch) -> Page:
        """Reach further until no content that was not looked at can change the page."""
        least = float(log_odds(np.array(cut))) if cut > 0 else -math.inf
        count = query.limit + 1
        while True:
            candidates.reach(count)
            with watch.time("merge"):
                found = candidates.best()
                relevant = [candidate for candidate in found if candidate.score >= least]
                complete = candidates.bound < least or candidates.bound == -math.inf
                bound = -math.inf if complete or count >= MOST_CONTENTS else candidates.bound
                page = ordered.page(hits_of(self.catalog, relevant, query, least, candidates.relevance.tolerance), bound)
            if complete or count >= MOST_CONTENTS or page is not None:
                break
            count *= 4
        assert page is not None  # without a bound there always is one
        notes = []
        if not complete and query.order != "relevance":
            notes.append(
                f"only the {MOST_CONTENTS:,} most relevant files of each sort were put in order: filter, or ask for more relevance"
            )
        if not found and candidates.allowed and query.without:
            notes.append("there is nothing else to compare it with")
        if found and not relevant:
            best = relevance_of(max(candidate.score for candidate in found))
            notes.append(
                f"nothing relevant: the likeliest has a relevance of {best:.2f}, and less than {cut:.2f} is not shown "
                "(--all, or min_relevance=0, shows it)"
            )
        return replace(page, notes=tuple(notes))

    def stored(
        self, content_id: int, weight: float = 1.0, *, start_ms: int | None = None, end_ms: int | None = None, label: str = ""
    ) -> Stored:
        """A content of the library, or a stretch of it, as a part of a query, by its vectors in every space.

        Those that were joined of others (WHOLE) are left out: the query joins its parts itself.

        Args:
            content_id: Of the content.
            weight: How much it counts.
            start_ms: Only what is seen or heard from here on; None for the whole.
            end_ms: Only what is seen or heard before; None for the instant `start_ms`.
            label: What the part is called in an explanation.

        Raises:
            BadQuery: It has none, or none there.
        """
        vectors: dict[int, Vectors] = {}
        any_at_all = False
        for space in self.spaces:
            ids, _, segments = self.catalog.embeddings_of([content_id], space.id)
            any_at_all = any_at_all or len(ids) > 0
            within = [segment.modality is not Modality.WHOLE and _lies_within(segment, start_ms, end_ms) for segment in segments]
            if any(within):
                modalities = tuple(segment.modality for segment, chosen in zip(segments, within, strict=True) if chosen)
                chosen_ids = ids[np.array(within)]
                vectors[space.id] = Vectors(self.catalog.vectors(chosen_ids), modalities, chosen_ids)
        if any_at_all and not vectors:
            raise BadQuery(f"{label or 'the file'}: there is nothing of the file at that time: choose a time within it")
        if not vectors:
            specs = " and ".join(space.spec for space in self.spaces)
            raise BadQuery(
                f"there is nothing of this file in {specs}: it could not be indexed (anyseek errors  says why), has nothing that is "
                "understood there, or lacks its vectors (anyseek status  counts such files)"
            )
        return Stored(vectors, weight, label)

    @property
    def trained(self) -> Trained:
        """The trained fusions that are switched on, as they are switched now."""
        return self._current().adaptation.trained

    @property
    def adaptation(self) -> Adaptation:
        """The adapters that queries go through, as they are switched now."""
        return self._current().adaptation

    @property
    def relevance(self) -> Relevance:
        """What makes scores of cosines, as the library was last prepared."""
        return self._relevance_of(self._current())

    def _relevance_of(self, comparison: Comparison) -> Relevance:
        return comparison.relevance if self.calibrated else PlainCosine()

    def _current(self) -> Comparison:
        """What the spaces are compared by, read anew where others have prepared the library meanwhile."""
        with self._lock:
            if self._comparison.is_outdated:
                self._comparison = self._comparison.again()
            return self._comparison

    def _why_empty(self, query: Query, searched: int) -> list[str]:
        if searched:
            return []
        named = " or ".join(sorted(query.kinds))
        if any(len(self.catalog.live_embeddings(space.id, kinds=query.kinds or None)) for space in self.spaces):
            return [f"no {named or 'file'} in the library satisfies  {query.where}"]
        return [f"the library holds no {named} yet" if named else "the library is empty: fill it with  anyseek index FOLDER"]


def _lies_within(segment: Segment, start_ms: int | None, end_ms: int | None) -> bool:
    if start_ms is None:
        return True
    return segment.start_ms <= start_ms < segment.end_ms if end_ms is None else segment.start_ms < end_ms and start_ms < segment.end_ms
