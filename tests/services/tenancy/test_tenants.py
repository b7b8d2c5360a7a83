"""A tenant's walls: two roles, one database, and what each role may and may not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.door import Caller, Door
from workreef_app.services.tables import metadata
from workreef_app.services.tenancy import server, tenants
from workreef_app.services.tenancy.errors import TenancyError, TenantExists, UnknownTenant
from workreef_app.services.tenancy.models import TenantRow, TenantStatus
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant

Connect = Callable[[Tenant], AbstractContextManager[psycopg.Connection[Any]]]
Line = Callable[..., dict[str, Any]]


@pytest.fixture
def filled(tenant: Tenant, person: Callable[..., Caller], import_lines: Callable[..., Any], line: Line) -> Tenant:
    """A tenant with rows in almost every table."""
    person(tenant, ["operator"], ["claims"])
    import_lines(tenant, [line(f"job {n} failed", n) for n in range(20)], "claims")
    return tenant


def password_of(door: Door, row: TenantRow, which: str) -> str:
    """The password of a tenant's `owner` or `app`."""
    column = f"{which}_password"
    return door.platform.platform_cipher().open("tenant", column, getattr(row, column)).decode()


@contextmanager
def role(door: Door, tenant: Tenant, which: str) -> Iterator[psycopg.Connection[Any]]:
    """Signed in as `owner` or `app` with its own password."""
    with Session(door.platform.control) as session:
        row = session.scalars(select(TenantRow).where(col(TenantRow.id) == tenant.info.id)).one()
    password = password_of(door, row, which)
    with signed_in(door, f"{row.database}_{which}", password, row.database) as connection:
        yield connection


def signed_in(
    door: Door, user: str, password: str, database: str
) -> AbstractContextManager[psycopg.Connection[Any]]:
    url = server.connect_url(door.platform.url, user=user, password=password, database=database)
    info = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(info, autocommit=True)


def test_two_roles_that_can_sign_in_and_do_little_else(door: Door, standing: list[Tenant]) -> None:
    tenant = standing[0]
    with role(door, tenant, "app") as connection:
        rows = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication"
            " FROM pg_roles WHERE rolname LIKE %s ORDER BY 1", (f"{tenant.url.database}%",),
        ).fetchall()
    assert rows == [(f"{tenant.url.database}_app", True, False), (f"{tenant.url.database}_owner", True, False)]


def test_the_app_role_owns_nothing_and_the_owner_everything(door: Door, standing: list[Tenant]) -> None:
    tenant = standing[0]
    owned = (
        "SELECT DISTINCT pg_get_userbyid({0}owner) FROM {1} JOIN pg_namespace n ON n.oid = {0}namespace"
        " WHERE nspname = 'public'"
    )
    with role(door, tenant, "app") as connection:
        owner = (f"{tenant.url.database}_owner",)
        assert connection.execute(owned.format("rel", "pg_class")).fetchall() == [owner]
        assert connection.execute(owned.format("pro", "pg_proc")).fetchall() == [owner]
        databases = "SELECT count(*) FROM pg_database WHERE datdba = current_user::regrole"
        assert connection.execute(databases).fetchone() == (0,)
        assert connection.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", owner).fetchone() == (False,)


def test_the_owner_may_change_the_schema(door: Door, standing: list[Tenant]) -> None:
    tenant = standing[0]
    with role(door, tenant, "owner") as connection:
        connection.execute("ALTER TABLE setting ADD COLUMN later integer")
        connection.execute("ALTER TABLE setting DROP COLUMN later")
        connection.execute("CREATE TABLE later (id integer)")
        connection.execute("DROP TABLE later")


@pytest.mark.parametrize("statement", [
    "CREATE TABLE mine (id integer)",
    "CREATE TEMP TABLE mine (id integer)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE another",
    "CREATE DATABASE another",
    "ALTER TABLE task DISABLE ROW LEVEL SECURITY",
    "DROP POLICY scope ON task",
    "CREATE POLICY everything ON task USING (true)",
    "ALTER TABLE observation DROP CONSTRAINT observation_summary_bounds",
    "TRUNCATE task",
    "DROP TABLE task",
    "UPDATE alembic_version SET version_num = '9999'",
    "INSERT INTO data_key (id, created_at) VALUES (gen_random_uuid(), now())",
    "COPY task TO '/tmp/task'",
    "COPY task FROM PROGRAM 'true'",
    "SET SESSION AUTHORIZATION workreef",
    "SET ROLE workreef_tenant_app",
    "SELECT pg_read_file('/etc/passwd')",
])
def test_the_app_role_may_not(door: Door, standing: list[Tenant], statement: str) -> None:
    with role(door, standing[0], "app") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_what_the_app_role_grants_is_not_granted(door: Door, standing: list[Tenant]) -> None:
    """Postgres only warns about this one."""
    with role(door, standing[0], "app") as connection:
        connection.execute("GRANT SELECT ON task TO PUBLIC")
        connection.execute("GRANT INSERT ON audit_entry TO CURRENT_USER")
        granted = "SELECT has_table_privilege('public', 'task', 'SELECT'), has_table_privilege('audit_entry', 'INSERT')"
        assert connection.execute(granted).fetchone() == (False, False)


@pytest.mark.parametrize("which", ["app", "owner"])
def test_no_other_database_takes_a_tenants_roles(
    door: Door, standing: list[Tenant], which: str
) -> None:
    one, two, _ = standing
    with Session(door.platform.control) as session:
        row = session.scalars(select(TenantRow).where(col(TenantRow.id) == one.info.id)).one()
    password = password_of(door, row, which)
    template = server.template_name(door.platform.url)
    others = [two.url.database, door.platform.url.database, "postgres", "template1", template]
    with signed_in(door, f"{row.database}_{which}", password, row.database):
        pass
    for database in others:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            signed_in(door, f"{row.database}_{which}", password, str(database))


def test_a_tenants_password_opens_no_other_role(door: Door, standing: list[Tenant]) -> None:
    one, two, _ = standing
    database = one.url.database
    for user, password in (
        (f"{two.url.database}_app", one.url.password), (f"{database}_owner", one.url.password), (f"{database}_app", ""),
    ):
        with pytest.raises(psycopg.OperationalError, match="password"):
            signed_in(door, user, str(password), str(one.url.database))


def test_without_a_scope_the_app_role_sees_no_row_of_any_table(
    filled: Tenant, sql_as_app: Connect, sql_as_owner: Connect
) -> None:
    with sql_as_owner(filled) as owner:
        rows = {t: owner.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in metadata.tables}  # type: ignore[index]
    assert {t for t, count in rows.items() if count == 0} <= {
        "alarm", "alarm_delivery", "alarm_route", "api_token", "api_token_operation", "decision", "factor",
        "federated_identity", "identity_provider", "link_request", "person_note", "recovery_code", "setting",
        "setting_change", "spool_chunk", "used_sign_on", "audit_node", "audit_checkpoint", "audit_lookup",
        "redaction_change", "redaction_profile", "siem_feed", "witness",
    }
    with sql_as_app(filled) as app:
        seen = {t: app.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in metadata.tables}  # type: ignore[index]
    assert seen == dict.fromkeys(metadata.tables, 0)


def test_a_reused_connection_keeps_no_scope(door: Door, filled: Tenant, cli: Callable[[Tenant], Caller]) -> None:
    assert door.perform(cli(filled), "tasks.list", {}).count == 1
    with door.platform.engines.use(filled.info.id, filled.url) as engine, engine.connect() as connection:
        assert connection.execute(text("SELECT current_setting('workreef.actor', true)")).scalar() == ""
        assert connection.execute(text("SELECT count(*) FROM task")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM department")).scalar() == 0


@pytest.mark.parametrize("slug", [
    "", "-a", "a-", "A", "a_b", "a.b", "a" * 41, "www", "api", "workreef", "é", "a\n", "a'b", "../a",
])
def test_a_slug_that_is_no_slug_is_refused(door: Door, slug: str) -> None:
    with pytest.raises(TenancyError, match="no slug"):
        create_tenant(door.platform, slug=slug, name="x")


@pytest.mark.parametrize("slug", ["7", "a" * 40, "a-b--c"])
def test_a_slug_may_be(door: Door, slug: str) -> None:
    assert create_tenant(door.platform, slug=slug, name="x").status == TenantStatus.ACTIVE
    assert door.platform.tenant(slug).info.slug == slug


def test_a_slug_is_taken_once(door: Door, standing: list[Tenant]) -> None:
    tenant = standing[0]
    with pytest.raises(TenantExists, match="Choose another"):
        create_tenant(door.platform, slug=tenant.info.slug, name="Another")
    assert door.platform.tenant(tenant.info.slug).info.id == tenant.info.id


def test_names_of_databases_tell_nothing_and_passwords_are_sealed(door: Door, standing: list[Tenant]) -> None:
    tenant = standing[0]
    with Session(door.platform.control) as session:
        row = session.scalars(select(TenantRow).where(col(TenantRow.id) == tenant.info.id)).one()
    assert row.slug not in row.database
    assert str(row.id) not in row.database
    assert str(tenant.url.password).encode() not in row.app_password
    assert len(str(tenant.url.password)) >= 40


def test_the_chain_begins_with_the_tenants_creation(door: Door, tenant: Tenant, log: Callable[[Tenant], Any]) -> None:
    assert log(tenant) == [("tenant.created", "system", f"tenant:{tenant.info.id}")]


@pytest.mark.parametrize("step", ["create_database", "_first_rows"])
def test_a_provisioning_that_failed_is_begun_again(
    door: Door, monkeypatch: pytest.MonkeyPatch, cli: Callable[[Tenant], Caller], step: str
) -> None:
    slug = f"again-{step.strip('_').replace('_', '-')}"
    real = server.create_database

    def fail_after(*args: Any) -> None:
        if step == "create_database":
            real(*args)
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(server if step == "create_database" else tenants, step, fail_after)
        with pytest.raises(RuntimeError):
            create_tenant(door.platform, slug=slug, name="Broken")
    with Session(door.platform.control) as session:
        left = session.scalars(select(TenantRow).where(col(TenantRow.slug) == slug)).one()
    assert left.status == TenantStatus.PROVISIONING
    with pytest.raises(UnknownTenant):
        door.platform.tenant(slug)
    made = create_tenant(door.platform, slug=slug, name="Whole")
    assert (made.status, made.id == left.id) == (TenantStatus.ACTIVE, False)
    with server.admin(door.platform.url) as connection:
        name = {"d": left.database}
        databases = connection.execute(text("SELECT count(*) FROM pg_database WHERE datname = :d"), name)
        roles = connection.execute(text("SELECT count(*) FROM pg_roles WHERE rolname ^@ :d"), name)
        assert (databases.scalar(), roles.scalar()) == (0, 0)
    assert door.perform(cli(door.platform.tenant(slug)), "audit.verify", {}).ok


def test_a_tenant_that_is_not_active_is_not_found(door: Door, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    with Session(door.platform.control) as session, session.begin():
        session.execute(
            update(TenantRow).where(col(TenantRow.id) == tenant.info.id).values(status=TenantStatus.PROVISIONING)
        )
    monkeypatch.setattr("workreef_app.services.tenancy.platform.TENANT_SECONDS", 0.0)
    with pytest.raises(UnknownTenant):
        door.platform.tenant(tenant.info.slug)
    assert tenant.info.slug not in {row.slug for row in door.platform.tenants()}


def test_no_password_is_in_the_servers_log(door: Door, standing: list[Tenant], settings: Any) -> None:
    tenant = standing[0]
    with server.admin(door.platform.url) as connection, pytest.raises(Exception, match="syntax"):
        connection.execute(text("THIS IS AN ERROR THAT IS LOGGED"))
    logs = list((settings.data_dir / "postgres").glob("*.log*"))
    said = "".join(path.read_text(errors="replace") for path in logs)
    assert "THIS IS AN ERROR" in said or "syntax error" in said
    assert str(tenant.url.password) not in said
