"""Annotations of contents, and what pictures look like in 64 bits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("content", sa.Column("perceptual_hash", sa.LargeBinary(), nullable=True))
    long: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
    op.create_table(
        "annotation",
        sa.Column("id", long, nullable=False),
        sa.Column("content_id", long, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("start_ms", long, nullable=False),
        sa.Column("end_ms", long, nullable=False),
        sa.Column("confidence", real, nullable=True),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name="fk_annotation_content_id_content", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_annotation"),
        sa.UniqueConstraint(
            "content_id", "type", "origin", "text", "start_ms", "end_ms", name="uq_annotation_content_id_type_origin_text_start_ms_end_ms"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_annotation_type_text", "annotation", ["type", "text"])
