"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LONG: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "content",
        sa.Column("id", LONG, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("size", LONG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("duration_ms", LONG, nullable=True),
        sa.Column("frames", sa.Integer(), nullable=True),
        sa.Column("has_audio", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("captured_at", sa.Text(), nullable=True),
        sa.Column("captured_origin", sa.Text(), nullable=True),
        sa.Column("camera", sa.Text(), nullable=True),
        sa.Column("latitude", REAL, nullable=True),
        sa.Column("longitude", REAL, nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("artist", sa.Text(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("keywords", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
        sa.UniqueConstraint("hash", name=op.f("uq_content_hash")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
        sqlite_strict=True,
    )
    op.create_table(
        "source",
        sa.Column("id", LONG, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("whole_since", sa.Text(), nullable=True),
        sa.Column("exclude", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("root", name=op.f("uq_source_root")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "space",
        sa.Column("id", LONG, nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("active", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_space_fingerprint")),
        sqlite_strict=True,
    )
    op.create_table(
        "asset",
        sa.Column("id", LONG, nullable=False),
        sa.Column("source_id", LONG, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("size", LONG, nullable=False),
        sa.Column("mtime_ns", LONG, nullable=False),
        sa.Column("content_id", LONG, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("first_seen", sa.Text(), nullable=False),
        sa.Column("user_metadata", sa.Text(), nullable=True),
        sa.UniqueConstraint("source_id", "path", name=op.f("uq_asset_source_id_path")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_asset_source_id_source"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name=op.f("fk_asset_content_id_content"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_asset_content_id_state"), "asset", ["content_id", "state"], unique=False)
    op.create_index(op.f("ix_asset_state"), "asset", ["state"], unique=False)

    op.create_table(
        "coverage",
        sa.Column("content_id", LONG, autoincrement=False, nullable=False),
        sa.Column("space_id", LONG, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name=op.f("fk_coverage_content_id_content"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_coverage_space_id_space"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("content_id", "space_id", name=op.f("pk_coverage")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_coverage_space_id_state"), "coverage", ["space_id", "state"], unique=False)

    op.create_table(
        "segment",
        sa.Column("id", LONG, nullable=False),
        sa.Column("content_id", LONG, nullable=False),
        sa.Column("modality", sa.Text(), nullable=False),
        sa.Column("start_ms", LONG, nullable=False),
        sa.Column("end_ms", LONG, nullable=False),
        sa.Column("frame_ms", LONG, nullable=False),
        sa.UniqueConstraint(
            "content_id", "modality", "start_ms", "end_ms", "frame_ms", name=op.f("uq_segment_content_id_modality_start_ms_end_ms_frame_ms")
        ),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name=op.f("fk_segment_content_id_content"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sqlite_strict=True,
    )
    op.create_table(
        "embedding",
        sa.Column("id", LONG, nullable=False),
        sa.Column("segment_id", LONG, nullable=False),
        sa.Column("space_id", LONG, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("segment_id", "space_id", name=op.f("uq_embedding_segment_id_space_id")),
        sa.ForeignKeyConstraint(["segment_id"], ["segment.id"], name=op.f("fk_embedding_segment_id_segment"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_embedding_space_id_space"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embedding")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_embedding_space_id"), "embedding", ["space_id"], unique=False)


def downgrade() -> None:
    """Refuse: an older program finds the backup that was made before the upgrade."""
    raise NotImplementedError("restore the backup instead")
