"""Both migration trees go up, down and up again, and give exactly the tables that the models declare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text

from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs import control_models
from workreef_app.services.tables import metadata
from workreef_app.services.tenancy import migrate, server
from workreef_app.services.tenancy.errors import SchemaNotCurrent
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import migrate_tenant

DATABASE = "migration_test"


@pytest.fixture
def empty(door: Door) -> Iterator[Engine]:
    """A database with nothing in it."""
    server.ensure_template(door.platform.url)
    with server.admin(door.platform.url) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        engine = create_engine(door.platform.url.set(database=DATABASE), poolclass=NullPool)
        yield engine
        engine.dispose()
        server.drop(connection, DATABASE)


def everything(connection: Connection) -> dict[str, Any]:
    """What makes a schema: columns, checks, keys, indexes, policies, functions and grants."""
    queries = {
        "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, generation_expression"
        " FROM information_schema.columns WHERE table_schema = 'public'",
        "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
        "indexes": "SELECT indexdef, '' FROM pg_indexes WHERE schemaname = 'public'",
        "policies": "SELECT tablename, policyname, qual, with_check, cmd FROM pg_policies",
        "functions": "SELECT proname, prosrc, prosecdef, proacl::text FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace",
        "grants": "SELECT relname, relacl::text, relrowsecurity FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace",
    }
    return {name: sorted(map(repr, connection.execute(text(sql)))) for name, sql in queries.items()}


@pytest.mark.parametrize("tree", ["control", "tenant"])
def test_up_down_and_up_again_gives_the_same(empty: Engine, tree: migrate.Tree) -> None:
    with empty.begin() as connection:
        assert migrate.current(connection) is None
        migrate.upgrade(connection, tree)
        assert migrate.current(connection) == migrate.head(tree)
        first = everything(connection)
    with empty.begin() as connection:
        migrate.downgrade(connection, tree, "base")
        assert migrate.current(connection) is None
        assert inspect(connection).get_table_names() == ["alembic_version"]
        left = everything(connection)
        assert left["functions"] == left["policies"] == []
        migrate.upgrade(connection, tree)
        assert everything(connection) == first
    assert len(first["columns"]) > 15


@pytest.mark.parametrize(("tree", "models"), [("control", control_models.ControlTable.metadata), ("tenant", metadata)])
def test_models_and_migrations_agree(empty: Engine, tree: migrate.Tree, models: Any) -> None:
    with empty.begin() as connection:
        migrate.upgrade(connection, tree)
        context = MigrationContext.configure(
            connection, opts={"compare_type": _types_differ, "include_object": _ours}
        )
        assert compare_metadata(context, models) == []


def _ours(item: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
    """The queue's own tables are its library's."""
    return kind != "table" or not str(name).startswith("procrastinate_")


def _types_differ(context: Any, inspected: Any, declared: Any, kind: Any, declared_kind: Any) -> bool | None:
    """Sealed columns are plain bytes to the database; the rest is compared as alembic does."""
    return False if type(declared_kind).__name__ == "Sealed" and str(kind) == "BYTEA" else None


def test_every_check_of_the_models_is_in_the_database(empty: Engine, door: Door) -> None:
    """Alembic compares no CHECK: both sides are made by Postgres itself and compared as it writes them."""
    with empty.begin() as connection:
        migrate.upgrade(connection, "tenant")
        migrated = checks(connection)
    with empty.begin() as connection:
        migrate.downgrade(connection, "tenant", "base")
        metadata.create_all(connection)
        declared = checks(connection)
    assert migrated == declared
    assert len(declared) > 50


def checks(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text(
        "SELECT conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype IN ('c', 'u', 'f', 'p') AND connamespace = 'public'::regnamespace"
        " AND conrelid <> to_regclass('alembic_version')"
    ))
    return {row[0]: row[1] for row in rows}


def test_a_tenant_goes_down_and_up_as_its_owner_and_works_again(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], sql_as_owner: Callable[[Tenant], Any]
) -> None:
    row = next(r for r in door.platform.tenants() if r.id == tenant.info.id)
    head = migrate.head("tenant")
    assert migrate_tenant(door.platform, row) == (head, head)
    assert migrate_tenant(door.platform, row, "base") == (head, None)
    with pytest.raises(SchemaNotCurrent, match="workreef tenant migrate"):
        door.perform(cli(tenant), "tasks.list", {})
    assert migrate_tenant(door.platform, row) == (None, head)
    with sql_as_owner(tenant) as owner:
        app = server.app_role(row.database)
        assert owner.execute("SELECT has_table_privilege(%s, 'task', 'INSERT')", (app,)).fetchone() == (True,)
        assert owner.execute("SELECT has_table_privilege(%s, 'audit_entry', 'INSERT')", (app,)).fetchone() == (False,)
    assert door.perform(cli(tenant), "me.read", {}).tenant_slug == tenant.info.slug


def test_a_failed_migration_leaves_nothing(empty: Engine) -> None:
    with pytest.raises(RuntimeError), empty.begin() as connection:  # noqa: PT012
        migrate.upgrade(connection, "tenant")
        raise RuntimeError
    with empty.connect() as connection:
        assert inspect(connection).get_table_names() == []
