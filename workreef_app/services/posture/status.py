"""How each part of the system stands, and what to do about it: plain functions on what was counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.operation import Result

#: A worker whose heartbeat is older counts as dead. It beats every five seconds.
ALIVE: Final = timedelta(seconds=20)
#: How long a job may wait while its queue has a worker, before somebody should know.
PATIENCE: Final = {Queue.INTERACTIVE: timedelta(minutes=2), Queue.BULK: timedelta(minutes=30)}
#: Something is scheduled every hour; without anything for so long nobody schedules.
PULSE: Final = timedelta(minutes=75)
#: How long a due schedule may take from being taken to being fired.
FIRING: Final = timedelta(minutes=2)
#: From when on a source's newest line counts as old.
STALE: Final = timedelta(days=7)
WORK: Final = {Queue.INTERACTIVE: "what people wait for", Queue.BULK: "imports and other long work"}


class Standing(StrEnum):
    """How a part stands."""

    PROVEN = "proven"
    ATTENTION = "attention"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Component(Result):
    """A part of the system. `what` and `cure` are sentences; `since` is when it began to stand so, if that is known.

    `part` names the kind of part, `subject` which one of them: a queue, a source's id. `command` is what to run on
    the host, where that is the cure.
    """

    part: str
    subject: str = ""
    name: str
    standing: Standing
    what: str
    cure: str = ""
    command: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers of a queue: how many live, since when the first of them, and when the last of all gave a sign."""

    queue: Queue
    alive: int = 0
    started_at: datetime | None = None
    last_sign: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """This tenant's jobs in a queue that could run now: how many, and since when the first waits."""

    queue: Queue
    count: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slots:
    """This tenant's schedules: when one was last fired, since when one is taken and not fired."""

    tenant_since: datetime
    fired_at: datetime | None = None
    stuck_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Jobs that ended badly and that nobody has taken up again: how many, and since when the first."""

    failed: int = 0
    quarantined: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source: its name, the time of its newest line, and its last import, if that has ended."""

    id: UUID
    name: str
    as_of: datetime | None = None
    stopped_at: datetime | None = None


def many(count: int, one: str, several: str = "") -> str:
    """`1 job`, `1,204 jobs`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def worker_command(queue: Queue) -> str:
    """What starts a worker of a queue."""
    return f"workreef worker --queue {queue.value}"


def database(version: str, behind: Iterable[str], up_since: datetime | None, since: datetime | None) -> Component:
    """The database answers, since we ask it; `behind` names the schemas that are not the code's."""
    late = ", ".join(behind)
    part, name = "database", "Database"
    if late:
        return Component(
            part=part, name=name, standing=Standing.BROKEN, since=since,
            what=f"Postgres {version} answers, but the schema of {late} is not the one that this version needs.",
            cure="Bring the schemas up to date, then start every process again.", command="workreef tenant migrate",
        )
    return Component(
        part=part, name=name, standing=Standing.PROVEN, since=up_since,
        what=f"Postgres {version} answers, and every schema is current.",
    )


def workers(facts: Workers, since: datetime | None) -> Component:
    """Whether anybody runs the jobs of a queue."""
    part, name = "workers", f"Workers, {facts.queue.value}"
    if facts.alive:
        return Component(
            part=part, subject=facts.queue, name=name, standing=Standing.PROVEN, since=facts.started_at,
            what=f"{many(facts.alive, 'worker')} for {WORK[facts.queue]}.",
        )
    return Component(
        part=part, subject=facts.queue, name=name, standing=Standing.BROKEN, since=since,
        what=f"No worker for {WORK[facts.queue]}: jobs are kept, and wait.",
        cure="Start a worker.", command=worker_command(facts.queue),
    )


def queue(facts: Waiting, alive: int, now: datetime) -> Component:
    """Whether this tenant's jobs in a queue get their turn."""
    part, name = "queue", f"Queue, {facts.queue.value}"
    if not facts.count or facts.oldest is None:
        return Component(part=part, subject=facts.queue, name=name, standing=Standing.PROVEN, what="No job waits.")
    late = now - facts.oldest > PATIENCE[facts.queue]
    cure = "Start another worker, or wait for the jobs before it." if alive else "Start a worker."
    return Component(
        part=part, subject=facts.queue, name=name, standing=Standing.ATTENTION if late else Standing.PROVEN,
        what=f"{many(facts.count, 'job waits', 'jobs wait')}.", cure=cure if late else "",
        command=worker_command(facts.queue) if late else "", since=facts.oldest,
    )


def scheduler(facts: Slots, now: datetime) -> Component:
    """Whether what is due by the clock is put in the queue."""
    part, name = "scheduler", "Schedules"
    if facts.stuck_since is not None and now - facts.stuck_since > FIRING:
        return Component(
            part=part, name=name, standing=Standing.ATTENTION, since=facts.stuck_since,
            what="A schedule came due, and its job was not put in the queue yet.",
            cure="It is tried again by itself; if this stays, read the log of the interactive worker.",
        )
    silent = facts.fired_at or facts.tenant_since
    if now - silent > PULSE:
        return Component(
            part=part, name=name, standing=Standing.BROKEN, since=silent,
            what="Nothing has been scheduled, though something is due every hour.",
            cure="Start an interactive worker, which keeps the schedules too.",
            command=worker_command(Queue.INTERACTIVE),
        )
    if facts.fired_at is None:
        return Component(part=part, name=name, standing=Standing.UNKNOWN, what="No schedule has come due yet.")
    return Component(
        part=part, name=name, standing=Standing.PROVEN, since=facts.fired_at, what="The last schedule was fired.",
    )


def limiter(since: datetime | None, *, shared: bool) -> Component:
    """Whether requests are counted against their limits, `shared` over all processes; `since` is when that stopped."""
    part, name = "limiter", "Rate limiter"
    if since is None:
        where = "in Redis, for all processes together" if shared else "in each process by itself"
        return Component(part=part, name=name, standing=Standing.PROVEN, what=f"Requests are counted {where}.")
    return Component(
        part=part, name=name, standing=Standing.ATTENTION, since=since,
        what="Redis does not answer: each process counts for itself, so limits are looser.",
        cure="Start Redis, or correct WORKREEF_REDIS_URL.",
    )


def key(unlocked: bool, since: datetime | None) -> Component:
    """Whether the tenant's key answers."""
    part, name = "key", "Tenant key"
    if unlocked:
        what = "It answers: what is sealed under it can be read."
        return Component(part=part, name=name, standing=Standing.PROVEN, what=what)
    return Component(
        part=part, name=name, standing=Standing.BROKEN, since=since,
        what="It does not answer: nothing sealed can be read. The audit log still verifies.",
        cure="Enable the key where it is kept, or find out who disabled it.",
    )


def jobs(facts: Ended) -> Component:
    """Whether jobs ended badly and wait for somebody."""
    part, name = "jobs", "Jobs"
    if not facts.failed and not facts.quarantined:
        return Component(part=part, name=name, standing=Standing.PROVEN, what="No job needs anybody.")
    said = [many(facts.quarantined, "job in quarantine", "jobs in quarantine")] if facts.quarantined else []
    said += [many(facts.failed, "failed job")] if facts.failed else []
    return Component(
        part=part, name=name, standing=Standing.BROKEN if facts.quarantined else Standing.ATTENTION,
        since=facts.since, what=f"{' and '.join(said)}.",
        cure="Mend the cause, then retry them in the list of jobs.",
    )


def source(facts: SourceFacts, now: datetime) -> Component:
    """Whether a source is read, and how far."""
    part, subject = "source", str(facts.id)
    name = f"Source, {facts.name}"
    if facts.stopped_at is not None:
        return Component(
            part=part, subject=subject, name=name, standing=Standing.ATTENTION, since=facts.stopped_at,
            what="Its last import stopped before its end. What it had counted is kept.",
            cure="Read why in the list of sources, then import the file again: no line is counted twice.",
        )
    if facts.as_of is None:
        return Component(
            part=part, subject=subject, name=name, standing=Standing.UNKNOWN, what="Nothing has been counted yet.",
            cure="Import a file.",
        )
    if now - facts.as_of > STALE:
        return Component(
            part=part, subject=subject, name=name, standing=Standing.ATTENTION, since=facts.as_of,
            what=f"Its newest line is {many((now - facts.as_of).days, 'day')} old.", cure="Import a newer file.",
        )
    return Component(
        part=part, subject=subject, name=name, standing=Standing.PROVEN, since=None, what="Its newest line is recent.",
    )


def sessions(open_now: int, people: int) -> Component:
    """How many browsers are signed in."""
    what = f"{many(open_now, 'open session')} of {many(people, 'person', 'people')}." if open_now else "Nobody."
    return Component(part="sessions", name="Signed in", standing=Standing.PROVEN, what=what)
