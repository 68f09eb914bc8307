"""The course of a search: plan, filter, look up, score, merge into moments, group by asset."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence

from ..errors import BadQuery
from ..storage.catalog import Catalog
from ..storage.derived import DerivedArrays
from .bridges import BridgeMethod
from .comparison import Comparison
from .hits import Answer, Hit, hits_of
from .lookup import allowed_in, best_contents, score_contents
from .plan import Plan
from .query import Query, Stored, Vectors
from .relevance import RawCosine, Relevance, StandardScores
from .spaces import SearchSpace
from .texts import OnText
from .timings import Stopwatch
from .vocabulary import Vocabulary

__all__ = ["Answer", "Engine", "Hit"]


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
    """

    def __init__(
        self,
        catalog: Catalog,
        spaces: Sequence[SearchSpace],
        kept: DerivedArrays | None = None,
        *,
        vocabulary: Vocabulary | None = None,
        bridge: BridgeMethod = "ridge",
    ) -> None:
        self.catalog = catalog
        self.spaces = tuple(spaces)
        self._kept = kept
        self._lock = threading.Lock()
        self._comparison = Comparison(catalog, spaces, kept, vocabulary, bridge) if len(self.spaces) > 1 else None

    def prepare(self, on_text: OnText | None = None) -> None:
        """Work out and keep what searches of several spaces need, as far as it is missing or out of date; remove what is not needed.

        The first time encodes the vocabulary in every space, which takes a minute or so with a large model on a CPU.

        Args:
            on_text: Told how far it is.

        Raises:
            StorageFull: The disk is full. Searches will do without.
        """
        needed = self._comparison.prepare(on_text) if self._comparison is not None else []
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
        comparison = self._current()
        backgrounds = None if comparison is None else comparison.backgrounds
        relevance: Relevance = RawCosine() if backgrounds is None else StandardScores(backgrounds)
        with watch.time("lookup"):
            groups = {space.id: allowed_in(self.catalog, space, query, apart=relevance.apart) for space in self.spaces}
        plan = Plan(query, self.spaces, backgrounds, watch)
        probes = plan.probes([space for space in self.spaces if groups[space.id]] or self.spaces)
        contents: dict[int, None] = {}
        for probe in probes:
            for allowed in groups[probe.space.id].values():
                contents |= dict.fromkeys(best_contents(self.catalog, probe, query, allowed, watch))
        scored = score_contents(self.catalog, contents, probes, relevance, watch)
        with watch.time("merge"):
            hits = hits_of(self.catalog, {content: scored[content] for content in contents if content in scored}, query.limit)
        searched = sum(len(ids) for of_space in groups.values() for ids in of_space.values())
        told = [note for probe in probes for note in probe.space.index.notes] + (comparison.texts.notes if comparison else [])
        told += [f"{space.spec} could not be asked itself: {space.lost}" for space in self.spaces if space.lost is not None]
        notes = dict.fromkeys([*told, *plan.notes, *_empty(query.kinds, searched)])
        specs = tuple(space.spec for space in self.spaces)
        return Answer(hits, searched, (time.perf_counter() - started) * 1000, tuple(notes), watch.taken_ms, specs)

    def stored(self, content_id: int, weight: float = 1.0) -> Stored:
        """A content of the library as a part of a query, by its vectors in every space.

        Raises:
            BadQuery: It has none.
        """
        vectors: dict[int, Vectors] = {}
        for space in self.spaces:
            ids, _, segments = self.catalog.embeddings_of([content_id], space.id)
            if len(ids):
                vectors[space.id] = Vectors(self.catalog.vectors(ids), tuple(segment.modality for segment in segments))
        if not vectors:
            specs = " and ".join(space.spec for space in self.spaces)
            raise BadQuery(
                f"there is nothing of this file in {specs}: it could not be indexed (anyseek errors  says why), has nothing that is "
                "understood there, or lacks its vectors (anyseek status  counts such files)"
            )
        return Stored(vectors, weight)

    def _current(self) -> Comparison | None:
        """What the spaces are compared by, read anew where others have prepared the library meanwhile."""
        with self._lock:
            if self._comparison is not None and self._comparison.is_outdated:
                self._comparison = self._comparison.again()
            return self._comparison


def _empty(kinds: Collection[str], searched: int) -> list[str]:
    if searched:
        return []
    named = " or ".join(sorted(kinds))
    return [f"the library holds no {named} yet" if named else "the library is empty: fill it with  anyseek index FOLDER"]
