"""What must hold of an import whatever happens meanwhile: each line counts once, or the account says what was kept."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.chaos.harness import Fault, Row, Running, World
from workreef_app.services.job_control.operations import JobRow
from workreef_app.services.jobs.models import JobStatus
from workreef_app.services.operation import Actor, Reach
from workreef_app.services.signals.models import CHUNK_BYTES, RunStatus

DEPARTMENT = "claims"
#: A killed worker is given up after 20 seconds, and its job taken up within 40; three of them, and the counting.
PATIENCE = 300.0
ENDED = frozenset({RunStatus.FINISHED, RunStatus.STOPPED})
AUDITOR = Actor(id="chaos", extra_reach=frozenset({Reach.ALL_WORK}))


def log_of(name: str, count: int) -> bytes:
    """A log of so many lines over ten days: twenty things that recur, and every tenth line twice the same."""
    chance = random.Random(name)
    begin = datetime.now(UTC) - timedelta(days=10)
    lines: list[str] = []
    while len(lines) < count:
        at = begin + timedelta(days=10) * (len(lines) / count)
        kind = chance.randrange(20)
        what = f"service{kind} failed on host{chance.randrange(50)} after {chance.randrange(999)} ms {name}"
        line = f"{at.isoformat()} {what}"
        lines += [line, line] if chance.random() < 0.1 else [line]
    return "\n".join(lines[:count]).encode() + b"\n"


@dataclass(frozen=True)
class Case:
    """One import and what is to happen to it; `strike` is called once it is being counted."""

    name: str
    strike: Callable[[World, str], None]
    lines: int = 60_000
    workers: int = 1


def send(world: World, name: str, content: bytes) -> UUID:
    """Hands a file over and closes it; the id of the import."""
    run = world.door.perform(world.admin, "imports.start", {
        "kind": "log_file", "file_name": f"{name}.log", "department": DEPARTMENT,
    })
    for number, first in enumerate(range(0, len(content), CHUNK_BYTES)):
        world.door.perform(world.admin, "imports.add_chunk", {
            "import_id": run.id, "number": number, "content": content[first : first + CHUNK_BYTES],
        })
    world.door.perform(world.admin, "imports.close", {"import_id": run.id, "whole": True})
    return UUID(str(run.id))


def read(world: World, import_id: UUID) -> Any:
    return world.door.perform(world.admin, "imports.read", {"import_id": import_id})


def job_of(world: World, import_id: UUID) -> JobRow:
    rows = world.door.perform(world.admin, "jobs.list", {"limit": 200}).rows
    found: JobRow = next(row for row in rows if row.subject == import_id)
    return found


def counting(world: World, import_id: UUID, lines: int) -> None:
    """Waits until so many lines are counted, or the import has ended."""

    def far_enough() -> bool:
        run = read(world, import_id)
        return run.lines >= lines or run.status in ENDED

    world.wait(far_enough, PATIENCE)


def played(world: World, case: Case) -> Row:
    """Plays a case in a world with a department and workers; what came of it. Raises AssertionError."""
    begun = time.monotonic()
    content = log_of(case.name, case.lines)
    while sum(one.role == "worker bulk" for one in world.running) < case.workers:
        world.worker("bulk")
    import_id = send(world, case.name, content)
    counting(world, import_id, case.lines // 6)
    case.strike(world, str(import_id))
    world.wait(lambda: read(world, import_id).status in ENDED, PATIENCE)
    outcome = [account(world, import_id, case.lines)]
    if read(world, import_id).status is not RunStatus.FINISHED:
        outcome.append(taken_up(world, import_id, case, content))
    again = send(world, case.name, content)
    world.wait(lambda: read(world, again).status in ENDED, PATIENCE)
    repeated = read(world, again)
    assert (repeated.added, repeated.repeated) == (0, case.lines), "the file was not counted whole"
    account(world, again, case.lines)
    world.settled()
    return Row(case.name, "; ".join(outcome), time.monotonic() - begun)


def taken_up(world: World, import_id: UUID, case: Case, content: bytes) -> str:
    """What an operator does about an import that stopped: retries its job, or sends the file again."""
    job = job_of(world, import_id)
    if job.status in {JobStatus.FAILED, JobStatus.QUARANTINED}:
        world.mend()
        world.door.perform(world.admin, "jobs.retry", {"job_id": job.id})
        world.wait(lambda: read(world, import_id).status is RunStatus.FINISHED, PATIENCE)
        return "retried: " + account(world, import_id, case.lines)
    missing = case.lines - read(world, import_id).added
    again = send(world, case.name, content)
    world.wait(lambda: read(world, again).status in ENDED, PATIENCE)
    assert read(world, again).added == missing, "the rest was not added exactly"
    return f"sent again: the other {missing:,} added"


def account(world: World, import_id: UUID, lines: int) -> str:
    """Holds an import's account against what is in the database; in words."""
    run, job = read(world, import_id), job_of(world, import_id)
    assert run.added + run.repeated + sum(run.skipped.values()) == run.lines
    if run.status is RunStatus.FINISHED:
        assert run.lines == lines, f"{run.lines} of {lines} lines are accounted for"
    with world.door.platform.unit_of_work(world.admin.tenant, AUDITOR) as session:
        facts = session.execute(text(
            "SELECT (SELECT coalesce(sum(lines), 0) FROM observation WHERE source_id = :source) AS counted,"
            " (SELECT coalesce(sum(added), 0) FROM import_run WHERE source_id = :source) AS added,"
            " (SELECT coalesce(sum(lines), 0) FROM seen_line WHERE source_id = :source) AS seen,"
            " (SELECT count(*) FROM spool_chunk WHERE run_id = :run) AS kept,"
            " (SELECT count(*) FROM effect WHERE job_id = :job AND step LIKE 'batch%') AS steps"
        ), {"source": run.source_id, "run": import_id, "job": job.id}).one()
    assert facts.counted == facts.added == facts.seen, facts
    if run.status is RunStatus.FINISHED or job.status is JobStatus.CANCELLED:
        assert facts.kept == 0, "something of the file is left"
    why = f" ({run.reason.value})" if run.reason else ""
    return f"{run.status.value}{why}, {run.lines:,} lines once, crashes {job.crashes}"


def one(fault: Fault) -> Callable[[World, str], None]:
    """The fault once, to a worker or to Postgres; afterwards the operator starts what has ended."""

    def strike(world: World, import_id: str) -> None:
        assert world.strike(fault, random.Random(import_id)) is not None
        world.mend()

    return strike


def killed_three_times(world: World, import_id: str) -> None:
    """The job is given to three workers and kills each."""
    chance = random.Random(import_id)
    for number in range(3):
        world.wait(lambda claims=number: job_of(world, UUID(import_id)).crashes >= claims  # type: ignore[misc]
                   and job_of(world, UUID(import_id)).status is JobStatus.RUNNING, PATIENCE)
        assert world.strike(Fault.KILL_WORKER, chance) is not None
        world.mend()
    world.wait(lambda: job_of(world, UUID(import_id)).status is JobStatus.QUARANTINED, PATIENCE)


def paused_until_given_up(world: World, import_id: str) -> None:
    """A worker stands still until another has its job, and then goes on as if nothing had been."""
    holder: Running = world.running[0]
    claim = job_of(world, UUID(import_id)).crashes
    world.pause(holder, seconds=45.0)
    world.worker("bulk")
    world.wait(lambda: job_of(world, UUID(import_id)).crashes > claim, PATIENCE)
    world._wake(holder, holder.process.pid)


def cancelled(world: World, import_id: str) -> None:
    world.door.perform(world.admin, "imports.cancel", {"import_id": import_id})


SHORT = (
    Case("a backend of Postgres killed", one(Fault.KILL_BACKEND)),
    Case("all of Postgres killed", one(Fault.KILL_POSTGRES_ALL)),
    Case("a worker told to stop", one(Fault.TERM_WORKER)),
    Case("a worker killed", one(Fault.KILL_WORKER)),
    Case("cancelled", cancelled),
)
FULL = (
    *SHORT,
    Case("two workers, one killed", one(Fault.KILL_WORKER), workers=2),
    Case("Postgres' first process killed", one(Fault.KILL_POSTGRES)),
    Case("a worker given up, and awake again", paused_until_given_up),
    Case("three workers killed", killed_three_times, lines=300_000),
)
