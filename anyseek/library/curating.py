"""The half of the door that puts a library in order: duplicates, tags, and what a person writes down."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..storage.catalog import Catalog, SpaceRow
from ..storage.layout import LibraryFolder
from ..types import Kind
from .arguments import StrPath, as_kinds, as_paths

if TYPE_CHECKING:
    from ..duplicates.findings import Duplicates, OnLook, Tier
    from ..filters import Condition
    from ..search.engine import Engine
    from ..storage.space_index import SpaceIndex
    from ..storage.user_metadata import Scalar
    from ..tagging.report import OnTagging, TagOptions, TagReport
    from ..tagging.vocabulary import TagVocabulary

__all__ = ["Curating"]


class Curating:
    """The methods of `anyseek.library.Library` that find duplicates, tag files, and keep what is written down of them."""

    folder: LibraryFolder
    catalog: Catalog

    def duplicates(
        self,
        *,
        tiers: Collection[Tier | str] = ("exact", "near"),
        kinds: Collection[Kind | str] = (),
        where: str | Condition | None = None,
        distance: int | None = None,
        min_similarity: float | None = None,
        on_look: OnLook | None = None,
        stop: threading.Event | None = None,
    ) -> Duplicates:
        """Find files that are the same, nearly the same, or alike; nothing is deleted. See docs/duplicates.md.

        Args:
            tiers: ``exact`` (the same bytes), ``near`` (another size, format or quality, or a part) and ``similar`` (close vectors). Each
                looks at what those before it leave.
            kinds: Only these kinds.
            where: Only files that satisfy a condition.
            distance: Near pictures: how many of the 64 bits of their hashes may differ; 7 unless told.
            min_similarity: Similar files: the least cosine; by what is usual in the library unless told.
            on_look: Told how it goes on.
            stop: Set it, from another thread or a signal handler, to leave off; what was found out is kept.

        Raises:
            BadInput: A tier, kind, condition or number cannot be used.
        """
        from ..duplicates.finder import Finder, Wanted

        wanted = Wanted.of(tiers, as_kinds(kinds), where, distance, min_similarity)
        return Finder(self.catalog, self._open_index, wanted, on_look, stop).find()

    def metadata(self, path: StrPath) -> dict[str, Scalar]:
        """What was written down of a file of the library by `set_metadata`."""
        return self.catalog.user_metadata(self._asset_at(path))

    def set_metadata(self, path: StrPath, changes: Mapping[str, Scalar | None]) -> dict[str, Scalar]:
        """Write down something of a file, to be asked for by ``meta.KEY`` in a filter; the file itself stays as it is.

        Args:
            path: Of the file; a copy of it is another one.
            changes: Texts, numbers or truth values by key; None takes one away. What is not named stays.

        Returns:
            All that is written down of it now.

        Raises:
            BadInput: The file is not in the library, or a key or value cannot be stored.
        """
        with self.catalog.transaction() as writer:
            return writer.put_user_metadata(self._asset_at(path), changes)

    def _asset_at(self, path: StrPath) -> int:
        found = self.catalog.find_asset(Path(path).expanduser())
        if found is None:
            raise BadInput(f"{path} is not in the library at {self.folder.path}: index it first")
        return found.id

    def tag(
        self,
        *paths: StrPath,
        vocabulary: str | TagVocabulary = "builtin",
        options: TagOptions | None = None,
        on_tagging: OnTagging | None = None,
        stop: threading.Event | None = None,
    ) -> TagReport:
        """Tag files with the labels that hold of them, for filters such as ``tag:dog`` to use; see docs/tags.md.

        Args:
            paths: Files and folders of the library; all of it when there are none.
            vocabulary: ``builtin``, or a text file with a label on each line.
            options: How sure tags must be, how many a file may have, and so on.
            on_tagging: Told how many contents are done, and of how many.
            stop: Set it, from another thread or a signal handler, to leave off; what was done is kept.

        Raises:
            BadInput: The vocabulary cannot be used, or the library knows nothing at a path.
            LibraryLocked: Another process is writing to it.
            UnsupportedModality: No model of the library understands text.
        """
        from ..storage.lock import WriterLock
        from ..tagging.report import TagOptions
        from ..tagging.tagger import Tagger
        from ..tagging.vocabulary import TagVocabulary

        options = options or TagOptions()
        labels = TagVocabulary.named(vocabulary) if isinstance(vocabulary, str) else vocabulary
        with nullcontext() if options.dry_run else WriterLock(self.folder, "tagging"):
            engine = self.engine
            tagger = Tagger(self.catalog, engine.spaces, engine.relevance, labels, options, engine.adaptation)
            return tagger.run(as_paths(paths), stop, on_tagging)

    def untag(self, *paths: StrPath, vocabulary: str = "builtin", options: TagOptions | None = None) -> TagReport:
        """Remove the tags by a vocabulary, whatever model they are by; its file need not be there any more.

        Args:
            paths: As for `tag`.
            vocabulary: As for `tag`.
            options: `where` and `dry_run` count.

        Raises:
            BadInput: The library knows nothing at a path.
            LibraryLocked: Another process is writing to it.
        """
        from ..storage.lock import WriterLock
        from ..tagging.removal import remove_tags
        from ..tagging.report import TagOptions

        options = options or TagOptions()
        with nullcontext() if options.dry_run else WriterLock(self.folder, "tagging"):
            return remove_tags(self.catalog, Path(vocabulary).name, as_paths(paths), options)

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """What answers queries on the spaces that serve."""

    @abstractmethod
    def _open_index(self, row: SpaceRow) -> SpaceIndex:
        """Open the index of a space."""
