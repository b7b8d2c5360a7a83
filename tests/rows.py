"""Rows for every table of a live database, made from its catalogue: columns, foreign keys, CHECKs; no list of ours."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID, uuid4

import psycopg
from hypothesis import Phase, find
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from psycopg import sql
from psycopg.rows import dict_row

Row = dict[str, Any]
COLUMNS = """
SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AS needed,
  a.attgenerated <> '' AS made
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relname <> 'alembic_version' ORDER BY c.relname, a.attnum
"""
KEYS = """
SELECT k.conrelid::regclass::text AS "table", k.confrelid::regclass::text AS parent, a.attname AS name,
  b.attname AS key
FROM pg_constraint k
  JOIN unnest(k.conkey, k.confkey) AS p(mine, theirs) ON true
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.mine
  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.theirs
WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
"""
CHECKS = """
SELECT conrelid::regclass::text AS "table", pg_get_constraintdef(oid) AS rule FROM pg_constraint
WHERE contype = 'c' AND connamespace = 'public'::regnamespace
"""
PRIMARY = """
SELECT k.conrelid::regclass::text AS "table", a.attname AS name FROM pg_constraint k
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.contype = 'p' AND k.connamespace = 'public'::regnamespace
"""
#: Columns that name a department or a person without a foreign key.
NAMED = re.compile(r"(^|_)(department|person)(_id)?$")


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it; `made` by the database, or pointing to the table and column of `parent`."""

    name: str
    type: str
    needed: bool
    made: bool
    parent: tuple[str, str] | None
    rules: str


@dataclass
class Catalogue:
    """The tables of a database, and how to make a row of each."""

    columns: dict[str, list[Column]]
    primary: dict[str, list[str]]
    key_id: UUID
    _used: set[tuple[str, str, str]] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Catalogue:
        with connection.cursor(row_factory=dict_row) as cursor:
            keys = {(k["table"], k["name"]): (k["parent"], k["key"]) for k in cursor.execute(KEYS.encode()).fetchall()}
            rules: dict[str, list[str]] = {}
            for check in cursor.execute(CHECKS.encode()).fetchall():
                rules.setdefault(check["table"], []).append(check["rule"])
            columns: dict[str, list[Column]] = {}
            for c in cursor.execute(COLUMNS.encode()).fetchall():
                mine = " ".join(rule for rule in rules.get(c["table"], []) if re.search(rf"\b{c['name']}\b", rule))
                parent = keys.get((c["table"], c["name"]))
                columns.setdefault(c["table"], []).append(
                    Column(c["name"], c["type"], c["needed"], c["made"], parent, mine)
                )
            primary: dict[str, list[str]] = {}
            for part in cursor.execute(PRIMARY.encode()).fetchall():
                primary.setdefault(part["table"], []).append(part["name"])
            (key,) = cursor.execute("SELECT id FROM data_key").fetchall()
        return cls(columns, primary, key["id"])

    def parents(self, table: str) -> set[str]:
        return {column.parent[0] for column in self.columns[table] if column.parent} - {table}

    def order(self) -> list[str]:
        """All tables, each after those that it points to."""
        return list(TopologicalSorter({table: self.parents(table) for table in self.columns}).static_order())

    def scoped(self) -> set[str]:
        """Tables of departments and people, that name one, or that point to a table that does, however far."""
        found = {"department", "person"}
        for table in self.order():
            if self.parents(table) & found or any(NAMED.search(column.name) for column in self.columns[table]):
                found.add(table)
        return found

    def row(self, table: str, rows: dict[str, Row]) -> Row:
        """A new row of a table that points to the given rows; what may be empty and points nowhere is."""
        return {
            column.name: self._value(table, column, rows) for column in self.columns[table]
            if not column.made and (column.needed or column.parent)
        }

    def _value(self, table: str, column: Column, rows: dict[str, Row]) -> Any:
        if column.parent and column.parent[0] in rows:
            return rows[column.parent[0]][column.parent[1]]
        if column.type == "uuid":
            return uuid4() if column.parent is None else None
        if column.type == "bytea":
            return self._bytes(column)
        if column.type == "text":
            return self._text(table, column)
        if column.type.startswith("timestamp"):
            return datetime.now(UTC)
        if column.type == "boolean":
            return False
        return next(self._numbers) if column.name in self.primary[table] else 1

    def _bytes(self, column: Column) -> bytes:
        size = int(re.findall(r"octet_length\(\w+\) (?:>=|=) (\d+)", column.rules)[0])
        sealed = "get_byte" in column.rules
        return (b"\x01" + self.key_id.bytes + os.urandom(size))[:size] if sealed else os.urandom(size)

    def _text(self, table: str, column: Column) -> str:
        pattern = re.search(rf"\b{column.name} ~ '((?:[^']|'')*)'", column.rules)
        if pattern is None:
            return "made"
        fits = st.from_regex(pattern[1].replace("''", "'"), fullmatch=True).filter(lambda text: not text.endswith("\n"))
        options = hypothesis_settings(database=None, deadline=None, derandomize=True, phases=[Phase.generate])
        try:
            found: str = find(fits, lambda text: (table, column.name, text) not in self._used, settings=options)
        except NoSuchExample:  # every word of a short list is taken: then it need not be a new one
            found = find(fits, lambda text: True, settings=options)
        self._used.add((table, column.name, found))
        return found


def insert(connection: psycopg.Connection[Any], table: str, row: Row) -> Row:
    """Adds a row, and gives it as the database has it; the audit log takes entries by its own function only."""
    with connection.cursor(row_factory=dict_row) as cursor:
        if table == "audit_entry":
            return _entry(cursor, row)
        names = [sql.Identifier(name) for name in row]
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            sql.Identifier(table), sql.SQL(", ").join(names), sql.SQL(", ").join(sql.Placeholder() * len(row))
        )
        found: Row = cursor.execute(statement, list(row.values())).fetchone()  # type: ignore[assignment]
        return found


def _entry(cursor: psycopg.Cursor[Row], row: Row) -> Row:
    content = {"at": "2026-11-24T00:00:00.000000Z", "event": "data.read", "target": None, "persona": None,
               "detail": {}, "request": "test", "actor": row["actor"], "department": row["department"]}
    cursor.execute("SELECT audit_append(%s)", [json.dumps(content, sort_keys=True, separators=(",", ":"))])
    cursor.execute("SELECT * FROM audit_entry ORDER BY seq DESC LIMIT 1")
    return cursor.fetchone() or {}


def side(
    connection: psycopg.Connection[Any], catalogue: Catalogue, given: dict[str, Row] | None = None
) -> dict[str, Row]:
    """A row of every scoped table, all of one department and one person; `given` rows are taken as they are."""
    rows, scoped = dict(given or {}), catalogue.scoped()
    for table in (table for table in catalogue.order() if table in scoped and table not in rows):
        if table == "audit_entry":
            rows[table] = insert(connection, table, {
                "actor": f"person:{rows['person']['id']}", "department": str(rows["department"]["id"])
            })
        else:
            rows[table] = insert(connection, table, catalogue.row(table, rows))
    return rows
