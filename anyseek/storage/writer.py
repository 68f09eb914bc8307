"""Everything that changes the catalog while a library is indexed. All of it happens inside one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, bindparam, case, delete, literal, select, update
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert

from ..types import Kind, MediaInfo, Modality, Segment, Space
from . import user_metadata
from .annotation_writes import AnnotationWrites
from .feedback_writes import FeedbackWrites
from .models import NO_FRAME, asset, content, coverage, embedding, segment, setting, source, space
from .queries import listed, spaces_in
from .rows import Purged, SourceRow, SpaceRow, SpaceState
from .vector_reads import HALF
from .whole_writes import WholeWrites

__all__ = ["Derive", "Writer"]

DERIVED_ROWS = 5_000

Derive = Callable[[np.ndarray, Modality], np.ndarray]
"""What `Writer.derive_space` makes vectors by."""


class Writer(AnnotationWrites, FeedbackWrites, WholeWrites):
    """One transaction's hand on the catalog; from `Catalog.transaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dims: dict[int, int] = {}

    def put_asset(self, source_id: int, path: str, size: int, mtime_ns: int, content_id: int) -> int:
        """Say that a content lies at a path; whatever was there before, or failed there, is forgotten.

        Returns:
            The asset's id, which is that of any asset that was ever at that path.
        """
        return self._upsert_asset(source_id, path, size=size, mtime_ns=mtime_ns, content_id=content_id, state="indexed")

    def fail_asset(self, source_id: int, path: str, size: int, mtime_ns: int, code: str, reason: str, content_id: int | None = None) -> int:
        """Say that what lies at a path cannot be used, and why; `content_id` where its bytes are known."""
        return self._upsert_asset(
            source_id,
            path,
            size=size,
            mtime_ns=mtime_ns,
            content_id=content_id,
            state="failed",
            failure_code=str(code),
            failure_reason=reason,
        )

    def move_asset(self, asset_id: int, source_id: int, path: str, size: int, mtime_ns: int) -> None:
        """Say that an asset lies at another path now. It keeps its id, its content and the user's metadata.

        An asset that was at that path changes places with it and counts as deleted until it is put or moved in its turn, so that
        two files that swap their names do so in two calls.
        """
        now = _now()
        here = select(asset.c.source_id, asset.c.path).where(asset.c.id == asset_id)
        old = self._connection.execute(here).one()
        other = self._connection.execute(
            select(asset.c.id, asset.c.state).where(asset.c.source_id == source_id, asset.c.path == path, asset.c.id != asset_id)
        ).one_or_none()
        if other is not None:  # a path no file can have holds its place meanwhile
            self._update_asset(other.id, source_id=old.source_id, path=f"\0{other.id}")
        self._update_asset(
            asset_id,
            source_id=source_id,
            path=path,
            size=size,
            mtime_ns=mtime_ns,
            state="indexed",
            state_since=_since("indexed", now),
            failure_code=None,
            failure_reason=None,
        )
        if other is not None:
            self._update_asset(other.id, path=old.path, state="deleted", state_since=_since("deleted", now))

    def put_user_metadata(self, asset_id: int, changes: Mapping[str, user_metadata.Scalar | None]) -> dict[str, user_metadata.Scalar]:
        """Write down what the owner says of an asset; what is not named stays.

        Args:
            asset_id: Of the asset.
            changes: Values by key; None takes one away.

        Returns:
            All that is written down of it now.

        Raises:
            BadInput: A key or value cannot be stored.
        """
        stored = self._connection.execute(select(asset.c.user_metadata).where(asset.c.id == asset_id)).scalar()
        values = user_metadata.changed(user_metadata.read(stored), changes)
        self._update_asset(asset_id, user_metadata=user_metadata.written(values))
        return values

    def delete_assets(self, asset_ids: Iterable[int]) -> None:
        """Mark assets whose files are gone. They leave the results at once; `purge` removes their rows."""
        self._connection.execute(
            update(asset).where(asset.c.id.in_(listed(asset_ids)), asset.c.state != "deleted").values(state="deleted", state_since=_now())
        )

    def begin_content(self, digest: bytes, size: int, info: MediaInfo) -> int:
        """Make a content known by its hash, or look it up; a former failure is forgotten, segments and vectors are kept."""
        return self._upsert_content(digest, size, _columns(info) | {"failure_code": None, "failure_reason": None})

    def add_embeddings(self, content_id: int, space_id: int, items: Sequence[tuple[Segment, np.ndarray]]) -> None:
        """Store the vectors of some segments; those that are stored already stay as they are.

        Args:
            content_id: From `begin_content`.
            space_id: The space of the vectors.
            items: Segments with their (dim,) float32 unit vectors.

        Raises:
            ValueError: A vector has not the length of the space, or is not finite.
        """
        if not items:
            return
        dim = self._dim(space_id)
        blobs = [_blob(vector, dim) for _, vector in items]
        keys = [_key(part) for part, _ in items]
        self._insert_missing(segment, [{"content_id": content_id, **dict(zip(_KEY, key, strict=True))} for key in keys])
        ids = self._segment_ids(content_id)
        self._insert_missing(
            embedding,
            [{"segment_id": ids[key], "space_id": space_id, "vector": blob} for key, blob in zip(keys, blobs, strict=True)],
        )
        self._insert_missing(coverage, [{"content_id": content_id, "space_id": space_id, "state": "partial"}])

    def finish_content(self, content_id: int, space_id: int, info: MediaInfo, segments: Collection[Segment]) -> None:
        """Say that these are all the segments of a content and that each has its vector.

        What else is embedded in this space (an interrupted run may have cut a film otherwise) is dropped.

        Raises:
            ValueError: One of them has no vector yet.
        """
        ids = self._segment_ids(content_id)
        embedded = set(self._connection.execute(_EMBEDDED, {"content": content_id, "space": space_id}).scalars())
        wanted = {ids.get(_key(part), 0) for part in segments}
        missing = sum(ids.get(_key(part)) not in embedded for part in segments)
        if missing:
            raise ValueError(f"{missing} of {len(segments)} segments of content {content_id} have no vector")
        if set(ids.values()) != wanted:
            self._drop_segments(content_id, space_id, embedded - wanted)
        self._connection.execute(_DESCRIBE, {"content": content_id} | _columns(info))
        self._upsert(coverage, {"content_id": content_id, "space_id": space_id}, {"state": "complete", "reason": None})

    def fail_content(self, digest: bytes, size: int, info: MediaInfo | Kind | None, code: str, reason: str) -> int:
        """Remember that some bytes cannot be used, so that no copy of them is tried again. Returns the content's id."""
        known = _columns(info) if isinstance(info, MediaInfo) else {} if info is None else {"kind": str(info)}
        return self._upsert_content(digest, size, known | {"failure_code": str(code), "failure_reason": reason})

    def describe_source(self, source_id: int, *, whole: bool | None = None, exclude: Sequence[str] | None = None) -> None:
        """Note that a whole folder belongs to the library, or what of it does not; None leaves either as it is."""
        values: dict[str, Any] = {}
        if whole is not None:
            values["whole_since"] = _now() if whole else None
        if exclude is not None:
            values["exclude"] = json.dumps(list(exclude))
        if values:
            self._connection.execute(update(source).where(source.c.id == source_id).values(values))

    def forget_source(self, source_id: int) -> None:
        """Remove a source and its assets; their contents stay until `purge`."""
        self._connection.execute(delete(source).where(source.c.id == source_id))

    def hand_over(self, giver: SourceRow, taker: SourceRow) -> None:
        """Let a source take over the assets of another one that lie below its root; they keep their ids.

        A giver whose root lies below the taker's has nothing left and is forgotten.
        """
        rows = self._connection.execute(select(asset.c.id, asset.c.path).where(asset.c.source_id == giver.id)).all()
        for row in rows:
            path = giver.root / row.path
            if path.is_relative_to(taker.root):
                self._update_asset(row.id, source_id=taker.id, path=path.relative_to(taker.root).as_posix())
        if giver.root.is_relative_to(taker.root):
            self.forget_source(giver.id)

    def drop_embeddings(self, content_id: int, space_id: int) -> None:
        """Forget the vectors of a content in a space, as if it had never been embedded there."""
        of_content = select(segment.c.id).where(segment.c.content_id == content_id)
        self._connection.execute(delete(embedding).where(embedding.c.space_id == space_id, embedding.c.segment_id.in_(of_content)))
        self._connection.execute(delete(coverage).where(coverage.c.content_id == content_id, coverage.c.space_id == space_id))

    def refuse_content(self, content_id: int, space_id: int, reason: str) -> None:
        """Remember that a space's encoder takes nothing of a content, and why; what it took before is dropped."""
        self.drop_embeddings(content_id, space_id)
        self._upsert(coverage, {"content_id": content_id, "space_id": space_id}, {"state": "refused", "reason": reason})

    def add_space(self, wanted: Space, state: SpaceState) -> SpaceRow:
        """Make a space known and put it into a state; one that serves already goes on serving.

        A space that is known under another name, for the model's folder was moved, has the new name from now on.
        """
        row = {"spec": wanted.spec, "dim": wanted.dim, "fingerprint": wanted.fingerprint, "revision": wanted.revision, "state": state}
        kept = case((space.c.state == "serving", "serving"), else_=state)
        changed = {"state": kept, "spec": wanted.spec}
        self._connection.execute(insert(space).on_conflict_do_update(index_elements=[space.c.fingerprint], set_=changed), row)
        return next(known for known in spaces_in(self._connection) if known.space.fingerprint == wanted.fingerprint)

    def serve_spaces(self, space_ids: Collection[int]) -> None:
        """Let these spaces be searched from now on, and no others: those that served or were being built until now are kept."""
        chosen = space.c.id.in_(listed(space_ids))
        self._connection.execute(update(space).where(~chosen).values(state="kept"))
        self._connection.execute(update(space).where(chosen).values(state="serving"))

    def drop_space(self, space_id: int) -> None:
        """Forget a space with all of its vectors, and the segments that have no vector in any other."""
        self._connection.execute(delete(space).where(space.c.id == space_id))
        self._connection.execute(delete(segment).where(~select(embedding.c.id).where(embedding.c.segment_id == segment.c.id).exists()))

    def derive_space(self, source_id: int, target_id: int, derive: Derive) -> None:
        """Fill a space with what becomes of the vectors of another one; nothing is embedded.

        Args:
            source_id: The space whose vectors there are.
            target_id: The space to fill; what it has already stays.
            derive: Makes new rows of (n, dim of the source) float32 rows of one modality: (n, dim of the target) float32 unit rows.
        """
        dim = self._dim(target_id)
        known = select(embedding.c.segment_id).where(embedding.c.space_id == target_id)
        for modality in (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO):
            missing = (
                select(embedding.c.segment_id, embedding.c.vector)
                .join(segment)
                .where(embedding.c.space_id == source_id, segment.c.modality == str(modality), embedding.c.segment_id.not_in(known))
            )
            for rows in self._connection.execute(missing, execution_options={"yield_per": DERIVED_ROWS}).partitions():
                vectors = derive(np.stack([np.frombuffer(row.vector, HALF) for row in rows]).astype(np.float32), modality)
                self._insert_missing(
                    embedding,
                    [
                        {"segment_id": row.segment_id, "space_id": target_id, "vector": _blob(vector, dim)}
                        for row, vector in zip(rows, vectors, strict=True)
                    ],
                )
        copied = select(coverage.c.content_id, literal(target_id), coverage.c.state, coverage.c.reason).where(
            coverage.c.space_id == source_id
        )
        names = ["content_id", "space_id", "state", "reason"]
        self._connection.execute(insert(coverage).from_select(names, copied).on_conflict_do_nothing())

    def put_setting(self, key: str, value: str) -> None:
        """Make or change a setting of this library."""
        self._upsert(setting, {"key": key}, {"value": value})

    def purge(self) -> Purged:
        """Remove deleted assets, and contents that lie at no place any more, with their vectors."""
        assets = self._connection.execute(delete(asset).where(asset.c.state == "deleted")).rowcount
        contents = self._connection.execute(
            delete(content).where(~select(asset.c.id).where(asset.c.content_id == content.c.id).exists())
        ).rowcount
        return Purged(assets, contents)

    def _drop_segments(self, content_id: int, space_id: int, unwanted: Iterable[int]) -> None:
        """Drop the vectors of some segments in one space, and then the content's segments that have no vector in any."""
        of_content = select(segment.c.id).where(segment.c.content_id == content_id)
        self._connection.execute(
            delete(embedding).where(
                embedding.c.space_id == space_id,
                embedding.c.segment_id.in_(listed(unwanted)),
            )
        )
        self._connection.execute(
            delete(segment).where(
                segment.c.id.in_(of_content),
                segment.c.id.not_in(select(embedding.c.segment_id).where(embedding.c.segment_id.in_(of_content))),
            )
        )

    def _upsert_asset(self, source_id: int, path: str, **values: Any) -> int:
        now = _now()
        row = {"source_id": source_id, "path": path, "first_seen": now, "state_since": now, "failure_code": None, "failure_reason": None}
        return int(self._connection.execute(_PUT_ASSET, row | values).scalar_one())

    def _update_asset(self, asset_id: int, **values: Any) -> None:
        self._connection.execute(update(asset).where(asset.c.id == asset_id).values(**values))

    def _upsert_content(self, digest: bytes, size: int, values: dict[str, Any]) -> int:
        row = {"hash": digest, "size": size} | values
        return int(self._connection.execute(_upserted(content, ("hash",), tuple(row)).returning(content.c.id), row).scalar_one())

    def _upsert(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        row = key | values
        self._connection.execute(_upserted(table, tuple(key), tuple(row)), row)

    def _insert_missing(self, table: Table, rows: list[dict[str, Any]]) -> None:
        self._connection.execute(_MISSING[table], rows)

    def _segment_ids(self, content_id: int) -> dict[tuple[str, int, int, int], int]:
        rows = self._connection.execute(_SEGMENTS, {"content": content_id})
        return {(row[1], row[2], row[3], row[4]): row[0] for row in rows}

    def _dim(self, space_id: int) -> int:
        if space_id not in self._dims:
            self._dims[space_id] = self._connection.execute(select(space.c.dim).where(space.c.id == space_id)).scalar_one()
        return self._dims[space_id]


_KEY = ("modality", "start_ms", "end_ms", "frame_ms")


def _key(part: Segment) -> tuple[str, int, int, int]:
    return str(part.modality), part.start_ms, part.end_ms, NO_FRAME if part.frame_ms is None else part.frame_ms


@cache
def _upserted(table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    """Insert a row of some columns, or change all but its key where it is there already."""
    made = insert(table)
    return made.on_conflict_do_update(index_elements=list(key), set_={name: made.excluded[name] for name in columns if name not in key})


def _since(state: Any, now: Any) -> Any:
    """When an asset came into a state: what it was, if it was in it before."""
    return case((asset.c.state == state, asset.c.state_since), else_=now)


def _put_asset() -> ReturningInsert[Any]:
    made = insert(asset)
    new = made.excluded
    kept = {name: new[name] for name in ("size", "mtime_ns", "content_id", "state", "failure_code", "failure_reason")}
    changes = kept | {"state_since": _since(new.state, new.state_since)}
    return made.on_conflict_do_update(index_elements=[asset.c.source_id, asset.c.path], set_=changes).returning(asset.c.id)


# Statements that run for every file are made once: putting one together takes SQLAlchemy longer than SQLite takes to run it.
_PUT_ASSET = _put_asset()
_SEGMENTS = select(segment.c.id, *(segment.c[name] for name in _KEY)).where(segment.c.content_id == bindparam("content"))
_EMBEDDED = (
    select(embedding.c.segment_id)
    .join(segment)
    .where(segment.c.content_id == bindparam("content"), embedding.c.space_id == bindparam("space"))
)
_DESCRIBE = update(content).where(content.c.id == bindparam("content"))
_MISSING = {table: insert(table).on_conflict_do_nothing() for table in (segment, embedding, coverage)}


def _blob(vector: np.ndarray, dim: int) -> bytes:
    if vector.shape != (dim,):
        raise ValueError(f"a vector of shape {vector.shape} does not belong in a space of dimension {dim}")
    half = vector.astype(HALF)
    if not np.isfinite(half).all():
        raise ValueError("a vector is not finite")
    return half.tobytes()


def _columns(info: MediaInfo) -> dict[str, Any]:
    capture = info.capture
    return {
        "kind": str(info.kind),
        "format": info.format,
        "width": info.width,
        "height": info.height,
        "duration_ms": info.duration_ms,
        "frames": info.frames,
        "has_audio": int(info.has_audio),
        "captured_at": None if capture is None else capture.at.isoformat(),
        "captured_origin": None if capture is None else capture.origin,
        "camera": info.camera,
        "latitude": info.latitude,
        "longitude": info.longitude,
        "title": info.title,
        "artist": info.artist,
        "rating": info.rating,
        "keywords": json.dumps(info.keywords, ensure_ascii=False),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
