"""The digest at a hundred times the observations: `python -m benchmarks.digest [--observations 1000000] [--json]`.

Two tenants with the same 240 tasks, found by real imports of 10,080 lines that make as many observations. In one of
them those observations are copied to earlier hours until there are as many as asked for (the sealed summaries are
the same bytes), and both are measured anew by the nightly job. Then the digest is read in each in turns: its queries
alone, and through the door. Medians of `--reads`; `wanted` is of the queries alone, which nothing dilutes.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from datetime import timedelta
from functools import partial

from sqlalchemy import text

from benchmarks import worlds
from workreef_app.commands import importing
from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.jobs.models import ENDED, JobStatus
from workreef_app.services.signals.models import RunStatus, SourceKind
from workreef_app.services.signals.receiving import StartImport
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers.process import helping

WANTED_RATIO = 2.0
DEPARTMENTS = 6
HOURS = 42
FEW = DEPARTMENTS * HOURS * len(worlds.MESSAGES)
#: Tasks that both digests are to be made of.
TASKS = 200
WARM = 5
#: Copies made in one statement.
STEP = 10
COPY = """
INSERT INTO observation (id, source_id, signal_id, department_id, hour, lines, constant_tokens, total_tokens,
                         first_at, last_at, handler_index, summary)
SELECT gen_random_uuid(), source_id, signal_id, department_id, hour - back, lines, constant_tokens, total_tokens,
       first_at - back, last_at - back, handler_index, summary
FROM (SELECT * FROM observation WHERE hour >= %(begin)s) AS own
CROSS JOIN (SELECT n * %(span)s AS back FROM generate_series(%(first)s::int, %(last)s::int) AS n) AS moved
"""


def fill(door: Door, tenant: Tenant) -> None:
    """Imports logs in which every message comes once in every hour."""
    admin = worlds.admin(tenant)
    with helping(door, [Queue.BULK]):
        for number in range(DEPARTMENTS):
            slug, chance = f"department{number}", random.Random(number)
            door.perform(admin, "departments.create", {"slug": slug, "name": slug.title()})
            content = b"".join(
                worlds.line(worlds.BEGIN + timedelta(hours=hour, seconds=80 * place), chance, form)
                for hour in range(HOURS) for place, form in enumerate(worlds.MESSAGES)
            )
            command = StartImport(kind=SourceKind.LOG_FILE, file_name="service.log", department=slug)
            account = importing.import_log(door, admin, [content], command)
            if account.run.status is not RunStatus.FINISHED:
                raise SystemExit(f"An import did not end well: {account.run.told}")


def multiply(door: Door, tenant: Tenant, observations: int) -> None:
    """Copies the observations to earlier hours until there are at least so many."""
    database = str(tenant.url.database)
    copies = -(-observations // FEW) - 1
    with server.admin(door.platform.url, database) as connection:
        connection.exec_driver_sql(f"SET ROLE {server.owner_role(database)}")
        # In steps, or the checks of a million foreign keys would wait in memory.
        for first in range(1, copies + 1, STEP):
            connection.exec_driver_sql(COPY, {
                "begin": worlds.BEGIN, "span": timedelta(hours=HOURS), "first": first,
                "last": min(first + STEP - 1, copies),
            })
        connection.exec_driver_sql("VACUUM ANALYZE observation")


def nightly(door: Door, tenant: Tenant) -> float:
    """Runs the nightly job, and gives the seconds that it took."""
    system = Caller(tenant, "bench", system="scheduler")
    with helping(door, [Queue.BULK]):
        job_id = door.perform(system, "jobs.schedule", {"kind": "digest", "key": "digest:bench"}).job_id
        while True:
            rows = door.perform(worlds.admin(tenant), "jobs.list", {"limit": 200}).rows
            job = next(row for row in rows if row.id == job_id)
            if job.status in ENDED:
                break
            time.sleep(0.05)
    if job.status is not JobStatus.DONE:
        raise SystemExit(f"The nightly job did not end well: {job.status}, {job.error}")
    return float((job.finished_at - job.started_at).total_seconds())


def observed(door: Door, caller: Caller) -> int:
    """How many observations the reader's digest stands on."""
    actor, _ = door.actor(caller) or (None, None)
    if actor is None:
        raise SystemExit("The reader's session does not hold.")
    with door.platform.unit_of_work(caller.tenant, actor) as session:
        return int(session.execute(text("SELECT count(*) FROM observation")).scalar_one())


def prepare(door: Door, slug: str, observations: int) -> tuple[Caller, dict[str, float]]:
    """A tenant with so many observations; its reader, and what it came to."""
    tenant = worlds.tenant(door, slug)
    fill(door, tenant)
    multiply(door, tenant, observations)
    took = nightly(door, tenant)
    reader = worlds.people(door, tenant, "change_leader", 1)[0]
    tasks = door.perform(reader, "digest.read", {}).tasks
    if tasks < TASKS:
        raise SystemExit(f"{tasks} tasks were found, {TASKS} are wanted")
    return reader, {"observations": observed(door, reader), "tasks": tasks, "nightly_seconds": round(took, 2)}


def measure(door: Door, observations: int, reads: int) -> dict[str, object]:
    """Medians of both tenants, in milliseconds, and their ratio."""
    few, of_few = prepare(door, "few", FEW)
    many, of_many = prepare(door, "many", observations)
    bare, through = [], []
    for _ in range(WARM + reads):
        bare.append([worlds.bare_seconds(door, reader, "digest.read", {}) for reader in (few, many)])
        through.append([worlds.seconds(partial(door.perform, reader, "digest.read", {})) for reader in (few, many)])
    found: dict[str, object] = {"reads": reads, "wanted": WANTED_RATIO}
    for name, times in (("query", bare[WARM:]), ("door", through[WARM:])):
        medians = [1000 * statistics.median(column) for column in zip(*times, strict=True)]
        for facts, median in zip((of_few, of_many), medians, strict=True):
            facts[f"{name}_ms"] = round(median, 2)
        found[f"{name}_ratio"] = round(statistics.median(more / less for less, more in times), 2)
    return found | {"few": of_few, "many": of_many}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the digest at many observations.")
    parser.add_argument("--observations", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=100, help="at most 200: the limit of a minute")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with worlds.platform() as door:
        found = measure(door, given.observations, given.reads)
    if given.json:
        print(json.dumps(found))
        return
    for side in ("few", "many"):
        facts = found[side]
        print(
            f"digest at {facts['observations']:>9,} observations, {facts['tasks']} tasks: query {facts['query_ms']} ms,"  # type: ignore[index]
            f" through the door {facts['door_ms']} ms (measured anew in {facts['nightly_seconds']} s)"  # type: ignore[index]
        )
    print(f"ratio: query {found['query_ratio']}, door {found['door_ratio']} (wanted at most {found['wanted']})")


if __name__ == "__main__":
    main()
