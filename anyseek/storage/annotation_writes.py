"""How texts about contents come into the catalog and out of it, inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.sqlite import insert

from ..types import Annotation, AnnotationType
from .models import annotation
from .queries import listed

__all__ = ["AnnotationWrites"]


class AnnotationWrites:
    """The half of `anyseek.storage.writer.Writer` that deals with annotations."""

    _connection: Connection

    def replace_annotations(self, of: AnnotationType, origin: str, found: Mapping[int, Sequence[Annotation]]) -> None:
        """Let some contents have these annotations of one type and origin, and no others of both; those of other origins stay.

        Args:
            of: The type of all of them.
            origin: Of all of them.
            found: By content; a content with none loses those it had.

        Raises:
            ValueError: One of them is of another type or origin.
        """
        rows = []
        for content_id, given in found.items():
            for one in given:
                if (one.type, one.origin) != (of, origin):
                    raise ValueError(f"an annotation of type {one.type} from {one.origin!r} is not one of type {of} from {origin!r}")
                rows.append(
                    {
                        "content_id": content_id,
                        "type": str(of),
                        "origin": origin,
                        "text": one.text,
                        "start_ms": one.start_ms,
                        "end_ms": one.end_ms,
                        "confidence": one.confidence,
                    }
                )
        self.remove_annotations(of, origins=[origin], content_ids=list(found))
        if rows:
            self._connection.execute(insert(annotation), rows)

    def remove_annotations(
        self, of: AnnotationType, *, origins: Collection[str] | None = None, content_ids: Collection[int] | None = None
    ) -> int:
        """Remove annotations of a type.

        Args:
            of: The type of those to remove.
            origins: Only what comes from these; None for all.
            content_ids: Only those of these contents; None for all.

        Returns:
            How many were removed.
        """
        statement = delete(annotation).where(annotation.c.type == of)
        if origins is not None:
            statement = statement.where(annotation.c.origin.in_(sorted(origins)))
        if content_ids is not None:
            statement = statement.where(annotation.c.content_id.in_(listed(content_ids)))
        return self._connection.execute(statement).rowcount
