"""Sending a file: pieces in order and once, by admins alone, kept sealed, and refused when the import takes no more."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from tests import imports
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Conflict, Invalid, NotFound, Reach, WrongPersona
from workreef_app.services.signals.models import CHUNK_BYTES
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
ADMIN = Actor(id="test", extra_reach=frozenset(Reach))
pytestmark = pytest.mark.usefixtures("fresh_limits")


@pytest.fixture
def admin(shared: Tenant, cli: Cli) -> Caller:
    return cli(shared)


@pytest.fixture
def run(door: Door, admin: Caller, own_department: str) -> Any:
    """An import that receives its file."""
    return door.perform(
        admin, "imports.start", {"kind": "log_file", "file_name": "a.log", "department": own_department}
    )


def chunk(door: Door, admin: Caller, run: Any, number: int, content: Any = b"x") -> Any:
    return door.perform(admin, "imports.add_chunk", {"import_id": run.id, "number": number, "content": content})


def spooled(door: Door, admin: Caller, run: Any) -> list[int]:
    with door.platform.unit_of_work(admin.tenant, ADMIN) as session:
        rows = session.execute(
            text("SELECT number FROM spool_chunk WHERE run_id = :id ORDER BY number"), {"id": run.id}
        )
        return [row.number for row in rows]


def test_an_import_begins_empty(run: Any) -> None:
    assert (run.status, run.reason, run.told, run.job_id) == ("receiving", None, "", None)
    assert (run.chunks, run.bytes_received, run.bytes_counted, run.lines) == (0, 0, 0, 0)


def test_pieces_are_kept_in_order_each_once(door: Door, admin: Caller, run: Any) -> None:
    assert chunk(door, admin, run, 0, b"ab").bytes_received == 2
    for number in (0, 2, 7):
        with pytest.raises(Conflict, match="chunk 1 is next"):
            chunk(door, admin, run, number)
    now = chunk(door, admin, run, 1, b"cde")
    assert (now.chunks, now.bytes_received) == (2, 5)
    assert spooled(door, admin, run) == [0, 1]


def test_of_the_same_piece_sent_by_many_at_once_one_is_kept(door: Door, admin: Caller, run: Any) -> None:
    def attempt(_: int) -> bool:
        try:
            chunk(door, admin, run, 0)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert spooled(door, admin, run) == [0]


@pytest.mark.parametrize("content", [
    b"", "", b"x" * (CHUNK_BYTES + 1), base64.b64encode(b"x" * (CHUNK_BYTES + 1)).decode(), "not base64!", "YQ",
    "YQ==\n", "é", 7, None, ["YQ=="],
])
def test_what_is_no_piece_is_refused(door: Door, admin: Caller, run: Any, content: Any) -> None:
    with pytest.raises(Invalid) as refused:
        chunk(door, admin, run, 0, content)
    assert list(refused.value.fields) == ["content"]
    assert spooled(door, admin, run) == []


def test_a_piece_of_any_bytes_and_of_the_full_size_is_kept(door: Door, admin: Caller, run: Any) -> None:
    chunk(door, admin, run, 0, bytes(range(256)) * (CHUNK_BYTES // 256))
    now = chunk(door, admin, run, 1, base64.b64encode(b"\x00\n\xff").decode())
    assert now.bytes_received == CHUNK_BYTES + 3


@pytest.mark.parametrize("gzip", [False, True])
def test_a_piece_that_cannot_be_packed_is_kept(door: Door, admin: Caller, gzip: bool, own_department: str) -> None:
    run = door.perform(admin, "imports.start", {
        "kind": "log_file", "file_name": "a", "department": own_department, "gzip": gzip,
    })
    assert chunk(door, admin, run, 0, os.urandom(CHUNK_BYTES)).bytes_received == CHUNK_BYTES


@pytest.mark.parametrize(("payload", "field"), [
    ({"kind": "jira"}, "kind"), ({"file_name": ""}, "file_name"), ({"file_name": "x" * 256}, "file_name"),
    ({"file_name": "a\x00b"}, "file_name"), ({"department": "nowhere"}, "department"),
    ({"timezone": "Europe/Nowhere"}, "timezone"), ({"timezone": "../etc"}, "timezone"), ({"timezone": ""}, "timezone"),
    ({"year": 1969}, "year"), ({"year": 10_000}, "year"), ({"gzip": "perhaps"}, "gzip"), ({"more": 1}, "more"),
])
def test_an_import_of_what_cannot_be_is_refused(
    door: Door, standing: list[Tenant], cli: Cli, payload: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        door.perform(cli(standing[0]), "imports.start", {"kind": "log_file", "file_name": "a.log", **payload})
    assert field in refused.value.fields


def test_a_closed_import_takes_no_more_and_is_closed_once(door: Door, admin: Caller, run: Any) -> None:
    chunk(door, admin, run, 0)
    closed = door.perform(admin, "imports.close", {"import_id": run.id, "whole": True})
    assert closed.status == "queued"
    assert closed.job_id is not None
    with pytest.raises(Conflict, match="takes no more"):
        chunk(door, admin, run, 1)
    for whole in (True, False):
        with pytest.raises(Conflict, match="takes no more"):
            door.perform(admin, "imports.close", {"import_id": run.id, "whole": whole})
    with door.platform.unit_of_work(admin.tenant, ADMIN) as session:
        found = session.execute(text("SELECT kind, status FROM job WHERE subject = :id"), {"id": run.id}).all()
    assert [tuple(row) for row in found] == [("import", "queued")]


NAMES = {
    "imports.add_chunk": {"number": 0, "content": b"x"}, "imports.close": {"whole": True}, "imports.read": {},
    "imports.cancel": {},
}


@pytest.mark.parametrize("name", NAMES)
def test_only_an_admin_sends_and_an_import_that_is_not_is_not_found(
    door: Door, shared: Tenant, admin: Caller, run: Any, person: Any, own_department: str, log: Any, name: str
) -> None:
    caller = person(shared, ["operator", "dept_lead", "change_leader", "contributor"], [own_department])
    with pytest.raises(WrongPersona):
        door.perform(caller, name, {"import_id": run.id, **NAMES[name]})
    assert log(shared)[-1][0] == "scope.denied"
    with pytest.raises(NotFound):
        door.perform(admin, name, {"import_id": shared.info.id, **NAMES[name]})


@pytest.mark.parametrize("name", NAMES)
def test_another_tenants_import_is_not_found(
    door: Door, run: Any, standing: list[Tenant], cli: Cli, name: str
) -> None:
    with pytest.raises(NotFound):
        door.perform(cli(standing[0]), name, {"import_id": run.id, **NAMES[name]})


def test_only_an_admin_opens_an_import(door: Door, shared: Tenant, person: Any, own_department: str) -> None:
    caller = person(shared, ["operator", "dept_lead", "change_leader"], [own_department])
    with pytest.raises(WrongPersona):
        door.perform(caller, "imports.start", {"kind": "log_file", "file_name": "a", "department": own_department})


def test_the_spool_is_hidden_even_from_those_whose_department_it_is(
    door: Door, shared: Tenant, admin: Caller, run: Any, person: Any, own_department: str
) -> None:
    """They see the import, and never the raw text."""
    chunk(door, admin, run, 0)
    actor, _ = door.actor(person(shared, ["operator", "dept_lead"], [own_department])) or (Actor(id="nobody"), None)
    with door.platform.unit_of_work(shared, actor) as session:
        seen = session.execute(text("SELECT count(*) FROM import_run WHERE id = :id"), {"id": run.id}).scalar()
        assert seen == 1
        assert session.execute(text("SELECT count(*) FROM spool_chunk")).scalar() == 0


def test_what_waits_is_sealed(door: Door, admin: Caller, run: Any, sql_as_owner: Any) -> None:
    chunk(door, admin, run, 0, b"patient zebra waits\n" * 50)
    with sql_as_owner(admin.tenant) as owner:
        (content,) = owner.execute("SELECT content FROM spool_chunk WHERE run_id = %s", (run.id,)).fetchone()
    assert content[0] == 1
    assert b"zebra" not in content


def test_every_step_is_told_in_the_audit_log(
    door: Door, shared: Tenant, admin: Caller, run: Any, log: Any
) -> None:
    chunk(door, admin, run, 0, b"no time\n")
    closed = door.perform(admin, "imports.close", {"import_id": run.id, "whole": True})
    imports.work(door, admin, closed)
    told = [(event, actor) for event, actor, target in log(shared) if target == f"import:{run.id}"]
    job = f"job:{closed.job_id}"
    assert told == [
        ("import.started", "cli:tester"), ("import.received", "cli:tester"), ("import.received", "cli:tester"),
        ("import.advanced", job), ("import.advanced", job), ("import.finished", job),
    ]
