"""What makes several spaces comparable: the vocabulary's vectors in each, the bridges between them, and what is chance in each."""

from __future__ import annotations

from collections.abc import Sequence

from ..storage.catalog import Catalog
from ..storage.derived import DerivedArrays
from .backgrounds import Backgrounds
from .bridges import BridgeMethod, Bridges
from .relevance import Relevance, StandardScores
from .spaces import SearchSpace
from .texts import OnText, Texts
from .vocabulary import Vocabulary

__all__ = ["Comparison"]


class Comparison:
    """What searches of several spaces need beside the spaces.

    Args:
        catalog: Of the library.
        spaces: At least two.
        kept: Where the library keeps it; None to work it out when it is needed.
        vocabulary: What the spaces are compared by; the shipped one unless told.
        method: How a query is carried into a space that does not understand it.
    """

    def __init__(
        self,
        catalog: Catalog,
        spaces: Sequence[SearchSpace],
        kept: DerivedArrays | None = None,
        vocabulary: Vocabulary | None = None,
        method: BridgeMethod = "ridge",
    ) -> None:
        self.catalog = catalog
        self.spaces = tuple(spaces)
        self.kept = kept
        self.texts = Texts(vocabulary or Vocabulary.shipped(), kept)
        self.bridges = Bridges(self.texts, kept, method)
        self.backgrounds = Backgrounds(catalog, spaces, self.bridges, kept)
        self.relevance: Relevance = StandardScores(self.backgrounds)

    @property
    def is_outdated(self) -> bool:
        """Whether it made do with less than what has been prepared since."""
        return any(self.texts.has_more(space) for space in self.spaces)

    def again(self) -> Comparison:
        """The same, as it is kept now."""
        return Comparison(self.catalog, self.spaces, self.kept, self.texts.vocabulary, self.bridges.method)

    def prepare(self, on_text: OnText | None = None) -> list[str]:
        """Work all of it out and keep it, as far as it is missing or out of date. Returns the names under which it is kept."""
        names = [self.texts.prepare(space, on_text) for space in self.spaces]
        pairs = [(source, target) for source in self.spaces for target in self.spaces if source is not target]
        names += [self.bridges.prepare(source, target) for source, target in pairs]
        return [*(name for name in names if name is not None), self.backgrounds.prepare()]
