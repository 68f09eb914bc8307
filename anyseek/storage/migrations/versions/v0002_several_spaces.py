"""Several spaces side by side: each is serving, being built or kept, and knows the version of its model's files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("space", sa.Column("revision", sa.Text(), nullable=True))
    op.add_column("space", sa.Column("state", sa.Text(), server_default=sa.text("'kept'"), nullable=False))
    op.execute("UPDATE space SET state = 'serving' WHERE active = 1")
    op.drop_column("space", "active")
    op.add_column("coverage", sa.Column("reason", sa.Text(), nullable=True))
