"""Whether a row that looks missing exists outside one's scope: every kind that can be asked for by id is known."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

import workreef_app.services
from tests.services.conftest import AUDITOR
from workreef_app.services.access.lookup import KINDS
from workreef_app.services.door import Door
from workreef_app.services.tenancy.platform import Tenant

SERVICES = Path(workreef_app.services.__file__).parent
#: What is missing without being a row of the tenant's: names of the program's own, and a part of an import.
NO_ROWS = {"operation", "kind of job", "chunk"}
#: Entries of the audit log have numbers, not ids.
BY_NUMBER = {"entry"}


def refused() -> Iterator[str]:
    """Each kind of row that some operation says there is none of."""
    for path in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotFound":
                kind = node.args[0]
                yield from (str(kind.value),) if isinstance(kind, ast.Constant) else KINDS


def test_the_database_knows_every_kind_of_row_that_can_look_missing(door: Door, shared: Tenant) -> None:
    with door.platform.unit_of_work(shared, AUDITOR) as session:
        body = session.execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'row_exists'")).scalar_one()
    asked = set(refused()) - NO_ROWS - BY_NUMBER
    assert asked
    assert [kind for kind in sorted(asked) if f"WHEN '{kind}'" not in body] == []
