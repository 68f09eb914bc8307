"""Alembic's entry: runs revisions on the connection that `anyseek.storage.migrate` hands over, inside its transaction."""

from alembic import context

from anyseek.storage.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # true of SQLite where the driver begins no transactions of its own, which alembic does not assume
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
