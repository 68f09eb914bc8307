"""What the catalog knows of sources, assets and contents."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, bindparam, func, literal, select

from ..filters import Condition
from ..types import Kind, Modality, Segment
from . import user_metadata
from .engine import Database, fetch
from .filtering import satisfies
from .layout import LibraryFolder
from .models import asset, content, coverage, embedding, paths_from_bytes, segment, setting, source
from .queries import has_live_asset, lacking, listed, segment_from, spaces_in
from .roots import absolute_root, places_below
from .rows import (
    AssetRow,
    AssetState,
    ContentInfo,
    ContentRow,
    Counts,
    FailureRow,
    LocatedAsset,
    SourceRow,
    SpaceCounts,
    SpaceRow,
    SpaceState,
)

__all__ = ["AssetReads"]


class AssetReads:
    """The reading half of `anyseek.storage.catalog.Catalog` that deals with files."""

    def __init__(self, folder: LibraryFolder, database: Database) -> None:
        self.folder = folder
        self.database = database

    def spaces(self, *states: SpaceState) -> list[SpaceRow]:
        """The spaces that are in one of some states, oldest first; all when none is named."""
        with self.database.reading() as connection:
            return spaces_in(connection, states)

    def space_counts(self, space_id: int) -> SpaceCounts:
        """How far a space is filled."""
        refused = select(coverage.c.content_id).where(coverage.c.space_id == space_id, coverage.c.state == "refused")
        counted = [
            select(func.count()).select_from(embedding).where(embedding.c.space_id == space_id),
            select(func.count()).select_from(lacking(space_id).subquery()),
            select(func.count()).select_from(content).where(content.c.id.in_(refused), has_live_asset(content.c.id)),
        ]
        with self.database.reading() as connection:
            return SpaceCounts(*(int(connection.execute(statement).scalar_one()) for statement in counted))

    def setting(self, key: str) -> str | None:
        """Look up a setting of this library; None when it was never made."""
        with self.database.reading() as connection:
            return connection.execute(select(setting.c.value).where(setting.c.key == key)).scalar()

    def sources(self) -> list[SourceRow]:
        """All folders that are scanned, oldest first."""
        with self.database.reading() as connection:
            return self._sources(connection)

    def _sources(self, connection: Connection) -> list[SourceRow]:
        return [
            SourceRow(row.id, absolute_root(self.folder, row.root), row.whole_since is not None, tuple(json.loads(row.exclude)))
            for row in connection.execute(select(source).order_by(source.c.id))
        ]

    def assets(self, source_id: int) -> dict[str, AssetRow]:
        """All assets of a source by path, deleted and failed ones included."""
        columns = (asset.c.path, asset.c.id, asset.c.size, asset.c.mtime_ns, asset.c.state, asset.c.content_id, asset.c.failure_code)
        # A source holds a large share of all assets: reading every row in order takes 0.4 of what going by the index to each one does.
        statement = select(*columns).where(asset.c.source_id + 0 == source_id)
        with self.database.reading() as connection:
            rows = fetch(connection, statement)
        paths = paths_from_bytes([row[0] for row in rows])
        return dict(zip(paths, [AssetRow._make(row[1:]) for row in rows], strict=True))

    def content_by_hash(self, digest: bytes) -> ContentRow | None:
        """Look bytes up by their hash, with how much of them is embedded in which space."""
        with self.database.reading() as connection:
            rows = connection.execute(_BY_HASH, {"digest": digest}).all()
        if not rows:
            return None
        covered = {row.space_id: row.state for row in rows if row.space_id is not None}
        row = rows[0]
        return ContentRow(row.id, None if row.kind is None else Kind(row.kind), covered, row.failure_code, row.failure_reason)

    def unfinished_contents(self, space_id: int) -> set[int]:
        """Ids of contents that live assets have, whose bytes are sound, and that lack vectors in a space."""
        with self.database.reading() as connection:
            return {row[0] for row in fetch(connection, lacking(space_id))}

    def complete_contents(self, space_id: int) -> list[int]:
        """Ids of contents that live assets have and that have all of their vectors in a space, ascending."""
        statement = (
            select(coverage.c.content_id)
            .where(coverage.c.space_id == space_id, coverage.c.state == "complete", has_live_asset(coverage.c.content_id))
            .order_by(coverage.c.content_id)
        )
        with self.database.reading() as connection:
            return [row[0] for row in fetch(connection, statement)]

    def refused_contents(self, space_id: int) -> set[int]:
        """Ids of contents of which a space's encoder took nothing."""
        statement = select(coverage.c.content_id).where(coverage.c.space_id == space_id, coverage.c.state == "refused")
        with self.database.reading() as connection:
            return {row[0] for row in fetch(connection, statement)}

    def untried_contents(self, space_id: int, codes: Iterable[str]) -> set[int]:
        """Ids of contents that failed for one of some reasons, and about which this space's encoder was not asked, or not to the end."""
        asked = select(coverage.c.content_id).where(coverage.c.space_id == space_id, coverage.c.state != "partial")
        statement = select(content.c.id).where(content.c.failure_code.in_(sorted(codes)), content.c.id.not_in(asked))
        with self.database.reading() as connection:
            return {row[0] for row in fetch(connection, statement)}

    def segments_in(self, content_id: int, space_id: int) -> set[Segment]:
        """The segments of a content that are embedded in a space already."""
        statement = (
            select(segment.c.modality, segment.c.start_ms, segment.c.end_ms, segment.c.frame_ms)
            .join(embedding, embedding.c.segment_id == segment.c.id)
            .where(segment.c.content_id == content_id, embedding.c.space_id == space_id)
        )
        with self.database.reading() as connection:
            return {segment_from(*row) for row in fetch(connection, statement)}

    def assets_of(self, content_ids: Iterable[int], where: Condition | None = None) -> dict[int, list[LocatedAsset]]:
        """The indexed assets that have some contents, by content, in the order of their paths; contents without one are left out.

        Args:
            content_ids: Of the contents.
            where: Only assets that satisfy this, whatever their copies do.
        """
        statement = (
            select(*_LOCATED)
            .where(asset.c.content_id.in_(listed(content_ids)), asset.c.state == "indexed")
            .order_by(asset.c.path, asset.c.source_id)
        )
        with self.database.reading() as connection:
            roots = {row.id: row.root for row in self._sources(connection)}
            if where is not None:
                statement = statement.join(content, content.c.id == asset.c.content_id).where(satisfies(where, roots))
            rows = connection.execute(statement).all()
        found: dict[int, list[LocatedAsset]] = defaultdict(list)
        for row in rows:
            found[row.content_id].append(_located(row, roots))
        return dict(found)

    def content_info(self, content_ids: Iterable[int]) -> dict[int, ContentInfo]:
        """What is known of some contents, by id; ids that are gone are left out."""
        with self.database.reading() as connection:
            rows = connection.execute(select(*_INFO).where(content.c.id.in_(listed(content_ids)))).mappings().all()
        return {
            row["id"]: ContentInfo(
                **{
                    **row,
                    "kind": None if row["kind"] is None else Kind(row["kind"]),
                    "has_audio": bool(row["has_audio"]),
                    "captured_at": None if row["captured_at"] is None else datetime.fromisoformat(row["captured_at"]),
                    "keywords": tuple(json.loads(row["keywords"])),
                }
            )
            for row in rows
        }

    def digests(self, content_ids: Iterable[int]) -> dict[int, bytes]:
        """The hashes of some contents, by id; ids that are gone are left out. Unlike ids they are the same in every library."""
        with self.database.reading() as connection:
            return dict(fetch(connection, select(content.c.id, content.c.hash).where(content.c.id.in_(listed(content_ids)))))

    def find_asset(self, path: Path) -> LocatedAsset | None:
        """Find the asset that lies at a path, indexed or failed; through links, too."""
        with self.database.reading() as connection:
            roots = {row.root: row.id for row in self._sources(connection)}
            for source_id, relative in places_below(path, roots):
                row = connection.execute(
                    select(*_LOCATED).where(asset.c.source_id == source_id, asset.c.path == relative, asset.c.state != "deleted")
                ).one_or_none()
                if row is not None:
                    return _located(row, {source_id: root for root, source_id in roots.items()})
        return None

    def user_metadata(self, asset_id: int) -> dict[str, user_metadata.Scalar]:
        """What its owner wrote down of an asset."""
        with self.database.reading() as connection:
            return user_metadata.read(connection.execute(select(asset.c.user_metadata).where(asset.c.id == asset_id)).scalar())

    def failures(self, *, source_id: int | None = None) -> list[FailureRow]:
        """The files that could not be indexed, in the order of source and path."""
        statement = select(asset).where(asset.c.state == "failed").order_by(asset.c.source_id, asset.c.path)
        if source_id is not None:
            statement = statement.where(asset.c.source_id == source_id)
        with self.database.reading() as connection:
            roots = {row.id: row.root for row in self._sources(connection)}
            rows = connection.execute(statement).all()
        return [
            FailureRow(roots[row.source_id] / row.path, row.failure_code, row.failure_reason, datetime.fromisoformat(row.state_since))
            for row in rows
        ]

    def counts(self) -> Counts:
        """How much there is of everything; takes some tenths of a second on a large library."""
        with self.database.reading() as connection:

            def count(statement: Any) -> int:
                return int(connection.execute(statement).scalar_one())

            states = fetch(connection, select(asset.c.state, func.count()).group_by(asset.c.state))
            kinds = fetch(
                connection,
                select(content.c.kind, func.count())
                .join(asset, asset.c.content_id == content.c.id)
                .where(asset.c.state == "indexed", content.c.kind.is_not(None))
                .group_by(content.c.kind),
            )
            modalities = fetch(
                connection,
                select(segment.c.modality, func.count())
                .where(select(literal(1)).where(embedding.c.segment_id == segment.c.id).exists())
                .group_by(segment.c.modality),
            )
            return Counts(
                assets={cast(AssetState, state): n for state, n in states},
                kinds={Kind(kind): n for kind, n in kinds},
                contents=count(select(func.count()).select_from(content)),
                segments={Modality(modality): n for modality, n in modalities},
                embeddings=count(select(func.count()).select_from(embedding)),
                sources=count(select(func.count()).select_from(source)),
            )


# Asked for every file that is read: putting it together anew would take longer than the answer.
_BY_HASH = (
    select(content.c.id, content.c.kind, coverage.c.space_id, coverage.c.state, content.c.failure_code, content.c.failure_reason)
    .outerjoin(coverage, coverage.c.content_id == content.c.id)
    .where(content.c.hash == bindparam("digest"))
)

_LOCATED = (asset.c.id, asset.c.source_id, asset.c.path, asset.c.content_id, asset.c.size, asset.c.mtime_ns)

_INFO = [column for column in content.c if column.name not in ("hash", "failure_code", "failure_reason", "perceptual_hash")]


def _located(row: Any, roots: dict[int, Path]) -> LocatedAsset:
    return LocatedAsset(row.id, roots[row.source_id] / row.path, row.path, row.source_id, row.content_id, row.size, row.mtime_ns)
