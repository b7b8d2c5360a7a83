"""`workreef doctor`: every fault of the settings, and what can be checked live, on any configuration."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, DBAPIError

from workreef_app.commands.frame import Failed, print_json, sentence_of, tell
from workreef_app.commands.serving import need_port
from workreef_app.services.posture import boot, looking
from workreef_app.services.posture.status import worker_command
from workreef_app.services.process import opened
from workreef_app.services.tenancy import migrate
from workreef_app.services.tenancy.embedded import EmbeddedError
from workreef_app.services.tenancy.errors import TenancyError
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.settings import ConfigurationError, Fault, Settings, load

FREE_BYTES = 500_000_000
_WAITING = text("SELECT queue_name, count(*) AS jobs FROM procrastinate_jobs WHERE status = 'todo' GROUP BY queue_name")


@dataclass(frozen=True, slots=True)
class Finding:
    """One live check: whether it holds, and what was found."""

    name: str
    ok: bool
    detail: str


def settings_faults() -> tuple[Settings | None, list[Fault]]:
    """The settings, where they can be read, and every fault that they alone show."""
    try:
        settings = load()
    except ConfigurationError as error:
        return None, [Fault("settings", str(error), "")]
    return settings, boot.of_settings(settings)


def live(settings: Settings) -> Iterator[Finding]:
    """Everything that can be looked at now, each by itself."""
    yield _space(settings.data_dir)
    yield _tool("node")
    yield _tool("npm")
    yield _port(settings)
    if settings.embedded and not (settings.data_dir / "postgres").exists():
        yield Finding("database", True, "the embedded Postgres was not started yet")
        return
    try:
        with opened(settings, prepare=False) as door:
            yield from _databases(door.platform)
    except (EmbeddedError, TenancyError, KeyUnavailable, DBAPIError, ArgumentError) as error:
        yield Finding("database", False, sentence_of(error) or type(error).__name__)


def _space(place: Path) -> Finding:
    there = next(p for p in (place, *place.parents) if p.exists())
    free = shutil.disk_usage(there).free
    return Finding("disk", free >= FREE_BYTES, f"{free / 1e9:.1f} GB free at {there}")


def _tool(name: str) -> Finding:
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    return Finding(name, found is not None, found or "not found; `make setup` installs it")


def _port(settings: Settings) -> Finding:
    try:
        need_port(settings, "127.0.0.1")
    except Failed:
        return Finding("port", True, f"{settings.port} is in use, by WorkReef if it is being served")
    return Finding("port", True, f"{settings.port} is free")


def _databases(platform: Platform) -> Iterator[Finding]:
    with platform.control.connect() as connection:
        version = str(connection.execute(text("SHOW server_version")).scalar_one())
        schema = migrate.current(connection)
    yield Finding("database", int(version.split(".")[0]) >= 16, f"Postgres {version} answers")
    needed = migrate.head("control")
    yield Finding("control_schema", schema == needed, f"at {schema or 'none'}, needed {needed}")
    state = boot.look(platform)
    for check, good in ((boot.tenant_schema, "all current"), (boot.ownership, "no app role owns a table")):
        fault = check(state)
        yield Finding(check.__name__, fault is None, f"{fault.wrong} {fault.cure}" if fault else good)
    for tenant in state.tenants:
        yield _key(platform, tenant.slug)
    if schema == needed:
        yield from _workers(platform)


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


def _key(platform: Platform, slug: str) -> Finding:
    try:
        platform.keyring.cipher(platform.tenant(slug).key)
    except (KeyUnavailable, TenancyError) as error:
        return Finding(f"key {slug}", False, str(error))
    return Finding(f"key {slug}", True, "answers")


def report(as_json: bool) -> bool:
    """Prints what was found; whether all is well."""
    settings, faults = settings_faults()
    findings = list(live(settings)) if settings else []
    ok = not faults and all(finding.ok for finding in findings)
    if as_json:
        print_json(
            {
                "ok": ok,
                "environment": settings.env.value if settings else None,
                "faults": [asdict(fault) for fault in faults],
                "checks": [asdict(finding) for finding in findings],
            }
        )
        return ok
    if settings:
        tell(f"Environment {settings.env.value}, data in {settings.data_dir}")
    for fault in faults:
        tell(f"✗ {fault.check}: {fault.wrong} {fault.cure}".rstrip())
    for finding in findings:
        tell(f"{'✓' if finding.ok else '✗'} {finding.name}: {finding.detail}")
    tell("All is well." if ok else "Not all is well.")
    return ok
