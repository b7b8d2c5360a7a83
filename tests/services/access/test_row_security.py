"""Every tenant table that there is: nobody reads or writes a row of another department or another person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, IntegrityError

from tests.rows import Catalogue, Row, insert, side
from workreef_app.services.tenancy.platform import Tenant

EVERY_REACH = "all_work,all_audit,people,settings"
#: Tables that name a person and are read by everybody all the same, each with the reason. Writing them is not excepted.
READ_BY_ALL: dict[str, str] = {}


@dataclass
class House:
    """Rows of two departments with a person each, and of a colleague in the first one."""

    catalogue: Catalogue
    owner: psycopg.Connection[Any]
    app: psycopg.Connection[Any]
    a: dict[str, Row]
    b: dict[str, Row]
    colleague: dict[str, Row]

    def enter(self, rows: dict[str, Row] | None, *, departments: bool = True, reach: str = "") -> None:
        """Has the app role act in the scope of the person of these rows, or in none at all."""
        person = str(rows["person"]["id"]) if rows else ""
        own = str(rows["department"]["id"]) if rows and departments else ""
        values = {"actor": f"person:{person}" if rows else "", "person": person, "departments": own, "reach": reach}
        for name, value in values.items():
            self.app.execute("SELECT set_config(%s, %s, false)", (f"workreef.{name}", value))

    def changed(self, statement: sql.Composed, values: list[Any]) -> int | None:
        """How many rows a statement of the app role finds; None when a policy or a grant refuses it. Nothing stays."""
        try:
            with self.app.transaction(force_rollback=True):
                return self.app.execute(statement, values).rowcount
        except InsufficientPrivilege:
            return None
        except IntegrityError:
            return 1  # the policies let it through, and another rule stopped it

    def where(self, table: str, row: Row) -> tuple[sql.Composed, list[Any]]:
        names = self.catalogue.primary[table]
        parts = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in names]
        return sql.SQL(" AND ").join(parts), [row[name] for name in names]

    def reads(self, table: str, row: Row) -> bool:
        where, values = self.where(table, row)
        return bool(self.changed(sql.SQL("SELECT 1 FROM {} WHERE {}").format(sql.Identifier(table), where), values))

    def deletes(self, table: str, row: Row) -> bool:
        where, values = self.where(table, row)
        return bool(self.changed(sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(table), where), values))

    def updates(self, table: str, row: Row, new: Row | None = None) -> bool:
        """Whether it changes a row: to the new values together, or any one column to what it is."""
        where, values = self.where(table, row)
        columns = [{c.name: row[c.name]} for c in self.catalogue.columns[table] if not c.made and c.name in row]
        for given in [new] if new else columns:
            sets = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in given)
            statement = sql.SQL("UPDATE {} SET {} WHERE {}").format(sql.Identifier(table), sets, where)
            if self.changed(statement, [*given.values(), *values]):
                return True
        return False

    def inserts(self, table: str, rows: dict[str, Row]) -> bool:
        """Whether it may add a row of this table that belongs to these rows."""
        if table == "audit_entry":
            row = {"seq": 10**9, "content": "{}", "chain_hash": bytes(32)}
        else:
            row = self.catalogue.row(table, {name: rows[name] for name in rows if name != table})
        try:
            with self.app.transaction(force_rollback=True):
                insert_plain(self.app, table, row)
        except InsufficientPrivilege:
            return False
        except IntegrityError:
            return True
        return True


def insert_plain(connection: psycopg.Connection[Any], table: str, row: Row) -> None:
    """Adds a row without asking to read it back."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in row)
    values = sql.SQL(", ").join(sql.Placeholder() * len(row))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, values)
    connection.execute(statement, list(row.values()))


_built: dict[str, tuple[Catalogue, dict[str, Row], dict[str, Row], dict[str, Row]]] = {}


@pytest.fixture
def house(shared: Tenant, sql_as_owner: Any, sql_as_app: Any) -> Iterator[House]:
    """Built once; the tests keep nothing of what they change."""
    with sql_as_owner(shared) as owner, sql_as_app(shared) as app:
        if shared.info.slug not in _built:
            catalogue = Catalogue.read(owner)
            a, b = side(owner, catalogue), side(owner, catalogue)
            known = {table: a[table] for table in a if not _personal(catalogue, table)}
            _built[shared.info.slug] = catalogue, a, b, side(owner, catalogue, known)
        catalogue, a, b, colleague = _built[shared.info.slug]
        yield House(catalogue, owner, app, a, b, colleague)


def _personal(catalogue: Catalogue, table: str) -> bool:
    """Whether a table is of people, or each of its rows of one."""
    return table == "person" or any(column.name == "person_id" for column in catalogue.columns[table])


def test_the_walk_finds_the_tables_that_have_a_department_or_a_person(house: House) -> None:
    """By a column, by a foreign key, and through other tables; and every table of the database is secured."""
    scoped = house.catalogue.scoped()
    assert {"department", "person", "task", "decision", "audit_entry"} <= scoped
    assert {"seen_line", "analysis", "spool_chunk", "effect", "alarm_delivery", "session", "person_note"} <= scoped
    assert not {"audit_head", "data_key", "setting"} & scoped
    assert set(READ_BY_ALL) <= scoped, "an exception for a table that is gone"
    open_ones = house.owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relrowsecurity AND relname <> 'alembic_version'"
    ).fetchall()
    assert open_ones == []
    other_ways = house.owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')"
    ).fetchall()
    assert other_ways == [], "a view runs as its owner, past the policies"


def test_every_row_is_there_for_those_whose_it_is(house: House) -> None:
    """Without this, the tests below would be satisfied by a database that shows nothing to anybody."""
    seen = set()
    for table in house.catalogue.scoped():
        house.enter(house.b)
        own = house.reads(table, house.b[table])
        house.enter(house.b, reach=EVERY_REACH)
        assert own or house.reads(table, house.b[table]), f"nobody can read {table}"
        seen.add(table if own else "")
    assert {"department", "person", "task", "observation", "decision", "alarm", "person_note", "audit_entry"} <= seen


@pytest.mark.parametrize("operator", [True, False], ids=["operator", "contributor"])
def test_nobody_reads_or_writes_a_row_of_another_department_and_person(house: House, operator: bool) -> None:
    house.enter(house.a, departments=operator)
    faults = []
    for table in sorted(house.catalogue.scoped()):
        theirs, mine = house.b[table], house.a[table]
        points = [column for column in house.catalogue.columns[table] if column.parent and not column.made]
        elsewhere = {c.name: theirs[c.name] for c in points if theirs[c.name] != mine[c.name]}
        faults += [f"reads {table}"] * (table not in READ_BY_ALL and house.reads(table, theirs))
        faults += [f"updates {table}"] * house.updates(table, theirs)
        faults += [f"deletes {table}"] * house.deletes(table, theirs)
        faults += [f"inserts {table}"] * house.inserts(table, house.b)
        faults += [f"moves {table}"] * (bool(elsewhere) and house.updates(table, mine, elsewhere))
    assert not faults


def test_nobody_writes_in_the_name_of_a_colleague_of_the_same_department(house: House) -> None:
    house.enter(house.a)
    personal = [table for table in sorted(house.catalogue.scoped()) if _personal(house.catalogue, table)]
    assert len(personal) > 6
    assert house.reads("person", house.colleague["person"]), "they do know each other"
    assert house.reads("person_note", house.colleague["person_note"]), "what was told to the department is read there"
    faults = []
    for table in personal:
        faults += [f"updates {table}"] * house.updates(table, house.colleague[table])
        faults += [f"deletes {table}"] * house.deletes(table, house.colleague[table])
        faults += [f"inserts {table}"] * house.inserts(table, house.colleague)
    assert not faults


def test_nobody_writes_what_belongs_to_the_own_department_and_a_stranger(house: House) -> None:
    house.enter(house.a)
    mixed = {**house.a, "person": house.b["person"]}
    tables = [t for t in house.catalogue.scoped() if {"person", "department"} <= house.catalogue.parents(t)]
    assert {"membership", "decision", "alarm", "person_note"} <= set(tables)
    assert [table for table in tables if house.inserts(table, mixed)] == []


@pytest.mark.parametrize("held", ["unset", "empty"])
def test_without_a_scope_the_app_role_sees_no_row_of_any_table(
    house: House, shared: Tenant, sql_as_app: Any, held: str
) -> None:
    with sql_as_app(shared) as fresh:
        house.app = fresh
        if held == "empty":  # as a reused connection holds them
            house.enter(None)
        for table in house.catalogue.columns:
            count = fresh.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()[0]
            assert count == 0, table
            if table in house.b:
                assert not house.inserts(table, house.b), table


def test_what_is_not_scoped_is_still_written_by_those_alone_who_may(house: House) -> None:
    """Settings are read by everyone and changed by admins; nobody deletes what they may only read."""
    house.owner.execute(
        "INSERT INTO setting (name, number, version, updated_at) VALUES ('digest.hour', 5, 1, now())"
        " ON CONFLICT DO NOTHING"
    )
    row = {"name": "digest.hour"}
    house.enter(house.a)
    assert house.reads("setting", row)
    assert not house.updates("setting", row)
    assert not house.deletes("setting", row)
    house.enter(house.a, reach="settings")
    assert house.updates("setting", row)


def test_a_table_without_a_policy_would_be_found(house: House) -> None:
    """The walk sees a table that somebody adds tomorrow and forgets to secure."""
    with house.owner.transaction(force_rollback=True):
        house.owner.execute("CREATE TABLE forgotten (id uuid PRIMARY KEY, task_id uuid NOT NULL REFERENCES task (id))")
        found = Catalogue.read(house.owner)
        assert "forgotten" in found.scoped()
        row = insert(house.owner, "forgotten", found.row("forgotten", house.b))
        house.owner.execute("GRANT SELECT ON forgotten TO workreef_tenant_app")
        house.owner.execute("SET LOCAL ROLE workreef_tenant_app")
        assert house.owner.execute("SELECT task_id FROM forgotten").fetchall() == [(row["task_id"],)]
