"""Alembic environment of the control plane's tree: runs on the connection that the caller gives."""

from alembic import context

from workreef_app.services.tenancy.models import ControlTable

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=ControlTable.metadata)
with context.begin_transaction():
    context.run_migrations()
