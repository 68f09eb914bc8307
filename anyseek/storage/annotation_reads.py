"""What the catalog knows of texts about contents: tags, captions and the like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import select

from ..types import Annotation, AnnotationType
from .engine import Database, fetch
from .layout import LibraryFolder
from .models import annotation
from .queries import listed

__all__ = ["AnnotationReads"]


class AnnotationReads:
    """The reading half of `anyseek.storage.catalog.Catalog` that deals with annotations."""

    def __init__(self, folder: LibraryFolder, database: Database) -> None:
        self.folder = folder
        self.database = database

    def annotations(
        self, content_ids: Iterable[int], *, of: AnnotationType | None = None, origin: str | None = None
    ) -> dict[int, list[Annotation]]:
        """The texts about some contents, by content, in order of text and time; contents without any are left out.

        Args:
            content_ids: Of the contents.
            of: Only texts of this type.
            origin: Only what comes from there.
        """
        statement = (
            select(annotation.c.content_id, *_COLUMNS)
            .where(annotation.c.content_id.in_(listed(content_ids)))
            .order_by(annotation.c.content_id, annotation.c.text, annotation.c.start_ms, annotation.c.id)
        )
        if of is not None:
            statement = statement.where(annotation.c.type == of)
        if origin is not None:
            statement = statement.where(annotation.c.origin == origin)
        with self.database.reading() as connection:
            rows = fetch(connection, statement)
        found: dict[int, list[Annotation]] = defaultdict(list)
        for row in rows:
            found[row[0]].append(Annotation(AnnotationType(row[1]), *row[2:]))
        return dict(found)

    def tags_of(self, content_ids: Iterable[int]) -> dict[int, dict[str, float | None]]:
        """The tags of some contents with the highest confidence of each, the surest first; contents without any are left out."""
        tags: dict[int, dict[str, float | None]] = {}
        for content_id, tagged in self.annotations(content_ids, of=AnnotationType.TAG).items():
            surest: dict[str, float] = {}
            for one in tagged:
                surest[one.text] = max(surest.get(one.text, -1.0), -1.0 if one.confidence is None else one.confidence)
            order = sorted(surest, key=lambda text: (-surest[text], text))
            tags[content_id] = {text: None if surest[text] < 0 else surest[text] for text in order}
        return tags

    def annotated_contents(self, of: AnnotationType, origins: Collection[str]) -> list[int]:
        """The contents with annotations of a type from some origins, ascending."""
        statement = (
            select(annotation.c.content_id)
            .where(annotation.c.type == of, annotation.c.origin.in_(sorted(origins)))
            .distinct()
            .order_by(annotation.c.content_id)
        )
        with self.database.reading() as connection:
            return [row[0] for row in fetch(connection, statement)]

    def annotation_origins(self, of: AnnotationType) -> list[str]:
        """Where the annotations of a type come from, each once, in order."""
        statement = select(annotation.c.origin).where(annotation.c.type == of).distinct().order_by(annotation.c.origin)
        with self.database.reading() as connection:
            return [row[0] for row in fetch(connection, statement)]


_COLUMNS = (
    annotation.c.type,
    annotation.c.origin,
    annotation.c.text,
    annotation.c.start_ms,
    annotation.c.end_ms,
    annotation.c.confidence,
)
