"""The tables of the catalog.

They are SQLAlchemy Core tables rather than mapped classes: nothing here is loaded object by object, and the ORM would add a quarter to
the time that a cold search takes to import. `migrations/` spells out the same tables revision by revision; a test compares the two.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = [
    "NO_FRAME",
    "PathText",
    "annotation",
    "asset",
    "content",
    "coverage",
    "embedding",
    "feedback",
    "metadata",
    "path_from_bytes",
    "path_to_bytes",
    "paths_from_bytes",
    "segment",
    "setting",
    "source",
    "space",
]

# A segment without a frame has this frame_ms: NULLs are never equal to each other, so a unique constraint would let doubles in.
NO_FRAME = -1

_ERRORS = "surrogatepass" if os.name == "nt" else "surrogateescape"


def path_to_bytes(path: str) -> bytes:
    """Turn a path as Python gives it into bytes that any name survives, whatever its encoding."""
    return path.encode("utf-8", _ERRORS)


def path_from_bytes(stored: bytes) -> str:
    """Undo `path_to_bytes`."""
    return stored.decode("utf-8", _ERRORS)


def paths_from_bytes(stored: Sequence[bytes]) -> list[str]:
    """Undo `path_to_bytes` for many paths at once: no path has a NUL in it."""
    return path_from_bytes(b"\0".join(stored)).split("\0") if stored else []


class PathText(TypeDecorator[str]):
    """A path as bytes. Names need not be valid UTF-8, and SQLite's TEXT would refuse those that are not."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encode."""
        return None if value is None else path_to_bytes(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Decode."""
        return None if value is None else path_from_bytes(value)


# STRICT tables know INTEGER, REAL, TEXT and BLOB; elsewhere nanoseconds need eight bytes and degrees need a double.
Long: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")
Real: TypeEngine[float] = Double().with_variant(REAL, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

setting = Table(
    "setting",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_strict=True,
)

space = Table(
    "space",
    metadata,
    Column("id", Long, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("revision", Text),
    Column("state", Text, nullable=False, server_default=text("'kept'")),
    sqlite_strict=True,
)

source = Table(
    "source",
    metadata,
    Column("id", Long, primary_key=True),
    Column("root", PathText, nullable=False, unique=True),
    Column("whole_since", Text),
    Column("exclude", Text, nullable=False, server_default="[]"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

content = Table(
    "content",
    metadata,
    Column("id", Long, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("size", Long, nullable=False),
    Column("kind", Text),
    Column("format", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration_ms", Long),
    Column("frames", Integer),
    Column("has_audio", Integer, nullable=False, server_default=text("0")),
    Column("captured_at", Text),
    Column("captured_origin", Text),
    Column("camera", Text),
    Column("latitude", Real),
    Column("longitude", Real),
    Column("title", Text),
    Column("artist", Text),
    Column("rating", Integer),
    Column("keywords", Text, nullable=False, server_default=text("'[]'")),
    Column("failure_code", Text),
    Column("failure_reason", Text),
    Column("perceptual_hash", LargeBinary),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

asset = Table(
    "asset",
    metadata,
    Column("id", Long, primary_key=True),
    Column("source_id", Long, ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("path", PathText, nullable=False),
    Column("size", Long, nullable=False),
    Column("mtime_ns", Long, nullable=False),
    Column("content_id", Long, ForeignKey("content.id", ondelete="SET NULL")),
    Column("state", Text, nullable=False),
    Column("state_since", Text, nullable=False),
    Column("failure_code", Text),
    Column("failure_reason", Text),
    Column("first_seen", Text, nullable=False),
    Column("user_metadata", Text),
    UniqueConstraint("source_id", "path"),
    Index(None, "content_id", "state"),
    Index(None, "state"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

coverage = Table(
    "coverage",
    metadata,
    Column("content_id", Long, ForeignKey("content.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("space_id", Long, ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Index(None, "space_id", "state"),
    sqlite_strict=True,
)

segment = Table(
    "segment",
    metadata,
    Column("id", Long, primary_key=True),
    Column("content_id", Long, ForeignKey("content.id", ondelete="CASCADE"), nullable=False),
    Column("modality", Text, nullable=False),
    Column("start_ms", Long, nullable=False),
    Column("end_ms", Long, nullable=False),
    Column("frame_ms", Long, nullable=False),
    UniqueConstraint("content_id", "modality", "start_ms", "end_ms", "frame_ms"),
    sqlite_strict=True,
)

# AUTOINCREMENT: the ids are the ids of the vector index, and one that was used again would show another picture.
embedding = Table(
    "embedding",
    metadata,
    Column("id", Long, primary_key=True),
    Column("segment_id", Long, ForeignKey("segment.id", ondelete="CASCADE"), nullable=False),
    Column("space_id", Long, ForeignKey("space.id", ondelete="CASCADE"), nullable=False),
    Column("vector", LargeBinary, nullable=False),
    UniqueConstraint("segment_id", "space_id"),
    Index(None, "space_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# What stands for the whole content begins and ends at 0, as a picture's segment does.
annotation = Table(
    "annotation",
    metadata,
    Column("id", Long, primary_key=True),
    Column("content_id", Long, ForeignKey("content.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("start_ms", Long, nullable=False),
    Column("end_ms", Long, nullable=False),
    Column("confidence", Real),
    UniqueConstraint("content_id", "type", "origin", "text", "start_ms", "end_ms"),
    Index(None, "type", "text"),
    sqlite_strict=True,
)

# What a person thought of an answer, see `anyseek.storage.feedback_writes`. It is about contents, so that no rename loses it.
feedback = Table(
    "feedback",
    metadata,
    Column("id", Long, primary_key=True),
    Column("at", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("query_kind", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("query_content_id", Long, ForeignKey("content.id", ondelete="CASCADE")),
    Column("content_id", Long, ForeignKey("content.id", ondelete="CASCADE"), nullable=False),
    Column("start_ms", Long, nullable=False),
    Column("end_ms", Long, nullable=False),
    Column("verdict", Text, nullable=False),
    UniqueConstraint("content_id", "session", "query_kind", "query", "start_ms", "end_ms"),
    Index(None, "query_content_id"),
    sqlite_strict=True,
)
