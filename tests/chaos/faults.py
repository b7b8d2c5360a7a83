"""What is done to an import while it is sent and counted, at moments drawn by chance, and how it must end then."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from sqlalchemy import text

from tests.chaos.harness import PATIENCE as STOPS
from tests.chaos.harness import Fault, Row, Running, World
from tests.chaos.imports import ENDED, PACE, PATIENCE, Log, Sent, account, concluded, job_of, log_of, read, until
from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.jobs.models import JobStatus
from workreef_app.services.signals.models import RunStatus, StopReason

#: How often an import may be over before it could be struck; each time the next one is twice as long.
MISSES = 3


class Missed(Exception):
    """The import was over before it could be struck: on a fast machine, or one that kept the striker waiting."""


@dataclass(frozen=True)
class Flight:
    """An import under way, and the chance that draws the moments."""

    world: World
    name: str
    department: str
    log: Log
    import_id: UUID
    chance: random.Random


@dataclass(frozen=True)
class Case:
    """One import, what happens to it, and how it may end. `crashes` is how many workers it costs; None: as it comes.

    `strike` is called while it is counted; `between`, if given, once between two pieces while it is sent.
    """

    name: str
    strike: Callable[[Flight], None] = lambda flight: None
    between: Callable[[World, random.Random], None] | None = None
    ends: tuple[StopReason | None, ...] = (None,)
    crashes: int | None = None
    lines: int = 60_000
    workers: int = 1


def department_of(world: World, name: str) -> str:
    """A department, and so a source, of the case's own."""
    slug = "".join(letter if letter.isalnum() else "-" for letter in name.lower())[:40].strip("-")
    world.door.perform(world.admin, "departments.create", {"slug": slug, "name": name})
    return slug


def staffed(world: World, workers: int) -> None:
    """So many workers, and no more: another case may have left others."""
    world.mend()
    bulk = [one for one in world.running if one.role == "worker bulk"]
    for one in bulk[workers:]:
        one.send(signal.SIGTERM)
        one.process.wait(STOPS)
        world.running.remove(one)
    for _ in range(workers - len(bulk)):
        world.worker("bulk")


def played(world: World, case: Case, seed: int) -> Row:
    """Plays a case; what came of it. Raises AssertionError where anything does not hold."""
    for miss in range(MISSES):
        try:
            return _played(world, replace(case, lines=case.lines << miss), seed, f"{case.name} {seed} {miss or ''}")
        except Missed:
            continue
    raise AssertionError(f"{MISSES} imports were over before they could be struck")


def _played(world: World, case: Case, seed: int, name: str) -> Row:
    begun, chance, name = time.monotonic(), random.Random(f"{case.name} {seed}"), name.strip()
    staffed(world, case.workers)
    department, log = department_of(world, name), log_of(name, case.lines)
    sent = Sent(world, name, department, _pieces(world, case, log, chance))
    flight = Flight(world, name, department, log, sent.import_id, chance)
    until(world, lambda: sent.over() or read(world, flight.import_id).job_id)
    try:
        case.strike(flight)
    except Missed:
        # It was not hurt as intended, but nothing of it may be lost all the same.
        concluded(world, sent.ended().id, name, department, log)
        raise
    run = sent.ended()
    assert run.reason in case.ends, run
    crashes = job_of(world, run.id).crashes
    assert case.crashes in {None, crashes}, f"{crashes} crashes were counted"
    outcome = concluded(world, run.id, name, department, log)
    return Row(case.name, outcome, time.monotonic() - begun)


def _pieces(world: World, case: Case, log: Log, chance: random.Random) -> Iterator[bytes]:
    pieces = list(log.pieces())
    moment = chance.randrange(1, len(pieces))
    for number, piece in enumerate(pieces):
        if number == moment and case.between is not None:
            case.between(world, chance)
        yield piece


# When, and whom


def counted(flight: Flight, share: float) -> None:
    """Waits until this share of the lines is counted. Raises Missed where the import is over by then."""

    def far_enough() -> bool:
        run = read(flight.world, flight.import_id)
        if run.status is RunStatus.FINISHED:
            raise Missed
        assert run.status not in ENDED, f"it ended before the fault: {run}"
        return run.lines >= share * flight.log.lines

    until(flight.world, far_enough)


def somewhere(flight: Flight) -> None:
    """A moment of the counting, drawn by chance."""
    counted(flight, flight.chance.uniform(0.05, 0.7))


def holder(flight: Flight) -> Running:
    """The worker that runs the import's job, once there is one. Raises Missed where the job is done by then."""
    query = text(
        "SELECT w.pid FROM procrastinate_jobs j JOIN worker w ON w.id = j.worker_id"
        " WHERE j.status = 'doing' AND j.args ->> 'job' = :job"
    )
    found: list[Running] = []

    def there() -> bool:
        job = job_of(flight.world, flight.import_id)
        if job.status is JobStatus.DONE:
            raise Missed
        with flight.world.door.platform.control.connect() as connection:
            pid = connection.scalar(query, {"job": str(job.id)})
        found[:] = [one for one in flight.world.running if one.process.pid == pid and one.alive and not one.paused]
        return bool(found) and job.status is JobStatus.RUNNING

    until(flight.world, there)
    return found[0]


# Faults


def killed(flight: Flight, times: int) -> None:
    """kill -9 of so many workers, each while it counts; the last of three puts the job into quarantine."""
    for crashes, share in enumerate(sorted(flight.chance.uniform(0.05, 0.7) for _ in range(times))):
        until(flight.world, lambda known=crashes: job_of(flight.world, flight.import_id).crashes >= known)
        counted(flight, share)
        one = holder(flight)
        one.send(signal.SIGKILL)
        one.process.wait(STOPS)
        flight.world.mend()


def quarantined(flight: Flight) -> None:
    killed(flight, 3)
    until(flight.world, lambda: job_of(flight.world, flight.import_id).status is JobStatus.QUARANTINED)
    job = job_of(flight.world, flight.import_id)
    alarms = flight.world.door.perform(flight.world.admin, "alarms.list", {"state": "open", "limit": 200}).rows
    assert [a.kind for a in alarms if a.subject == f"job:{job.id}"] == [AlarmKind.JOB_QUARANTINED], alarms


def told_to_stop(flight: Flight) -> None:
    """SIGTERM: the worker lets the job go in order, and another takes it."""
    somewhere(flight)
    one = holder(flight)
    one.send(signal.SIGTERM)
    assert one.process.wait(STOPS) == 0, "it did not end in order"
    flight.world.mend()


def two_claims(flight: Flight) -> None:
    """A worker stands still until another has its job and is counting; then both run."""
    somewhere(flight)
    one = holder(flight)
    crashes = job_of(flight.world, flight.import_id).crashes
    flight.world.pause(one, seconds=2 * STOPS)
    lines = read(flight.world, flight.import_id).lines
    until(flight.world, lambda: job_of(flight.world, flight.import_id).crashes > crashes
          and read(flight.world, flight.import_id).lines > lines)
    flight.world._wake(one, one.process.pid)
    assert one.alive, "the one that stood still has died"


def postgres(flight: Flight, fault: Fault) -> None:
    somewhere(flight)
    assert flight.world.strike(fault, flight.chance) is not None


def while_sent(world: World, chance: random.Random, fault: Fault) -> None:
    assert world.strike(fault, chance) is not None


def cancelled(flight: Flight) -> None:
    somewhere(flight)
    flight.world.door.perform(flight.world.admin, "imports.cancel", {"import_id": flight.import_id})


def full_disk(flight: Flight) -> None:
    """No byte is left on the disk until the worker has met that; then the operator frees it."""
    somewhere(flight)
    log = holder(flight).log
    before = len(log.read_text())
    flight.world.fill_disk()
    flight.world.wait(lambda: len(log.read_text()) > before, PATIENCE, PACE)
    assert read(flight.world, flight.import_id).lines < flight.log.lines, "the disk was not full"
    flight.world.mend()


def twice_at_once(world: World, seed: int) -> Row:
    """The same file from two senders at the same time, with two workers: its lines count once, in one or the other."""
    begun, name = time.monotonic(), f"the same file twice at once {seed}"
    staffed(world, 2)
    department, log = department_of(world, name), log_of(name, 60_000)
    first, second = (Sent(world, name, department, log.pieces()) for _ in range(2))
    runs = [first.ended(), second.ended()]
    assert [run.status for run in runs] == [RunStatus.FINISHED] * 2, runs
    assert sorted(run.added for run in runs) == [0, log.dated], runs
    assert sorted(run.repeated for run in runs) == [0, log.dated], runs
    outcomes = [account(world, run.id, log) for run in runs]
    concluded(world, first.import_id, name, department, log)
    return Row("the same file twice at once", "; ".join(outcomes), time.monotonic() - begun)


ALL_POSTGRES = Case("all of Postgres killed", partial(postgres, fault=Fault.KILL_POSTGRES_ALL))
STOPPED = Case("a worker told to stop", told_to_stop, crashes=0)
KILLED = Case("a worker killed", partial(killed, times=1), crashes=1)
SHORT = (ALL_POSTGRES, STOPPED, KILLED)
FULL = (
    *SHORT,
    Case("two workers killed", partial(killed, times=2), crashes=2),
    Case("three workers killed", quarantined, ends=(StopReason.FAILED,), crashes=3),
    Case("two workers at once, one killed", partial(killed, times=1), crashes=1, workers=2),
    Case("a worker given up, and awake again", two_claims, crashes=1, workers=2),
    Case("a backend of Postgres killed", partial(postgres, fault=Fault.KILL_BACKEND)),
    Case("Postgres' first process killed", partial(postgres, fault=Fault.KILL_POSTGRES)),
    Case("all of Postgres killed while it is sent", between=partial(while_sent, fault=Fault.KILL_POSTGRES_ALL)),
    Case("cancelled", cancelled, ends=(StopReason.CANCELLED,), crashes=0),
)
# Where Postgres itself goes down for want of space, the job is only put off, and goes on by itself.
FULL_DISK = Case("the disk is full", full_disk, ends=(StopReason.DISK_FULL, None))
