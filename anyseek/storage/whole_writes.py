"""How vectors that were joined of others leave the catalog, inside one transaction."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from ..types import Modality
from .models import embedding, segment
from .queries import listed

__all__ = ["WholeWrites"]


class WholeWrites:
    """The half of `anyseek.storage.writer.Writer` that deals with what is WHOLE; `add_embeddings` puts it in as it does all others."""

    _connection: Connection

    def drop_wholes(self, space_ids: Collection[int], content_ids: Collection[int] | None = None) -> int:
        """Forget the joined vectors of some spaces; what they were joined of stays.

        Args:
            space_ids: Of these.
            content_ids: Only those of these contents; None for all.

        Returns:
            How many were there.
        """
        wholes = select(segment.c.id).where(segment.c.modality == str(Modality.WHOLE))
        if content_ids is not None:
            wholes = wholes.where(segment.c.content_id.in_(listed(content_ids)))
        gone = delete(embedding).where(embedding.c.space_id.in_(listed(space_ids)), embedding.c.segment_id.in_(wholes))
        dropped = self._connection.execute(gone).rowcount
        if dropped:
            used = select(embedding.c.segment_id).where(embedding.c.segment_id.in_(wholes))
            self._connection.execute(delete(segment).where(segment.c.id.in_(wholes), segment.c.id.not_in(used)))
        return dropped
