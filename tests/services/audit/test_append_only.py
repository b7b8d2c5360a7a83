"""The audit log only grows: what the app role is refused, and what becomes of entries and their changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from workreef_app.services.access.models import Department
from workreef_app.services.audit.canonical import canonical
from workreef_app.services.audit.chain import genesis, link
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import (
    REGISTRY,
    Actor,
    Command,
    Conflict,
    Event,
    Persona,
    Reach,
    Result,
    Work,
    operation,
)
from workreef_app.services.tenancy.platform import Tenant

AppSql = psycopg.Connection[Any]


@pytest.fixture
def app(standing: list[Tenant], sql_as_app: Any, scoped: Callable[..., None]) -> Iterator[AppSql]:
    """The app role signed in by hand, with every scope that the product could set."""
    with sql_as_app(standing[0]) as connection:
        scoped(connection, actor="cli:someone", reach="all_work,all_audit,people,settings")
        assert connection.execute("SELECT count(*) FROM audit_entry").fetchone() >= (1,)
        yield connection


@pytest.mark.parametrize("statement", [
    "INSERT INTO audit_entry (seq, content, chain_hash) VALUES (99, '{}', sha256(''))",
    "INSERT INTO audit_head (\"only\", seq, chain_hash) VALUES (false, 0, sha256(''))",
    "UPDATE audit_entry SET content = '{}'",
    "UPDATE audit_entry SET seq = seq + 1",
    "UPDATE audit_head SET seq = 0",
    "DELETE FROM audit_entry",
    "DELETE FROM audit_head",
    "TRUNCATE audit_entry",
    "TRUNCATE audit_head CASCADE",
    "MERGE INTO audit_entry e USING (SELECT 1 AS n) s ON e.seq = s.n WHEN MATCHED THEN DELETE",
    "SELECT * FROM audit_head FOR UPDATE",
    "LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE audit_entry OWNER TO CURRENT_USER",
    "ALTER FUNCTION audit_append(text) SECURITY INVOKER",
    "CREATE OR REPLACE FUNCTION audit_append(content text) RETURNS bigint"
    " LANGUAGE sql AS 'SELECT 1::bigint'",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_entry FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    "CREATE TABLE public.mine (id int)",
    "CREATE VIEW public.mine AS SELECT 1",
    "DROP TABLE audit_entry",
    "DROP FUNCTION audit_append(text)",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "GRANT {owner} TO CURRENT_USER",
    "SET SESSION AUTHORIZATION {owner}",
    "REASSIGN OWNED BY {owner} TO CURRENT_USER",
    "DROP OWNED BY {owner}",
    "COPY audit_entry (seq, content, chain_hash) FROM STDIN",
])
def test_the_app_role_is_refused(app: AppSql, standing: list[Tenant], statement: str) -> None:
    before = app.execute("SELECT seq, chain_hash FROM audit_head").fetchall()
    owner = f"{standing[0].url.database}_owner"
    with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
        app.execute(statement.replace("{owner}", owner))
    assert app.execute("SELECT seq, chain_hash FROM audit_head").fetchall() == before


def test_a_grant_to_oneself_gives_nothing(app: AppSql) -> None:
    app.execute("GRANT ALL ON audit_entry, audit_head TO CURRENT_USER")
    for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
        granted = app.execute("SELECT has_table_privilege('audit_entry', %s)", (privilege,)).fetchone()
        assert granted == (False,), privilege


def test_a_table_of_the_same_name_does_not_catch_the_entries(app: AppSql) -> None:
    """The function's search path is pinned, and there is nowhere to put such a table."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("CREATE TEMP TABLE audit_entry (seq bigint, content text, chain_hash bytea)")


def entry(**more: Any) -> str:
    return canonical({"actor": "cli:someone", "event": "data.read", **more})


def test_append_chains_each_entry_to_the_one_before(tenant: Tenant, sql_as_app: Any, scoped: Any) -> None:
    with sql_as_app(tenant) as app:
        scoped(app, actor="cli:someone", reach="all_audit")
        for number in range(3):
            added = app.execute("SELECT audit_append(%s)", (entry(n=number, e="é"),))
            assert added.fetchone() == (number + 2,)
        rows = app.execute("SELECT content, chain_hash FROM audit_entry ORDER BY seq").fetchall()
        assert app.execute("SELECT seq, chain_hash FROM audit_head").fetchone() == (4, rows[-1][1])
    previous = genesis(tenant.info.id)
    for content, chain_hash in rows:
        assert link(content, previous) == chain_hash
        assert hashlib.sha256(content.encode() + previous).digest() == chain_hash
        previous = chain_hash


@pytest.mark.parametrize("content", ["", "no json", "{", '{"a":"' + "x" * 9000 + '"}'])
def test_what_is_no_entry_is_not_appended(app: AppSql, content: str) -> None:
    before = app.execute("SELECT seq FROM audit_head").fetchone()
    with pytest.raises(psycopg.errors.DataError if len(content) < 10 else psycopg.errors.CheckViolation):
        app.execute("SELECT audit_append(%s)", (content,))
    assert app.execute("SELECT seq FROM audit_head").fetchone() == before


def test_sixteen_writers_leave_one_chain(door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller]) -> None:
    def work(number: int) -> None:
        for turn in range(5):
            slug = f"d{number}-{turn}"
            door.perform(cli(tenant), "departments.create", {"slug": slug, "name": slug})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    verified = door.perform(cli(tenant), "audit.verify", {})
    assert (verified.ok, verified.count, [v.kind for v in verified.verdicts]) == (True, 1 + 80, ["intact"])


class Add(Command):
    slug: str


class Added(Result):
    pass


@pytest.fixture
def adding() -> Iterator[dict[str, Any]]:
    """An operation that adds a department and then does what the test says."""
    then: dict[str, Any] = {"do": lambda work: None}

    @operation("test.add", by=frozenset({Persona.ADMIN}), limit="1000/minute", audit=Event.DEPARTMENT_CREATED)
    def add(work: Work, command: Add) -> Added:
        """Adds a department."""
        work.session.add(Department(id=uuid7(), slug=command.slug, name="Added"))
        work.session.flush()
        then["do"](work)
        return Added()

    yield then
    del REGISTRY["test.add"]


READER = Actor(id="test", extra_reach=frozenset({Reach.SETTINGS}))


def departments(door: Door, tenant: Tenant) -> list[str]:
    with door.platform.unit_of_work(tenant, READER) as session:
        return [slug for (slug,) in session.execute(text("SELECT slug FROM department ORDER BY slug"))]


def refuse(work: Work) -> None:
    raise Conflict("No.")


def fail(work: Work) -> None:
    raise ZeroDivisionError


def note_a_float(work: Work) -> None:
    work.note(share=0.5)  # type: ignore[arg-type]


def note_too_much(work: Work) -> None:
    work.note(text="x" * 9000)


@pytest.mark.parametrize("then", [refuse, fail, note_a_float, note_too_much])
def test_what_fails_leaves_neither_its_change_nor_an_entry(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], log: Callable[[Tenant], Any], adding: Any, then: Any
) -> None:
    adding["do"] = then
    with pytest.raises(Exception):  # noqa: B017
        door.perform(cli(tenant), "test.add", {"slug": "claims"})
    assert departments(door, tenant) == []
    assert [event for event, _, _ in log(tenant)] == ["tenant.created"]
    adding["do"] = lambda work: None
    door.perform(cli(tenant), "test.add", {"slug": "claims"})
    assert departments(door, tenant) == ["claims"]
    assert [event for event, _, _ in log(tenant)] == ["tenant.created", "department.created"]


def test_a_change_that_cannot_be_audited_does_not_stand(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], sql_as_owner: Any
) -> None:
    with sql_as_owner(tenant) as owner:
        owner.execute("ALTER TABLE audit_entry ADD CONSTRAINT broken CHECK (seq < 2)")
        with pytest.raises(Exception):  # noqa: B017
            door.perform(cli(tenant), "departments.create", {"slug": "claims", "name": "Claims"})
        owner.execute("ALTER TABLE audit_entry DROP CONSTRAINT broken")
    assert departments(door, tenant) == []
    assert door.perform(cli(tenant), "audit.verify", {}).ok


@pytest.mark.parametrize(("change", "kind"), [
    ("UPDATE audit_entry SET content = replace(content, 'cli:tester', 'cli:texter') WHERE seq = 3", "altered"),
    ("UPDATE audit_entry SET chain_hash = sha256('') WHERE seq = 3", ""),
    ("DELETE FROM audit_entry WHERE seq = 3", ""),
])
def test_the_owners_edit_of_one_entry_is_named(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], sql_as_owner: Any, change: str, kind: str
) -> None:
    for slug in ("a", "b", "c", "d"):
        door.perform(cli(tenant), "departments.create", {"slug": slug, "name": slug})
    assert door.perform(cli(tenant), "audit.verify", {}).ok
    with sql_as_owner(tenant) as owner:
        assert owner.execute(change).rowcount == 1
    verified = door.perform(cli(tenant), "audit.verify", {})
    assert not verified.ok
    assert verified.verdicts[0].seq == 3, verified.verdicts
    assert verified.why


def test_a_cut_tail_does_not_fit_the_head(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], sql_as_owner: Any
) -> None:
    for slug in ("a", "b"):
        door.perform(cli(tenant), "departments.create", {"slug": slug, "name": slug})
    with sql_as_owner(tenant) as owner:
        owner.execute("DELETE FROM audit_entry WHERE seq = 3")
    assert not door.perform(cli(tenant), "audit.verify", {}).ok


def test_entries_hold_no_name_and_no_email(
    door: Door, tenant: Tenant, person: Callable[..., Caller], browser: Callable[[Tenant], Caller], sql_as_owner: Any
) -> None:
    person(tenant, ["operator"], ["claims"], email="ann.secret@acme.test")
    with pytest.raises(Exception, match="wrong"):
        door.perform(browser(tenant), "sessions.start", {"email": "Ann.Secret@acme.test", "password": "wrong password"})
    with sql_as_owner(tenant) as owner:
        said = " ".join(row[0] for row in owner.execute("SELECT content FROM audit_entry"))
    assert "session.refused" in said
    for word in ("ann", "secret", "acme", "Person", "wrong password"):
        assert word not in said
