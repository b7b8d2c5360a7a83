"""What people see of jobs and do with them: the list, cancel, retry."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, case, func, select, tuple_
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.job_control import lifecycle
from workreef_app.services.jobs.kinds import KINDS
from workreef_app.services.jobs.models import ENDED, Job, JobStatus
from workreef_app.services.jobs.queue import put_at_commit
from workreef_app.services.operation import (
    AUDITORS,
    Command,
    Conflict,
    Event,
    NotFound,
    Persona,
    Result,
    Work,
    operation,
)

KEEPERS: Final = frozenset({Persona.ADMIN})
RETRYABLE: Final = frozenset({JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.QUARANTINED})
PAGE = 25
#: What needs somebody comes first, then what runs, then what waits, then what is over.
_ORDER = {
    JobStatus.QUARANTINED: 0, JobStatus.FAILED: 1, JobStatus.RUNNING: 2, JobStatus.QUEUED: 3,
    JobStatus.CANCELLED: 4, JobStatus.DONE: 4,
}


class ListJobs(Command):
    status: JobStatus | None = None
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


class JobRow(Result):
    """A job as people see it. `done` and `total` are in units of its kind."""

    id: UUID
    kind: str
    status: JobStatus
    subject: UUID | None
    requested_by: str
    attempts: int
    crashes: int
    done: int
    total: int | None
    error: str | None
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Jobs(Result):
    """A page of jobs. `next` is empty on the last page; `by_status` counts all of them."""

    rows: list[JobRow]
    count: int
    by_status: dict[str, int]
    next: str


def job_row(job: Job) -> JobRow:
    return JobRow(**{name: getattr(job, name) for name in JobRow.model_fields})


def _list(work: Work, command: ListJobs) -> Jobs:
    counted = work.session.execute(select(col(Job.status), func.count()).group_by(col(Job.status)))
    by_status = {str(status): count for status, count in counted}
    rank = case({status.value: place for status, place in _ORDER.items()}, value=col(Job.status))
    query: Select[Any] = select(Job, rank.label("place"))
    if command.status is not None:
        query = query.where(col(Job.status) == command.status)
    if command.after:
        place, last = paging.decode_number(command.after)
        # Newest first within a rank: ids grow with time.
        query = query.where(tuple_(-rank, col(Job.id)) < tuple_(-place, last))
    found = work.session.execute(query.order_by(rank, col(Job.id).desc()).limit(command.limit + 1)).all()
    page = found[: command.limit]
    return Jobs(
        rows=[job_row(row.Job) for row in page], by_status=by_status,
        count=by_status.get(command.status, 0) if command.status else sum(by_status.values()),
        next=paging.encode(page[-1].place, page[-1].Job.id) if len(found) > command.limit else "",
    )


@operation("jobs.list", by=AUDITORS, limit="240/minute", audit=Event.DATA_READ)
def list_jobs(work: Work, command: ListJobs) -> Jobs:
    """Lists the tenant's jobs: those that need somebody, those that run, those that wait, the others."""
    found = _list(work, command)
    work.note(target="job", rows=len(found.rows))
    return found


@operation("jobs.poll", by=AUDITORS, limit="600/minute", audit=None)
def poll_jobs(work: Work, command: ListJobs) -> Jobs:
    """The same list again, for a page that is open."""
    return _list(work, command)


class ChangeJob(Command):
    job_id: UUID


def _locked(work: Work, job_id: UUID) -> Job:
    job = work.session.scalars(select(Job).where(col(Job.id) == job_id).with_for_update()).first()
    if job is None:
        raise NotFound("job", job_id)
    return job


@operation("jobs.cancel", by=KEEPERS, limit="60/minute", audit=Event.JOB_CANCELLED)
def cancel_job(work: Work, command: ChangeJob) -> JobRow:
    """Cancels a job: at once while it waits, at its next step while it runs. What it has done is kept."""
    job = _locked(work, command.job_id)
    if JobStatus(job.status) in ENDED:
        raise Conflict(f"This job is {job.status} already.")
    job.cancel_requested = True
    if job.status == JobStatus.QUEUED:
        lifecycle.close(work, job, JobStatus.CANCELLED, None)
    work.session.add(job)
    work.note(target=f"job:{job.id}", department=job.department_id, kind=job.kind, status=str(job.status))
    return job_row(job)


@operation("jobs.retry", by=KEEPERS, limit="60/minute", audit=Event.JOB_RETRIED)
def retry_job(work: Work, command: ChangeJob) -> JobRow:
    """Puts a job that failed, was cancelled or is in quarantine back in the queue; it goes on from its last step."""
    job = _locked(work, command.job_id)
    if JobStatus(job.status) not in RETRYABLE:
        raise Conflict(f"This job is {job.status}. Only one that failed, was cancelled or is in quarantine is retried.")
    before = job.status
    retried = KINDS[job.kind].retried
    if retried is not None:
        retried(work, job)
    job.status, job.attempts, job.crashes = JobStatus.QUEUED, 0, 0
    job.error = job.finished_at = None
    job.cancel_requested = False
    work.session.add(job)
    put_at_commit(work, job.id, job.kind)
    work.note(target=f"job:{job.id}", department=job.department_id, kind=job.kind, before=str(before))
    return job_row(job)
