"""What the catalog knows of segments and their vectors."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import Executable, func, select

from ..filters import Condition
from ..filters.condition import checked
from ..types import Kind, Modality, Segment
from .engine import Database, fetch
from .filtering import contents_where, needs_roots
from .kept_ids import KeptIds
from .layout import LibraryFolder
from .models import content, embedding, path_from_bytes, segment, source, space
from .queries import has_live_asset, listed, segment_from
from .roots import absolute_root
from .rows import EmbeddingState, SegmentRow

__all__ = ["HALF", "Ids", "VectorReads", "sound_vectors"]

HALF = np.dtype("<f2")

Ids = npt.NDArray[np.int64]
KEPT_BYTES = 64 << 20


class VectorReads:
    """The reading half of `anyseek.storage.catalog.Catalog` that deals with embeddings."""

    def __init__(self, folder: LibraryFolder, database: Database) -> None:
        self.folder = folder
        self.database = database
        self._live = KeptIds(KEPT_BYTES)
        self._live_version = -1
        self._live_lock = threading.Lock()

    def live_embeddings(
        self,
        space_id: int,
        *,
        kinds: Collection[Kind] | None = None,
        modalities: Collection[Modality] | None = None,
        where: Condition | None = None,
    ) -> Ids:
        """The embeddings that may be shown: their content lies in at least one indexed asset, and in one that satisfies the condition.

        The answer is kept until anybody commits to the catalog, so that asking again for each search costs next to nothing.

        Args:
            space_id: The space searched.
            kinds: Only contents of these; none of them if empty.
            modalities: Only segments of these; none of them if empty.
            where: Only contents of assets that satisfy this.

        Returns:
            Their ids, ascending; not to be written to.

        Raises:
            BadFilter: The condition is too large.
        """
        where = None if where is None else checked(where)
        key = (space_id, None if kinds is None else frozenset(kinds), None if modalities is None else frozenset(modalities), where)
        with self._live_lock:
            version = self.database.version()
            if version != self._live_version:
                self._live.clear()
                self._live_version = version
            ids = self._live.get(key)
            if ids is None:
                ids = self._read_live(*key)
                self._live.keep(key, ids)
            return ids

    def forget_live(self) -> None:
        """Let the next answer of `live_embeddings` be found anew."""
        with self._live_lock:
            self._live.clear()

    def _read_live(
        self, space_id: int, kinds: frozenset[Kind] | None, modalities: frozenset[Modality] | None, where: Condition | None
    ) -> Ids:
        if kinds is None and where is None:
            statement = (
                select(embedding.c.id).join(segment, segment.c.id == embedding.c.segment_id).where(has_live_asset(segment.c.content_id))
            )
        else:  # from the contents that are left to their embeddings, for these are few as a rule
            found = contents_where(where, {} if where is None else self._roots(where), kinds).distinct().subquery()
            places = found.join(segment, segment.c.content_id == found.c.content_id).join(embedding, embedding.c.segment_id == segment.c.id)
            statement = select(embedding.c.id).select_from(places)
        statement = statement.where(embedding.c.space_id == space_id)
        if modalities is not None:
            statement = statement.where(segment.c.modality.in_(sorted(modalities)))
        ids = self._ids(statement)
        ids.sort()
        ids.flags.writeable = False
        return ids

    def _roots(self, where: Condition) -> dict[int, Path]:
        if not needs_roots(where):
            return {}
        with self.database.reading() as connection:
            return {
                id_: absolute_root(self.folder, path_from_bytes(root))
                for id_, root in fetch(connection, select(source.c.id, source.c.root))
            }

    def embedding_ids(self, space_id: int) -> Ids:
        """All embeddings of a space, ascending, live or not."""
        return self._ids(select(embedding.c.id).where(embedding.c.space_id == space_id).order_by(embedding.c.id))

    def embedding_state(self, space_id: int, *, after_id: int = 0) -> EmbeddingState:
        """Count the embeddings of a space, or those beyond an id; equal states mean equal sets."""
        statement = select(func.count(), func.coalesce(func.max(embedding.c.id), 0)).where(
            embedding.c.space_id == space_id, embedding.c.id > after_id
        )
        with self.database.reading() as connection:
            return EmbeddingState(*fetch(connection, statement)[0])

    def segments_of(self, embedding_ids: Iterable[int]) -> list[SegmentRow]:
        """What some embeddings stand for, in the order asked for; those that are gone are left out."""
        wanted = [int(id_) for id_ in embedding_ids]
        statement = (
            select(embedding.c.id, segment.c.content_id, content.c.kind, *_SEGMENT)
            .join(segment, segment.c.id == embedding.c.segment_id)
            .join(content, content.c.id == segment.c.content_id)
            .where(embedding.c.id.in_(listed(wanted)))
        )
        with self.database.reading() as connection:
            found = {row[0]: SegmentRow(row[0], row[1], Kind(row[2]), segment_from(*row[3:])) for row in fetch(connection, statement)}
        return [found[id_] for id_ in wanted if id_ in found]

    def embeddings_of(self, content_ids: Iterable[int], space_id: int) -> tuple[Ids, Ids, list[Segment]]:
        """The embeddings of some contents.

        Returns:
            Their ids, ascending, and beside each its content's id and its segment.
        """
        statement = (
            select(embedding.c.id, segment.c.content_id, *_SEGMENT)
            .join(segment, segment.c.id == embedding.c.segment_id)
            .where(segment.c.content_id.in_(listed(content_ids)), embedding.c.space_id == space_id)
            .order_by(embedding.c.id)
        )
        with self.database.reading() as connection:
            rows = fetch(connection, statement)
        ids = np.array([(row[0], row[1]) for row in rows], np.int64).reshape(-1, 2)
        return ids[:, 0].copy(), ids[:, 1].copy(), [segment_from(*row[2:]) for row in rows]

    def vectors(self, embedding_ids: Iterable[int]) -> npt.NDArray[np.float32]:
        """The vectors of some embeddings of one space.

        Returns:
            (n, dim) float32 in the order asked for.

        Raises:
            LookupError: One of them is gone.
        """
        wanted = [int(id_) for id_ in embedding_ids]
        statement = select(embedding.c.id, embedding.c.vector).where(embedding.c.id.in_(listed(wanted)))
        with self.database.reading() as connection:
            found = dict(fetch(connection, statement))
        missing = next((id_ for id_ in wanted if id_ not in found), None)
        if missing is not None:
            raise LookupError(f"there is no embedding {missing}")
        if not wanted:
            return np.empty((0, 0), np.float32)
        return np.stack([np.frombuffer(found[id_], HALF) for id_ in wanted]).astype(np.float32)

    def iter_vectors(self, space_id: int, *, after_id: int = 0, chunk: int = 20_000) -> Iterator[tuple[Ids, npt.NDArray[np.float16]]]:
        """Read all vectors of a space beyond an id, in ascending order of their ids.

        Vectors that are damaged (not of the space's length, not finite) are left out; `anyseek doctor` finds and replaces them.

        Yields:
            Ids (n,) and vectors (n, dim) as they are stored.
        """
        dim = self._dim(space_id)
        while True:
            statement = (
                select(embedding.c.id, embedding.c.vector)
                .where(embedding.c.space_id == space_id, embedding.c.id > after_id)
                .order_by(embedding.c.id)
                .limit(chunk)
            )
            with self.database.reading() as connection:
                rows = fetch(connection, statement)
            if not rows:
                return
            after_id = rows[-1][0]
            ids, vectors = sound_vectors(rows, dim)
            if len(ids):
                yield ids, vectors

    def _dim(self, space_id: int) -> int:
        with self.database.reading() as connection:
            return int(connection.execute(select(space.c.dim).where(space.c.id == space_id)).scalar_one())

    def _ids(self, statement: Executable) -> Ids:
        with self.database.reading() as connection:
            rows = fetch(connection, statement)
        return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def sound_vectors(rows: list[tuple[int, bytes]], dim: int) -> tuple[Ids, npt.NDArray[np.float16]]:
    """Make arrays of ids and BLOBs, without the rows that no search could use."""
    rows = [row for row in rows if len(row[1]) == dim * HALF.itemsize]
    ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    vectors = np.frombuffer(b"".join(row[1] for row in rows), HALF).reshape(-1, dim)
    finite = np.isfinite(vectors).all(axis=1)
    return (ids, vectors) if finite.all() else (ids[finite], vectors[finite])


_SEGMENT = (segment.c.modality, segment.c.start_ms, segment.c.end_ms, segment.c.frame_ms)
