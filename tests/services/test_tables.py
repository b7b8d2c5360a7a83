"""A walk over every tenant table: each column tagged, sealed or bounded, each table behind row-level security."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from workreef_app.services.door import Door
from workreef_app.services.operation import Actor
from workreef_app.services.tables import metadata
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.vault.columns import Sealed, Sensitivity

COLUMNS = [column for table in metadata.sorted_tables for column in table.columns]
NAMES = [str(column) for column in COLUMNS]
TABLES = sorted(metadata.tables)
AUDIT = {"audit_entry", "audit_head", "audit_node", "audit_checkpoint", "audit_lookup"}
MUST_BE_SEALED = {Sensitivity.PERSONAL, Sensitivity.HEALTH, Sensitivity.SECRET}
#: What may stand in clear: ids, numbers, enums, bounded patterns and times.
CLEAR = (Uuid, BigInteger, Integer, SmallInteger, Boolean, DateTime, Text, LargeBinary)


def bounds(column: Column[Any]) -> list[str]:
    """The CHECKs of the column's table that speak of this column."""
    checks = (c for c in column.table.constraints if isinstance(c, CheckConstraint))
    return [str(c.sqltext) for c in checks if c.name == f"{column.table.name}_{column.name}_bounds"]


def faults(column: Column[Any]) -> Iterator[str]:
    """What is wrong with a column's declaration."""
    tag = column.info.get("sensitivity")
    if not isinstance(tag, Sensitivity):
        yield "has no sensitivity"
    if isinstance(column.type, Sealed):
        if (column.type.table, column.type.column) != (column.table.name, column.name):
            yield "is sealed for another column"
        if not bounds(column) or "get_byte" not in bounds(column)[0]:
            yield "is sealed without a CHECK of its form"
        return
    if tag in MUST_BE_SEALED:
        yield f"is {tag} and not sealed"
    if type(column.type) not in CLEAR:
        yield f"is {column.type!r} in clear"
    computed_for_audit = column.table.name in AUDIT and column.computed is not None
    if isinstance(column.type, Text | LargeBinary) and not bounds(column) and not computed_for_audit:
        yield "is text or bytes without a pattern or a length"


@pytest.mark.parametrize("column", COLUMNS, ids=NAMES)
def test_a_column_is_tagged_sealed_or_bounded(column: Column[Any]) -> None:
    assert list(faults(column)) == []


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (Column("a", Text), "has no sensitivity"),
        (Column("a", Text, info={"sensitivity": Sensitivity.PERSONAL, "limit": 10, "pattern": None}), "not sealed"),
        (Column("a", Text, info={"sensitivity": Sensitivity.INTERNAL, "limit": None, "pattern": None}), "without a"),
        (Column("a", LargeBinary, info={"sensitivity": Sensitivity.PUBLIC}), "without a"),
    ],
)
def test_a_column_that_is_not_is_found(column: Column[Any], fault: str) -> None:
    Table("elsewhere", MetaData(), column)
    assert any(fault in found for found in faults(column))


def test_every_walk_has_something_to_walk_over() -> None:
    assert len(TABLES) >= 19
    assert len(COLUMNS) > 100
    assert sum(isinstance(column.type, Sealed) for column in COLUMNS) >= 12


@pytest.fixture
def schema(door: Door, standing: list[Tenant]) -> Any:
    """Runs a query on the catalogue of a tenant's real database."""

    def query(sql: str, **values: Any) -> list[Any]:
        with door.platform.unit_of_work(standing[0], Actor(id="test")) as session:
            return list(session.execute(text(sql), values).all())

    return query


def test_the_database_has_these_tables_and_no_other(schema: Any) -> None:
    rows = schema(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
    )
    assert sorted(r[0] for r in rows) == sorted([*TABLES, "alembic_version"])


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_behind_row_level_security_with_a_policy_that_asks_who(schema: Any, table: str) -> None:
    assert schema("SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(:t)", t=table) == [(True,)]
    policies = schema(
        "SELECT permissive, roles::text[], cmd, qual, with_check FROM pg_policies WHERE tablename = :t", t=table
    )
    assert {(p.permissive, *p.roles) for p in policies} == {("PERMISSIVE", "public")}
    asks = ("wr_actor", "wr_person", "wr_departments", "wr_reach", "FROM source", "FROM task", "FROM job", "FROM alarm",
            "FROM api_token")
    for policy in policies:
        rules = [policy.with_check] if policy.cmd == "INSERT" else [policy.qual]
        rules += [policy.with_check] if policy.cmd == "UPDATE" or (policy.cmd == "ALL" and policy.with_check) else []
        assert all(any(word in rule for word in asks) for rule in rules), policy
    covered = {policy.cmd for policy in policies}
    for (command,) in schema(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        " WHERE table_name = :t AND grantee = 'workreef_tenant_app'", t=table
    ):
        assert covered & {command, "ALL"}, f"{command} is granted and no policy rules it"


@pytest.mark.parametrize(("table", "column"), [
    (name, column) for name, table in sorted(metadata.tables.items())
    for column in ("department_id", "department", "person_id") if column in table.columns
])
def test_who_and_which_department_stand_in_the_policy_of_a_table_that_has_them(
    schema: Any, table: str, column: str
) -> None:
    (rule,) = schema(
        "SELECT qual, with_check FROM pg_policies WHERE tablename = :t AND cmd IN ('ALL', 'SELECT')", t=table
    )
    scope_of_person = {
        "decision": "department_id", "invitation": "people", "person_persona": "person_id",
        "setting_change": "all_audit",
        "redaction_change": "all_audit",
    }
    named = scope_of_person.get(table, column) if column == "person_id" else column
    assert named in rule.qual


@pytest.mark.parametrize("table", [t for t in TABLES if "department_id" in metadata.tables[t].columns])
def test_a_write_is_checked_against_the_department_too(schema: Any, table: str) -> None:
    (rule,) = schema(
        "SELECT with_check FROM pg_policies WHERE tablename = :t AND cmd IN ('ALL', 'INSERT')", t=table
    )
    assert rule.with_check is not None
    parents = {"source", "task", "membership", "job", "alarm"}
    assert ("EXISTS" in rule.with_check) == (table not in parents)
