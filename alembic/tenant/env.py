"""Alembic environment of the tenant tree: runs on the connection that the caller gives."""

from alembic import context

from workreef_app.services.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
