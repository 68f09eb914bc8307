"""What makes the scores of a library: the reference captions' vectors in each space, what is chance there, and ways between spaces."""

from __future__ import annotations

from collections.abc import Sequence

from ..storage.catalog import Catalog
from ..storage.derived import DerivedArrays
from .adaptation import Adaptation, Adapted
from .backgrounds import Backgrounds
from .bridges import BridgeMethod, Bridges
from .calibrations import Calibrations
from .hubs import Hubs
from .relevance import Calibrated, Relevance
from .spaces import SearchSpace
from .texts import OnText, Texts
from .vocabulary import CAPTIONS, Vocabulary

__all__ = ["Comparison"]


class Comparison:
    """What searches need beside the spaces.

    Args:
        catalog: Of the library.
        spaces: One or more.
        kept: Where the library keeps it; None to work it out when it is needed.
        vocabulary: The reference captions; the library's own unless told, and the shipped ones where it has none.
        method: How a query is carried into a space that does not understand it.
        adapted: The adapters that queries go through.
    """

    def __init__(
        self,
        catalog: Catalog,
        spaces: Sequence[SearchSpace],
        kept: DerivedArrays | None = None,
        vocabulary: Vocabulary | None = None,
        method: BridgeMethod = "ridge",
        adapted: Adapted = True,
    ) -> None:
        self.catalog = catalog
        self.spaces = tuple(spaces)
        self.kept = kept
        self._given = vocabulary
        self._own = None if vocabulary is not None else catalog.setting(CAPTIONS)
        self.adaptation = Adaptation(catalog, spaces, adapted)
        self.texts = Texts(vocabulary or Vocabulary.kept(self._own), kept, self.adaptation)
        self.bridges = Bridges(self.texts, kept, method)
        self.calibrations = Calibrations(catalog, spaces, self.texts.vocabulary.digest)
        self.hubs = Hubs(catalog, self.texts, self.calibrations, kept)
        self.backgrounds = Backgrounds(catalog, spaces, self.bridges, self.hubs, kept)
        self.relevance: Relevance = Calibrated(self.backgrounds, self.hubs, self.calibrations)

    @property
    def is_outdated(self) -> bool:
        """Whether it made do with less than what has been prepared since, or something else was chosen."""
        if self.adaptation.is_outdated or self.calibrations.is_outdated or any(self.texts.has_more(space) for space in self.spaces):
            return True
        return self._given is None and self.catalog.setting(CAPTIONS) != self._own

    def again(self) -> Comparison:
        """The same, as it is kept now."""
        return Comparison(self.catalog, self.spaces, self.kept, self._given, self.bridges.method, self.adaptation.adapted)

    def prepare(self, on_text: OnText | None = None) -> list[str]:
        """Work all of it out and keep it, as far as it is missing or out of date. Returns the names under which it is kept."""
        names = [self.texts.prepare(space, on_text) for space in self.spaces]
        names += [self.texts.name_of_origin(space) for space in self.spaces]
        pairs = [(source, target) for source in self.spaces for target in self.spaces if source is not target]
        names += [self.bridges.prepare(source, target) for source, target in pairs]
        names += [self.hubs.prepare(space) for space in self.spaces]
        return [*(name for name in names if name is not None), self.backgrounds.prepare()]
