"""The catalog of a library: the truth about its sources, assets, contents, segments and vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.dialects.sqlite import insert

from ..errors import LibraryError, LibraryNotFound
from ..types import Space
from .annotation_reads import AnnotationReads
from .engine import Database, translated
from .feedback_reads import FeedbackReads
from .layout import LibraryFolder
from .migrate import ensure_schema
from .models import source
from .roots import stored_root
from .rows import (
    AssetRow,
    ContentInfo,
    ContentRow,
    Counts,
    EmbeddingState,
    FailureRow,
    FeedbackRow,
    LocatedAsset,
    Purged,
    QueryKey,
    QueryKind,
    SegmentRow,
    SourceRow,
    SpaceCounts,
    SpaceRow,
    SpaceState,
    Verdict,
)
from .vector_reads import VectorReads
from .writer import Writer

__all__ = [
    "AssetRow",
    "Catalog",
    "ContentInfo",
    "ContentRow",
    "Counts",
    "EmbeddingState",
    "FailureRow",
    "FeedbackRow",
    "LocatedAsset",
    "Purged",
    "QueryKey",
    "QueryKind",
    "SegmentRow",
    "SourceRow",
    "SpaceCounts",
    "SpaceRow",
    "SpaceState",
    "Verdict",
    "Writer",
]


class Catalog(FeedbackReads, VectorReads, AnnotationReads):
    """One open catalog. Any number of threads may read it; writing is by `transaction`, one at a time.

    Attributes:
        folder: Where it lies.
    """

    def __init__(self, folder: LibraryFolder, database: Database) -> None:
        FeedbackReads.__init__(self, folder, database)
        VectorReads.__init__(self, folder, database)
        AnnotationReads.__init__(self, folder, database)

    @classmethod
    def create(cls, folder: LibraryFolder) -> Catalog:
        """Open the catalog of a library, and make both if they are not there yet."""
        with translated(folder.catalog):
            try:
                folder.path.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError, PermissionError) as error:
                raise LibraryError(
                    f"no library can be made at {folder.path} ({error.strerror}): name another folder with --library"
                ) from error
        ensure_schema(folder)
        return cls(folder, Database(folder.catalog))

    @classmethod
    def open(cls, folder: LibraryFolder, *, readonly: bool = False) -> Catalog:
        """Open the catalog of a library.

        Args:
            folder: Where it lies.
            readonly: Write nothing, so that a library on a read-only medium can be searched.

        Raises:
            LibraryNotFound: There is none.
            LibraryTooNew: A newer anyseek has written it.
            LibraryDamaged: It is no catalog, or a broken one.
        """
        if not folder.exists:
            raise LibraryNotFound(folder.path)
        ensure_schema(folder, readonly=readonly)
        return cls(folder, Database(folder.catalog, readonly=readonly))

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def version(self) -> int:
        """A number that changes whenever anybody has committed to the catalog; costs microseconds."""
        return self.database.version()

    def add_space(self, wanted: Space, state: SpaceState) -> SpaceRow:
        """Make a space known, by itself; see `Writer.add_space`."""
        with self.transaction() as writer:
            return writer.add_space(wanted, state)

    def source_for(self, root: Path) -> SourceRow:
        """The source whose root is a folder, made if it is new."""
        root = root.resolve()
        with self.database.writing() as connection:
            for known in self._sources(connection):
                if known.root == root:
                    return known
            row = connection.execute(insert(source).values(root=stored_root(self.folder, root)).returning(source.c.id)).scalar_one()
            return SourceRow(row, root)

    def compact(self) -> bool:
        """Give the room of what was deleted back to the disk. It takes as much room meanwhile, and waits for nobody.

        Returns:
            Whether it was done; not where others are reading or the disk is too full, which loses nothing.
        """
        return self.database.compact()

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        """Change the catalog: all that is done inside is stored when the block ends, and nothing if it raises."""
        with self.database.writing() as connection:
            yield Writer(connection)
