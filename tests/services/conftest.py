"""Shared by the tests of the services: a clock to turn, connections beside the product, and imports in one call."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, text

from tests import imports
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Reach
from workreef_app.services.signals import advancing
from workreef_app.services.signals.runs import Import
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.settings import Settings

Sql = psycopg.Connection[Any]
AUDITOR = Actor(id="test", extra_reach=frozenset({Reach.ALL_AUDIT}))
_numbers = itertools.count(1)
START = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def door(door: Door, settings: Settings) -> Iterator[Door]:
    """The door; at its end the server stops without writing a checkpoint of all that is thrown away with it."""
    yield door
    for file in (settings.data_dir / "postgres").glob("*/postmaster.pid"):
        os.kill(int(file.read_text().splitlines()[0]), signal.SIGQUIT)


@pytest.fixture(scope="session")
def standing(door: Door) -> list[Tenant]:
    """Three tenants that all tests share, for those that leave no trace: one of its own costs a fifth of a second."""
    for number in range(3):
        create_tenant(door.platform, slug=f"standing{number}", name=f"Standing {number}")
    return [door.platform.tenant(f"standing{number}") for number in range(3)]


@pytest.fixture(scope="module")
def shared(door: Door, request: pytest.FixtureRequest) -> Tenant:
    """One tenant for the tests of a module that keep out of each other's way, as by departments of their own."""
    slug = "m-" + hashlib.sha256(str(request.path).encode()).hexdigest()[:12]
    create_tenant(door.platform, slug=slug, name="Shared")
    return door.platform.tenant(slug)


@pytest.fixture
def own_department(department: Callable[[Tenant, str], Any], shared: Tenant) -> str:
    """A department of this test alone in the shared tenant."""
    slug = f"d{next(_numbers)}"
    department(shared, slug)
    return slug


@pytest.fixture
def fresh_limits(door: Door) -> None:
    """What earlier tests asked for from the same address does not count."""
    door.limits.limiter.storage.reset()


@dataclass
class Clock:
    """A clock that stands until it is turned."""

    now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(door: Door, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The door's clock."""
    clock = Clock()
    monkeypatch.setattr(door, "clock", clock)
    return clock


def conninfo(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def sql_as_app() -> Callable[[Tenant], AbstractContextManager[Sql]]:
    """An autocommit connection to the tenant's database with the app role's own password; no scope is set."""

    @contextmanager
    def connect(tenant: Tenant) -> Iterator[Sql]:
        with psycopg.connect(conninfo(tenant.url), autocommit=True) as connection:
            yield connection

    return connect


@pytest.fixture
def sql_as_owner(door: Door) -> Callable[[Tenant], AbstractContextManager[Sql]]:
    """An autocommit connection to the tenant's database as the role that owns its tables."""

    @contextmanager
    def connect(tenant: Tenant) -> Iterator[Sql]:
        database = str(tenant.url.database)
        with psycopg.connect(conninfo(door.platform.url.set(database=database)), autocommit=True) as connection:
            connection.execute(f"SET ROLE {server.owner_role(database)}")
            yield connection

    return connect


def set_scope(connection: Sql, **values: str) -> None:
    """Sets `workreef.<name>` for the connection, as the product does for a unit of work."""
    for name, value in values.items():
        connection.execute("SELECT set_config(%s, %s, false)", (f"workreef.{name}", value))


@pytest.fixture
def scoped() -> Callable[..., None]:
    return set_scope


def log_line(message: str, minutes: int, raw: str | None = None) -> dict[str, Any]:
    """A line as the import operations take it, `minutes` after 1 October 2026."""
    moment = START + timedelta(minutes=minutes)
    text = raw if raw is not None else f"{moment.isoformat()} {message}"
    return {"at": moment, "message": message, "identity": hashlib.sha256(text.encode()).hexdigest()}


@pytest.fixture
def line() -> Callable[..., dict[str, Any]]:
    """Makes a line of an import: `line("disk full", minutes)`."""
    return log_line


@pytest.fixture
def import_lines(
    door: Door, cli: Callable[[Tenant], Caller], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Import]:
    """Imports lines as an admin, in steps of `size`: `import_lines(tenant, lines, "claims", size=100)`."""

    def run(
        tenant: Tenant, lines: Sequence[dict[str, Any]], department: str | None = None, *, name: str = "app.log",
        size: int = 5000,
    ) -> Import:
        admin = cli(tenant)
        closed = imports.send(door, admin, imports.as_text(lines), department, name=name)
        with monkeypatch.context() as steps:
            steps.setattr(advancing, "BATCH_LINES", size)
            done = imports.work(door, admin, closed)
        assert done.status == "finished", done
        return done

    return run


@pytest.fixture
def department(door: Door, cli: Callable[[Tenant], Caller]) -> Callable[[Tenant, str], Any]:
    """Makes a department."""
    return lambda tenant, slug: door.perform(
        cli(tenant), "departments.create", {"slug": slug, "name": slug.capitalize()}
    )


@pytest.fixture
def log(door: Door, cli: Callable[[Tenant], Caller]) -> Callable[[Tenant], list[tuple[str, str, str]]]:
    """The tenant's audit entries, oldest first, as (event, actor, target), read beside the door."""

    def read(tenant: Tenant) -> list[tuple[str, str, str]]:
        door.afterwards.settle()
        with door.platform.unit_of_work(tenant, AUDITOR) as session:
            rows = session.execute(text("SELECT event, actor, coalesce(target, '') FROM audit_entry ORDER BY seq"))
            return [tuple(row) for row in rows]  # type: ignore[misc]

    return read

