"""Looks at the parts of the system: counts and times, from the tenant's database and the control plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, distinct, func, or_, select, text, true
from sqlmodel import col

from workreef_app.services.access import tenant_settings
from workreef_app.services.access.models import SessionRow
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.jobs.models import Job, JobStatus
from workreef_app.services.operation import Work
from workreef_app.services.posture.status import ALIVE, Ended, Slots, SourceFacts, Waiting, Workers
from workreef_app.services.signals.models import ImportRun, RunStatus, Source, StopReason
from workreef_app.services.tenancy import migrate

#: For how long a failed job counts as one that somebody should look at.
RECENT: Final = timedelta(days=7)

_WORKERS = text("""
SELECT w.queue, count(*) FILTER (WHERE p.last_heartbeat > :alive) AS alive,
  min(w.started_at) FILTER (WHERE p.last_heartbeat > :alive) AS started_at, max(p.last_heartbeat) AS last_sign
FROM worker w JOIN procrastinate_workers p ON p.id = w.id GROUP BY w.queue
""")
# A pointer waits from its last deferral on; one that is put off to a later time does not wait yet.
_WAITING = text("""
SELECT j.queue_name AS queue, count(*) AS waiting,
  min(greatest((SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id), j.scheduled_at)) AS oldest
FROM procrastinate_jobs j
WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= :now) AND j.args ->> 'tenant' = :tenant
GROUP BY j.queue_name
""")
_SLOTS = text("""
SELECT (SELECT created_at FROM tenant WHERE id = :id) AS tenant_since, max(done_at) AS fired_at,
  min(taken_at) FILTER (WHERE done_at IS NULL) AS stuck_since
FROM schedule_slot WHERE schedule LIKE '%:' || :tenant
""")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the control plane shows. `behind` names the schemas that are not those that the code needs."""

    version: str
    up_since: datetime
    behind: list[str]
    crews: dict[Queue, Workers]
    waiting: dict[Queue, Waiting]
    slots: Slots


def platform(connection: Connection, work: Work) -> Seen:
    """Looks at the control plane, for one tenant."""
    row = connection.execute(text("SELECT current_setting('server_version'), pg_postmaster_start_time()")).one()
    return Seen(
        version=str(row[0]).split(" ")[0], up_since=row[1], behind=_behind(connection, work),
        crews=workers(connection, work.now), waiting=_waiting(connection, work), slots=_slots(connection, work),
    )


def workers(connection: Connection, now: datetime) -> dict[Queue, Workers]:
    """The workers of each queue, on all hosts."""
    found = {row.queue: row for row in connection.execute(_WORKERS, {"alive": now - ALIVE})}
    return {
        queue: Workers(queue, row.alive, row.started_at, row.last_sign)
        if (row := found.get(queue.value)) is not None else Workers(queue)
        for queue in Queue
    }


def _waiting(connection: Connection, work: Work) -> dict[Queue, Waiting]:
    rows = connection.execute(_WAITING, {"now": work.now, "tenant": str(work.tenant.id)})
    found = {row.queue: row for row in rows}
    return {
        queue: Waiting(queue, row.waiting, row.oldest)
        if (row := found.get(queue.value)) is not None else Waiting(queue)
        for queue in Queue
    }


def _slots(connection: Connection, work: Work) -> Slots:
    row = connection.execute(_SLOTS, {"id": work.tenant.id, "tenant": str(work.tenant.id)}).one()
    return Slots(row.tenant_since, row.fired_at, row.stuck_since)


def _behind(connection: Connection, work: Work) -> list[str]:
    behind = []
    if migrate.current(connection) != migrate.head("control"):
        behind.append("the control plane")
    if migrate.current(work.session.connection()) != migrate.head("tenant"):
        behind.append("this tenant")
    return behind


def ended_badly(work: Work) -> Ended:
    """The tenant's jobs in quarantine, and those that failed lately."""
    row = work.session.execute(
        select(
            func.count().filter(col(Job.status) == JobStatus.FAILED),
            func.count().filter(col(Job.status) == JobStatus.QUARANTINED),
            func.min(col(Job.finished_at)),
        ).where(or_(
            col(Job.status) == JobStatus.QUARANTINED,
            and_(col(Job.status) == JobStatus.FAILED, col(Job.finished_at) > work.now - RECENT),
        ))
    ).one()
    return Ended(*row)


def sources(work: Work) -> Iterable[SourceFacts]:
    """The sources in the reader's scope. Needs the tenant's key."""
    last = (
        select(
            col(ImportRun.source_id), col(ImportRun.status), col(ImportRun.reason), col(ImportRun.finished_at)
        ).where(col(ImportRun.source_id) == col(Source.id))
        .order_by(col(ImportRun.id).desc()).limit(1).lateral()
    )
    rows = work.session.execute(
        select(Source, last.c.status, last.c.reason, last.c.finished_at).outerjoin(last, true())
        .order_by(col(Source.created_at), col(Source.id))
    )
    for row in rows:
        # Who cancelled an import knows of it.
        stopped = row.status == RunStatus.STOPPED and row.reason != StopReason.CANCELLED
        yield SourceFacts(row.Source.id, row.Source.name, row.Source.as_of, row.finished_at if stopped else None)


def sessions(work: Work) -> tuple[int, int]:
    """How many sessions are open, and of how many people."""
    idle = tenant_settings.read(work.session)["session.idle_minutes"]
    query = select(func.count(), func.count(distinct(col(SessionRow.person_id)))).where(
        col(SessionRow.revoked_at).is_(None), col(SessionRow.expires_at) > work.now
    )
    if idle:
        query = query.where(col(SessionRow.last_active_at) > work.now - timedelta(minutes=idle))
    count, people = work.session.execute(query).one()
    return count, people
