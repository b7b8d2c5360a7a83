"""A process whose Postgres dies, goes away and comes back; and what a killed process leaves behind. All real."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

import workreef_app
from workreef_app import settings as settings_module
from workreef_app.services import process
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, OutcomeUnknown, Unavailable
from workreef_app.services.process import opened, trouble
from workreef_app.services.tenancy import embedded, server
from workreef_app.services.tenancy.embedded_files import is_server, postmaster
from workreef_app.services.tenancy.errors import TenancyError
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.settings import Settings

SLUG = "shaken"
PATIENCE = 20.0


@dataclass(frozen=True)
class Own:
    """A platform on a Postgres that its tests may kill."""

    settings: Settings
    door: Door
    pgdata: Path
    admin: Caller

    def first_process(self) -> int:
        found = postmaster(self.pgdata)
        assert found is not None
        return found.pid

    def processes(self) -> list[int]:
        numbers = (int(name) for name in os.listdir("/proc") if name.isdecimal())
        return [pid for pid in numbers if is_server(pid, self.pgdata)]

    def kill_all(self) -> None:
        for pid in (self.first_process(), *self.processes()):
            _kill(pid)

    def read(self) -> Any:
        return self.door.perform(self.admin, "me.read", {})


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def admin_of(door: Door) -> Caller:
    """An admin of a new tenant."""
    create_tenant(door.platform, slug=SLUG, name="Shaken")
    return Caller(door.platform.tenant(SLUG), "test-process", cli_user="tester")


def load(data_dir: Path, database_url: str = "") -> Settings:
    return settings_module.load(
        data_dir=data_dir, env="development", secret_key="t5Kq9Zr2Xw8Lm4Np7Vb1Yc6Hd3Gf0Js5", database_url=database_url,
        redis_url="", public_url="http://localhost:3999", port=3999, platform_key="local:platform", trusted_proxies="",
    )


@pytest.fixture(scope="module")
def own() -> Iterator[Own]:
    with tempfile.TemporaryDirectory(prefix="workreef-test-", ignore_cleanup_errors=True) as name:
        settings = load(Path(name))
        with opened(settings) as door:
            yield Own(settings, door, settings.data_dir / "postgres" / "pgdata", admin_of(door))


def until(what: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Its result as soon as it has one; what it may meet on the way is that the database is away, and nothing else."""
    deadline = time.monotonic() + patience
    while True:
        try:
            if result := what():
                return result
        except Unavailable:
            pass
        assert time.monotonic() < deadline, "it did not come back"
        threading.Event().wait(0.02)


def whole(own: Own) -> None:
    """Every entry is there, chained, and the log goes on."""
    assert own.door.perform(own.admin, "audit.verify", {}).ok
    assert trouble() is None
    assert own.door.outage.since is None


def busy(own: Own) -> subprocess.Popen[bytes]:
    """A backend that computes and so does not notice what happens around it."""
    code = (
        "import psycopg, sys\nwith psycopg.connect(sys.argv[1]) as c:\n print(flush=True)\n"
        " c.execute('SELECT count(*) FROM generate_series(1, 10000000000) g')"
    )
    url = own.door.platform.url.set(drivername="postgresql").render_as_string(hide_password=False)
    child = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout
    child.stdout.readline()
    return child


@pytest.mark.parametrize("killed", ["first process", "all", "a backend", "first process beside a busy backend"])
def test_a_killed_server_comes_back_by_itself(own: Own, killed: str) -> None:
    own.read()
    before = own.first_process()
    worker = busy(own) if killed.endswith("busy backend") else None
    old = set(own.processes()) - {before}
    if killed == "all":
        own.kill_all()
    elif killed == "a backend":
        with own.door.platform.control.connect() as connection:
            _kill(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
            connection.invalidate()
    else:
        _kill(before)
    try:
        # A process that is yet to be told of the death of another may still answer.
        until(lambda: not old & set(own.processes()) and own.read())
    finally:
        if worker is not None:
            worker.kill()
            worker.communicate()
    assert (own.first_process() == before) == (killed == "a backend")
    until(lambda: trouble() is None)
    whole(own)


def test_a_change_is_kept_or_not_and_never_half(own: Own) -> None:
    """Killed again and again while changes are made: what was said to be done is there, with its entry."""
    said: list[str] = []
    open_: list[str] = []
    for number in range(60):
        slug = f"kept{number}"
        if number % 20 == 7:
            own.kill_all()
        try:
            own.door.perform(own.admin, "departments.create", {"slug": slug, "name": slug})
            said.append(slug)
        except OutcomeUnknown:
            open_.append(slug)
        except Unavailable:
            until(own.read)
        except Conflict:
            raise AssertionError(slug) from None
    assert len(said) > 40
    with server.admin(own.door.platform.url, own.admin.tenant.url.database) as connection:
        connection.exec_driver_sql(f"SET ROLE {server.owner_role(str(own.admin.tenant.url.database))}")
        there = set(connection.execute(text("SELECT slug FROM department WHERE slug LIKE 'kept%'")).scalars())
        query = text("SELECT count(*) FROM audit_entry WHERE event = 'department.created'")
        entries = connection.execute(query).scalar_one()
    assert set(said) <= there <= {*said, *open_}
    assert entries == len(there)
    whole(own)


@pytest.mark.parametrize(
    ("moment", "name", "payload", "refusal"),
    [
        ("before_commit", "departments.create", {"slug": "at-commit", "name": "X"}, OutcomeUnknown),
        ("after_commit", "departments.create", {"slug": "at-flush", "name": "X"}, OutcomeUnknown),
        ("before_commit", "audit.list", {}, Unavailable),
    ],
)
def test_a_server_that_dies_at_the_commit(
    own: Own, moment: str, name: str, payload: dict[str, Any], refusal: type[Unavailable]
) -> None:
    own.read()

    killed: list[bool] = []

    def die(session: Session) -> None:
        if not killed:
            killed.append(True)
            own.kill_all()

    event.listen(Session, moment, die)
    try:
        with pytest.raises(Unavailable) as refused:
            own.door.perform(own.admin, name, payload)
    finally:
        event.remove(Session, moment, die)
    assert type(refused.value) is refusal
    unknown = refusal is OutcomeUnknown
    assert ("may or may not have been done. Look before you repeat it." in refused.value.detail) == unknown
    assert ("nothing was lost, try again" in refused.value.detail) != unknown
    assert (refused.value.retry_after is None) == unknown
    until(own.read)
    whole(own)


def test_while_the_server_cannot_start_it_is_said_and_nothing_is_made(own: Own) -> None:
    """As with a disk that is gone: an empty server in its place would look like lost data."""
    away = own.pgdata.with_name("away")
    own.pgdata.rename(away)
    try:
        for pid in (server_pid(away), *own.processes()):
            _kill(pid)
        found = until(lambda: (t := trouble()) and t.attempts and t)
        assert "missing or damaged" in found.reason
        with pytest.raises(Unavailable, match=r"does not answer since \d\d:\d\d:\d\d UTC; nothing was lost, try again"):
            own.read()
        first = own.door.outage.since
        with pytest.raises(Unavailable):
            own.read()
        assert isinstance(first, datetime)
        assert own.door.outage.since == first
        assert not own.pgdata.exists()
    finally:
        away.rename(own.pgdata)
    until(own.read)
    until(lambda: trouble() is None)
    whole(own)


def server_pid(pgdata: Path) -> int:
    found = postmaster(pgdata)
    assert found is not None
    return found.pid


def test_a_server_of_ones_own_that_goes_and_comes(own: Own) -> None:
    """At WORKREEF_DATABASE_URL nobody of ours starts it again; everything reconnects when somebody does."""
    with tempfile.TemporaryDirectory(prefix="workreef-test-") as name:
        data_dir = Path(name) / "postgres"
        theirs = embedded.start(data_dir)
        try:
            with opened(load(Path(name) / "ours", theirs.url())) as door:
                there = Own(own.settings, door, data_dir / "pgdata", admin_of(door))
                there.read()
                assert embedded.stop(data_dir)
                for _ in range(3):
                    with pytest.raises(Unavailable, match="does not answer since"):
                        there.door.perform(there.admin, "me.read", {})
                assert door.outage.since is not None
                assert embedded.start(data_dir) == theirs
                until(there.read)
                assert door.perform(there.admin, "audit.verify", {}).ok
                assert door.outage.since is None
        finally:
            embedded.stop(data_dir)


HOLDER = """
import sys, time
from pathlib import Path
from sqlalchemy import text
from tests.services import test_process
from workreef_app.services.operation import Actor, Event
from workreef_app.services.audit import log
from workreef_app.services.process import opened
from workreef_app.services.tenancy import server
from datetime import UTC, datetime
server.WORK_LIMITS["idle_in_transaction_session_timeout"] = sys.argv[2]
with opened(test_process.load(Path(sys.argv[1])), prepare=False) as door:
    tenant = door.platform.tenant(test_process.SLUG)
    with server.admin(door.platform.url) as admin, server.server_lock(admin):
        try:
            with door.platform.unit_of_work(tenant, Actor(id="cli:holder")) as session:
                log.append(session, log.content(
                    at=datetime.now(UTC), actor="cli:holder", persona=None, event=Event.DATA_READ, target=None,
                    department=None, detail={}, request="r",
                ))
                print("held", flush=True)
                if sys.argv[3] == "computing":
                    session.execute(text("SELECT pg_sleep(600)"))
                else:
                    sys.stdin.readline()
            print("committed", flush=True)
        except Exception as error:
            print(type(error).__name__, flush=True)
"""


def holder(own: Own, idle: str = "60s", doing: str = "waiting") -> subprocess.Popen[str]:
    """A process that holds the server's lock, the tenant's chain, and a lease."""
    root = str(Path(workreef_app.__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(own.settings.data_dir), idle, doing], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path])},
    )
    assert child.stdout
    assert child.stdout.readline() == "held\n"
    return child


@pytest.mark.parametrize("doing", ["waiting", "computing"])
def test_a_killed_process_leaves_nothing_locked(own: Own, doing: str) -> None:
    child = holder(own, doing=doing)
    child.kill()
    child.communicate()
    begun = time.monotonic()
    own.door.perform(own.admin, "departments.create", {"slug": f"free-{doing}", "name": "Free"})
    with server.admin(own.door.platform.url) as connection, server.server_lock(connection):
        pass
    assert time.monotonic() - begun < 5
    whole(own)


def test_a_process_that_stands_still_gives_way(own: Own) -> None:
    """It held the chain; the others go on, and when it wakes up it has done nothing."""
    child = holder(own, idle="500ms")
    os.kill(child.pid, signal.SIGSTOP)
    try:
        own.door.perform(own.admin, "departments.create", {"slug": "went-on", "name": "Went on"})
    finally:
        os.kill(child.pid, signal.SIGCONT)
    out, _ = child.communicate("\n")
    assert out.strip() not in {"", "committed"}
    whole(own)


FORKED = """
import os, sys
from pathlib import Path
from tests.services import test_process
from workreef_app.services.process import database_url
with database_url(test_process.load(Path(sys.argv[1]))) as url:
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
import threading
sys.exit(3 if any(t.name == "postgres-keeper" for t in threading.enumerate()) else 0)
"""


def test_a_forked_child_watches_nothing_and_ends_nothing(own: Own) -> None:
    before = own.first_process()
    root = str(Path(workreef_app.__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", FORKED, str(own.settings.data_dir)], timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path])},
    )
    assert ended.returncode == 0
    own.read()
    assert own.first_process() == before


def test_a_failure_outside_of_the_door_is_told_with_or_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = psycopg.OperationalError("10.0.0.5 refused")
    monkeypatch.setattr(process, "_current", [])
    refusal = process.refusal_of(gone)
    assert isinstance(refusal, Unavailable)
    assert "10.0.0.5" not in refusal.detail
    assert process.refusal_of(TenancyError("x")) is None
