"""The ledger that makes each step of a job happen once, though jobs run at least once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from workreef_app.services.jobs.adding import unless_there
from workreef_app.services.jobs.models import Effect, Job, JobStatus
from workreef_app.services.operation import Conflict, Work


class Fenced(Conflict):
    """The job runs under a later claim, or runs no more: who calls is a worker that was given up. Nothing was done."""

    code = "fenced"


def held(work: Work) -> Job:
    """The actor's job, locked until the transaction ends, if it runs under the actor's claim. Raises Fenced."""
    job_id: UUID | None = work.actor.job_id
    row = work.session.scalars(select(Job).where(col(Job.id) == job_id).with_for_update()).first()
    if row is None or row.status != JobStatus.RUNNING or row.claim != work.actor.claim:
        raise Fenced("This job runs elsewhere, or has ended. Nothing was done.")
    return row


def once(work: Work, step: str) -> bool:
    """Whether the step is still to be done, now, in this transaction; False when it was done before. Raises Fenced.

    The record of the step commits with its effect, under the lock of the job's row.
    """
    job = held(work)
    return unless_there(work, insert(Effect).values(job_id=job.id, step=step, at=work.now))


def progress(work: Work, done: int, total: int | None) -> None:
    """Says how far the job is, in units of its own. Raises Fenced."""
    job = held(work)
    job.done, job.total = done, total
    work.session.add(job)
