"""What people thought of the answers to their queries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    long: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "feedback",
        sa.Column("id", long, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("query_kind", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("query_content_id", long, nullable=True),
        sa.Column("content_id", long, nullable=False),
        sa.Column("start_ms", long, nullable=False),
        sa.Column("end_ms", long, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["query_content_id"], ["content.id"], name="fk_feedback_query_content_id_content", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name="fk_feedback_content_id_content", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint(
            "content_id",
            "session",
            "query_kind",
            "query",
            "start_ms",
            "end_ms",
            name="uq_feedback_content_id_session_query_kind_query_start_ms_end_ms",
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_feedback_query_content_id", "feedback", ["query_content_id"])
