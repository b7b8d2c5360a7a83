"""What several measurements need: a platform of their own, people, log lines, and an operation without its door."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from uuid_utils.compat import uuid7

from workreef_app import settings
from workreef_app.services.door import Caller, Door, validate
from workreef_app.services.operation import REGISTRY, Fact, NoSession, Work
from workreef_app.services.process import opened
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant

PASSWORD = "correct horse battery staple"
SECRET = "t5Kq9Zr2Xw8Lm4Np7Vb1Yc6Hd3Gf0Js5"
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
MESSAGES = (
    "session opened for user {name} from {ip} port {n}",
    "session closed for user {name} after {n} seconds",
    "failed password for invalid user {name} from {ip}",
    "accepted public key for {name} fingerprint {id}",
    "disk usage on volume data{d} reached {p} percent",
    "cleanup removed {n} temporary files in {t} ms",
    "nightly export of table orders{d} finished, {n} rows written",
    "nightly export failed: connection refused by {host}",
    "certificate of {host} expires in {p} days",
    "request {id} answered with status 200 in {t} ms",
    "request {id} timed out while waiting for lock",
    "cache miss for key {id}, loading from {host}",
    "replica {host} lags {t} seconds behind its primary",
    "backup of cluster c{d} uploaded, {n} bytes",
    "backup verification rejected archive {id}",
    "queue intake holds {n} messages, limit exceeded",
    "worker {n} exited on signal 9",
    "worker {n} started with {p} threads",
    "garbage collection paused the process for {t} ms",
    "out of memory: killed process {n} ({name})",
    "health probe of {host} answered unexpectedly",
    "load balancer drained backend {ip}",
    "deployment {id} rolled out to {p} instances",
    "deployment {id} rolled back automatically",
    "feature flag checkout{d} switched on",
    "payment gateway declined transaction {id}",
    "invoice {n} mailed to customer {id}",
    "invoice {n} bounced, mailbox unknown",
    "claim {id} routed to reviewer {name}",
    "claim {id} denied: policy lapsed",
    "password reset requested by {name}",
    "account {name} locked after {p} attempts",
    "scheduled job reindex{d} skipped, still running",
    "index rebuilt for shard {d} in {t} ms",
    "dns lookup of {host} returned nothing",
    "firewall dropped packet from {ip}",
    "interface eth{d} went down unexpectedly",
    "interface eth{d} negotiated 10 gigabit",
    "clock drifted {t} ms, stepping",
    "configuration reloaded from revision {id}",
)


@contextmanager
def platform() -> Iterator[Door]:
    """A door on a Postgres of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="workreef-bench-", ignore_cleanup_errors=True) as folder:
        with opened(settings.load(**own_settings(Path(folder)))) as door:
            yield door


def own_settings(data_dir: Path) -> dict[str, Any]:
    """Settings that owe nothing to the environment."""
    return {
        "data_dir": data_dir, "env": "development", "database_url": "", "redis_url": "", "secret_key": SECRET,
        "platform_key": "local:platform", "public_url": "http://localhost:3999", "trusted_proxies": "",
    }


def environment(data_dir: Path) -> dict[str, str]:
    """The same settings for a child process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WORKREEF_", "REFLEX_"))}
    return clean | {f"WORKREEF_{name.upper()}": str(value) for name, value in own_settings(data_dir).items()}


def tenant(door: Door, slug: str) -> Tenant:
    """A new tenant."""
    create_tenant(door.platform, slug=slug, name=slug)
    return door.platform.tenant(slug)


def admin(of: Tenant) -> Caller:
    """The command line, an admin."""
    return Caller(of, uuid7().hex, cli_user="bench")


def people(door: Door, of: Tenant, persona: str, count: int, *departments: str) -> list[Caller]:
    """So many people of a persona in some departments, each signed in by a browser."""
    found = []
    for number in range(count):
        invited = door.perform(admin(of), "people.create", {
            "email": f"{persona}{number}@example.com", "name": f"Person {number}", "personas": [persona],
            "departments": list(departments),
        })
        browser = Caller(
            of, uuid7().hex, host=f"{of.info.slug}.localhost", address=f"10.0.{number // 250}.{number % 250}"
        )
        granted = door.perform(
            browser, "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}
        )
        found.append(replace(browser, token=granted.token))
    return found


def seconds(run: Callable[[], object]) -> float:
    """The time that one run takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def bare_seconds(door: Door, caller: Caller, name: str, payload: Mapping[str, Any]) -> float:
    """The time of an operation's own queries and rows in an open transaction whose scope is set already.

    Session look-up, limit, validation, connection, scope, audit and commit are left out: all that is the door's.
    """
    known, spec = door.actor(caller), REGISTRY[name]
    if known is None:
        raise NoSession("The caller's session does not hold.")
    command = validate(spec, payload)
    with door.platform.unit_of_work(caller.tenant, known[0]) as session:
        work = Work(
            session=session, actor=known[0], now=door.clock(), tenant=caller.tenant.info,
            request_id=caller.request_id, host=caller.host, unlocked=True, keyed=str, fact=Fact(),
        )
        return seconds(lambda: spec.run(work, command))


def message(chance: random.Random, form: str) -> str:
    """A message of one of the `MESSAGES`, with its variables filled."""
    return form.format(
        name=f"user{chance.randrange(900)}", ip=f"10.{chance.randrange(256)}.{chance.randrange(256)}.7",
        n=chance.randrange(100_000), id=f"{chance.getrandbits(64):016x}", d=chance.randrange(8),
        p=chance.randrange(100), t=chance.randrange(5000), host=f"node-{chance.randrange(400)}.example.internal",
    )


def line(at: datetime, chance: random.Random, form: str) -> bytes:
    """A line of a log."""
    said = message(chance, form)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{chance.randrange(1000):03d}Z web-{chance.randrange(40)} app: {said}\n".encode()


def write_log(path: Path, count: int) -> None:
    """A log of so many lines over thirty days, the same for the same count."""
    chance = random.Random(20261123)
    step = timedelta(days=30) / count
    with path.open("wb") as file:
        file.writelines(line(BEGIN + step * number, chance, chance.choice(MESSAGES)) for number in range(count))
