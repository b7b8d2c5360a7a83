"""A job is claimed and ended: operations that only workers run."""

from __future__ import annotations

import random
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.alarms.raising import raise_alarm
from workreef_app.services.jobs import fate
from workreef_app.services.jobs.kinds import KINDS
from workreef_app.services.jobs.ledger import held
from workreef_app.services.jobs.models import ENDED, Job, JobStatus
from workreef_app.services.jobs.queue import enqueue
from workreef_app.services.operation import NOBODY, Command, Event, NotFound, Result, Work, operation

LIMIT: Final = "600000/minute"
_chance = random.SystemRandom()


class ClaimJob(Command):
    pass


class Claimed(Result):
    """What a worker took. `go` is False for a job that is not to be run, or not any more."""

    go: bool
    kind: str
    subject: UUID | None
    claim: int


@operation("jobs.claim", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.JOB_STARTED)
def claim_job(work: Work, command: ClaimJob) -> Claimed:
    """Takes a job from the queue, or finds that it has ended, was cancelled, or has killed too many workers."""
    job = _row(work)
    before = JobStatus(job.status)
    status, job.crashes = fate.claimed(before, job.crashes, job.cancel_requested)
    go = status is JobStatus.RUNNING
    if go:
        job.claim += 1
        job.started_at, job.error = work.now, None
    elif before not in ENDED:
        close(work, job, status, "killed_workers" if status is JobStatus.QUARANTINED else None)
    job.status = status
    work.session.add(job)
    work.note(target=f"job:{job.id}", department=job.department_id, kind=job.kind, status=status.value,
              claim=job.claim, crashes=job.crashes)
    return Claimed(go=go, kind=job.kind, subject=job.subject, claim=job.claim)


def _row(work: Work) -> Job:
    job_id = work.actor.job_id
    job = work.session.scalars(select(Job).where(col(Job.id) == job_id).with_for_update()).first()
    if job is None:
        raise NotFound("job", str(job_id))
    return job


def close(work: Work, job: Job, status: JobStatus, error: str | None) -> None:
    """Ends a job in this transaction: its kind hears of it, and somebody must when it did not end well."""
    job.status, job.error, job.finished_at = status, error, work.now
    work.session.add(job)
    ended = KINDS[job.kind].ended
    if ended is not None:
        ended(work, job, status)
    alarm = {JobStatus.FAILED: AlarmKind.JOB_FAILED, JobStatus.QUARANTINED: AlarmKind.JOB_QUARANTINED}.get(status)
    # An alarm that its delivery failed is raised by the delivery itself, or it would go round.
    if alarm is not None and job.kind != "alarm_delivery":
        raise_alarm(work, alarm, subject=f"job:{job.id}", department=job.department_id, detail={"kind": job.kind})


class EndJob(Command):
    outcome: Literal["done", "failed", "released", "cancelled"]
    error: Annotated[str, StringConstraints(pattern=r"^([a-z_]{1,40})?$")] = ""
    final: bool = False


class Fate(Result):
    """Where the job stands now; `delay` is in how many seconds it is to be run again, if it is queued."""

    status: JobStatus
    delay: float


@operation("jobs.end", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.JOB_ENDED)
def end_job(work: Work, command: EndJob) -> Fate:
    """Says how a run ended. A failure is tried again, at most three times in all; a release goes back to the queue."""
    job = held(work)
    status, wait = JobStatus(command.outcome if command.outcome in {"done", "cancelled"} else "queued"), 0.0
    if command.outcome == "failed":
        status, job.attempts = fate.failed(job.attempts, final=command.final)
        wait = fate.delay(job.attempts, _chance)
    if status in ENDED:
        close(work, job, status, command.error or None)
    else:
        job.status, job.error = status, command.error or None
        work.session.add(job)
    work.note(target=f"job:{job.id}", department=job.department_id, kind=job.kind, outcome=command.outcome,
              status=status.value, attempts=job.attempts)
    return Fate(status=status, delay=wait)


class WatchJob(Command):
    pass


class Watched(Result):
    """Whether somebody wants the running job to end."""

    cancel_requested: bool


@operation("jobs.watch", by=NOBODY, jobs=True, limit=LIMIT, audit=None)
def watch_job(work: Work, command: WatchJob) -> Watched:
    """Tells a running job whether it is to go on. Refused when it runs under a later claim."""
    return Watched(cancel_requested=held(work).cancel_requested)


class ScheduleJob(Command):
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_:.+-]{1,80}$")] = Field()


class Scheduled(Result):
    """The job of a schedule's slot; none when it was there already."""

    job_id: UUID | None


@operation("jobs.schedule", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.JOB_SCHEDULED)
def schedule_job(work: Work, command: ScheduleJob) -> Scheduled:
    """Puts the job of a schedule's slot in the queue, once."""
    if command.kind not in KINDS:
        raise NotFound("kind of job", command.kind)
    job_id = enqueue(work, command.kind, key=command.key)
    work.note(target=f"job:{job_id}" if job_id else None, kind=command.kind, again=job_id is None)
    return Scheduled(job_id=job_id)
