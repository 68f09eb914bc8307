"""The course of a search: plan, filter, look up, score, merge into moments, group by asset."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence

from ..errors import BadQuery
from ..storage.catalog import Catalog
from ..storage.derived import DerivedArrays
from .backgrounds import Backgrounds
from .bridges import BridgeMethod, Bridges
from .hits import Answer, Hit, hits_of
from .lookup import allowed_in, best_contents, score_contents
from .plan import Plan
from .query import Query, Stored, Vectors
from .relevance import RawCosine, Relevance, StandardScores
from .spaces import SearchSpace
from .texts import OnText, Texts
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
        self._texts: Texts | None = None
        self._backgrounds: Backgrounds | None = None
        self.relevance: Relevance = RawCosine()
        if len(self.spaces) > 1:
            self._texts = Texts(vocabulary or Vocabulary.shipped(), kept)
            self._backgrounds = Backgrounds(catalog, self.spaces, Bridges(self._texts, kept, bridge), kept)
            self.relevance = StandardScores(self._backgrounds)

    def prepare(self, on_text: OnText | None = None) -> None:
        """Work out and keep what searches of several spaces need, as far as it is missing or out of date; remove what is not needed.

        The first time encodes the vocabulary in every space, which takes a minute or so with a large model on a CPU.

        Args:
            on_text: Told how far it is.

        Raises:
            StorageFull: The disk is full. Searches will do without.
        """
        needed: list[str | None] = []
        if self._texts is not None and self._backgrounds is not None:
            needed += [self._texts.prepare(space, on_text) for space in self.spaces]
            pairs = [(source, target) for source in self.spaces for target in self.spaces if source is not target]
            needed += [self._backgrounds.bridges.prepare(source, target) for source, target in pairs]
            needed.append(self._backgrounds.prepare())
        if self._kept is not None:
            self._kept.forget_others([name for name in needed if name is not None])

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
        with watch.time("lookup"):
            groups = {space.id: allowed_in(self.catalog, space, query, apart=self.relevance.apart) for space in self.spaces}
        plan = Plan(query, self.spaces, self._backgrounds, watch)
        probes = plan.probes([space for space in self.spaces if groups[space.id]] or self.spaces)
        contents: dict[int, None] = {}
        for probe in probes:
            for allowed in groups[probe.space.id].values():
                contents |= dict.fromkeys(best_contents(self.catalog, probe, query, allowed, watch))
        scored = score_contents(self.catalog, contents, probes, self.relevance, watch)
        with watch.time("merge"):
            hits = hits_of(self.catalog, {content: scored[content] for content in contents if content in scored}, query.limit)
        searched = sum(len(ids) for of_space in groups.values() for ids in of_space.values())
        notes = dict.fromkeys([*self._notes(probe.space for probe in probes), *plan.notes, *_empty(query.kinds, searched)])
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
            raise BadQuery("nothing is known that could resemble this file, for it could not be indexed:  anyseek errors  says why")
        return Stored(vectors, weight)

    def _notes(self, spaces: Iterable[SearchSpace]) -> list[str]:
        notes = [note for space in spaces for note in space.index.notes]
        return notes + (self._texts.notes if self._texts is not None else [])


def _empty(kinds: Collection[str], searched: int) -> list[str]:
    if searched:
        return []
    named = " or ".join(sorted(kinds))
    return [f"the library holds no {named} yet" if named else "the library is empty: fill it with  anyseek index FOLDER"]
