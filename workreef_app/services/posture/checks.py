"""What `workreef doctor` looks at in the databases: each check by itself, on any configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, DBAPIError

from workreef_app.services.posture import boot, isolation, looking
from workreef_app.services.posture.status import worker_command
from workreef_app.services.tenancy import migrate
from workreef_app.services.tenancy.embedded_errors import EmbeddedError
from workreef_app.services.tenancy.errors import TenancyError
from workreef_app.services.tenancy.models import TenantRow
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.vault.errors import KeyUnavailable

#: How far the clocks of this host and of the database may be apart, in seconds.
SKEW: Final = 2.0
FAILURES: Final = (EmbeddedError, TenancyError, KeyUnavailable, DBAPIError, ArgumentError)
_WAITING = text("SELECT queue_name, count(*) AS jobs FROM procrastinate_jobs WHERE status = 'todo' GROUP BY queue_name")


@dataclass(frozen=True, slots=True)
class Finding:
    """One live check: whether it holds, and what was found."""

    name: str
    ok: bool
    detail: str


def databases(platform: Platform) -> Iterator[Finding]:
    """All checks of the databases. Raises DBAPIError when the control plane does not answer at all."""
    with platform.control.connect() as connection:
        version = str(connection.execute(text("SHOW server_version")).scalar_one())
        schema = migrate.current(connection)
    yield Finding("database", int(version.split(".")[0]) >= 16, f"Postgres {version} answers")
    needed = migrate.head("control")
    yield Finding("control_schema", schema == needed, f"at {schema or 'none'}, needed {needed}")
    yield from _each("clock", _clock, platform)
    yield from _each("tenant_schema", _state, platform)
    if schema is None:
        return
    yield from _each("platform_key", _platform_key, platform)
    yield from _each("isolation", _isolation, platform)
    yield from _each("keys", _keys, platform)
    if schema == needed:
        yield from _each("queues", _workers, platform)


def _each(name: str, check: Callable[[Platform], Iterator[Finding]], platform: Platform) -> Iterator[Finding]:
    """A check's findings; where it fails itself, that."""
    try:
        yield from check(platform)
    except FAILURES as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        yield Finding(name, False, f"could not be looked at: {said[0] if said else type(error).__name__}")


def _state(platform: Platform) -> Iterator[Finding]:
    state = boot.look(platform)
    for check, name, good in (
        (boot.tenant_schema, "tenant_schema", "all current"), (boot.ownership, "ownership", "no app role owns a table"),
        (boot.role_powers, "database_roles", "no app role has more powers than it may"),
        (boot.isolated, "isolation_grants", "no app role may connect to a database that is not its own"),
    ):
        fault = check(state)
        yield Finding(name, fault is None, f"{fault.wrong} {fault.cure}" if fault else good)


def _clock(platform: Platform) -> Iterator[Finding]:
    """How far apart the clocks are: half of the question's own time is taken off."""
    with platform.control.connect() as connection:
        before = datetime.now(UTC)
        there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        after = datetime.now(UTC)
    apart = abs((there - before - (after - before) / 2).total_seconds())
    cure = "" if apart <= SKEW else "; have both hosts keep time by NTP"
    yield Finding("clock", apart <= SKEW, f"{apart:.3f} s from the database's{cure}")


def _platform_key(platform: Platform) -> Iterator[Finding]:
    platform.platform_cipher()
    yield Finding("platform_key", True, "answers")


def _isolation(platform: Platform) -> Iterator[Finding]:
    """Each tenant's app role tries the databases that are not its own."""
    rows = platform.tenants()
    control = platform.url.database or ""
    matrix = isolation.tried(platform, rows, control)
    wrong = [*(f"{name} is open" for name in matrix.opened), *(f"{name} could not be told" for name in matrix.unclear)]
    possible = sum(1 for _ in isolation.pairs(rows, control))
    tried = matrix.refused + len(matrix.opened) + len(matrix.unclear)
    said = f"{matrix.refused} of {tried} connections of app roles to databases not their own were refused"
    left = f"; {possible - tried} were not tried" if possible > tried else ""
    yield Finding("isolation_matrix", not wrong, f"{said}{left}" + "".join(f"; {one}" for one in wrong[:10]))


def _keys(platform: Platform) -> Iterator[Finding]:
    yield from (_key(platform, row) for row in platform.tenants())


def _key(platform: Platform, row: TenantRow) -> Finding:
    try:
        platform.keyring.cipher(platform.tenant(row.slug).key)
    except (KeyUnavailable, TenancyError) as error:
        return Finding(f"key {row.slug}", False, str(error))
    return Finding(f"key {row.slug}", True, "answers")


def _workers(platform: Platform) -> Iterator[Finding]:
    """Who works on each queue, and what waits there; a queue in which nothing waits needs nobody."""
    with platform.control.connect() as connection:
        found = looking.workers(connection, datetime.now(UTC))
        waiting = {str(row.queue_name): int(row.jobs) for row in connection.execute(_WAITING)}
    for queue, workers in found.items():
        jobs = waiting.get(queue.value, 0)
        said = f"{workers.alive} working, {jobs} waiting"
        ok = workers.alive > 0 or not jobs
        yield Finding(f"queue {queue.value}", ok, said if ok else f"{said}; start `{worker_command(queue)}`")
