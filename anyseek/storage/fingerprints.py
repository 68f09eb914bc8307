"""What the catalog knows for telling duplicates: which contents lie at some place, and the fingerprints of those that were taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import func, select

from ..filters import Condition
from ..types import Kind
from .catalog import Catalog
from .engine import fetch
from .filtering import satisfies
from .lock import WriterLock
from .models import asset, content, path_from_bytes
from .queries import listed

__all__ = ["Fingerprints", "LiveContent"]


class LiveContent(NamedTuple):
    """A content that lies at some place, with what tells the better of two copies.

    Attributes:
        captured_at: ISO 8601, as the file says; None where it says nothing.
        camera: As the file says.
        places: How many assets have it.
        oldest_ns: When the oldest of them was last changed.
        path: The first of their paths, each relative to its source.
    """

    id: int
    kind: Kind
    size: int
    width: int | None
    height: int | None
    duration_ms: int | None
    captured_at: str | None
    captured_origin: str | None
    camera: str | None
    places: int
    oldest_ns: int
    path: str

    @property
    def pixels(self) -> int:
        """Of the picture, or of a frame; 0 for sounds."""
        return (self.width or 0) * (self.height or 0)


class Fingerprints:
    """The fingerprints in a catalog. A content's bytes never change, and so does not what is stored for them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    @property
    def readonly(self) -> bool:
        """Whether nothing can be stored."""
        return self.catalog.database.readonly

    def contents(self, kinds: Collection[Kind] = (), where: Condition | None = None) -> list[LiveContent]:
        """All contents that lie at some place and are of one of some kinds, or of any when none is named.

        Args:
            kinds: Only these.
            where: Only assets that satisfy this count, for `places`, too.
        """
        statement = (
            select(*_COLUMNS, func.count(), func.min(asset.c.mtime_ns), func.min(asset.c.path))
            .join(asset, asset.c.content_id == content.c.id)
            .where(asset.c.state == "indexed", content.c.kind.is_not(None))
            .group_by(content.c.id)
            .order_by(content.c.id)
        )
        if kinds:
            statement = statement.where(content.c.kind.in_(sorted(kinds)))
        if where is not None:
            statement = statement.where(satisfies(where, {source.id: source.root for source in self.catalog.sources()}))
        with self.catalog.database.reading() as connection:
            rows = fetch(connection, statement)
        return [LiveContent._make((row[0], Kind(row[1]), *row[2:-1], path_from_bytes(row[-1]))) for row in rows]

    def read(self, content_ids: Iterable[int], version: int) -> dict[int, bytes]:
        """The fingerprints that were taken of some contents, by id; those of another version are left out."""
        statement = select(content.c.id, content.c.perceptual_hash).where(
            content.c.id.in_(listed(content_ids)), content.c.perceptual_hash.is_not(None)
        )
        with self.catalog.database.reading() as connection:
            return {id_: stored for id_, stored in fetch(connection, statement) if stored[:1] == bytes([version])}

    def store(self, taken: Mapping[int, bytes]) -> None:
        """Store fingerprints by the id of their content, all of them or none.

        Raises:
            LibraryLocked: Another process is writing to the library.
            StorageFull: The disk is full.
        """
        with WriterLock(self.catalog.folder, "looking for duplicates"), self.catalog.database.writing() as connection:
            connection.exec_driver_sql(
                "UPDATE content SET perceptual_hash = ? WHERE id = ?", [(stored, id_) for id_, stored in taken.items()]
            )


_COLUMNS = (
    content.c.id,
    content.c.kind,
    content.c.size,
    content.c.width,
    content.c.height,
    content.c.duration_ms,
    content.c.captured_at,
    content.c.captured_origin,
    content.c.camera,
)
