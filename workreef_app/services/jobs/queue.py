"""Putting work in the queue: the job's row with the change that wants it, its pointer just before the commit."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from workreef_app.services.jobs.adding import unless_there
from workreef_app.services.jobs.kinds import KINDS
from workreef_app.services.jobs.models import Job, JobStatus
from workreef_app.services.operation import Work
from workreef_app.services.tenancy.platform import CONTROL

TASK: Final = "run"

# The function by which procrastinate itself adds jobs; a trigger of its own wakes the workers.
_DEFER = text("""
SELECT procrastinate_defer_jobs_v1(ARRAY[
  ROW(:queue, :task, 0, NULL, NULL, CAST(:args AS jsonb), CAST(:at AS timestamptz))
]::procrastinate_job_to_defer_v1[])
""")


def enqueue(
    work: Work, kind: str, *, subject: UUID | None = None, department: UUID | None = None, key: str | None = None
) -> UUID | None:
    """Adds a job in this transaction; its id, or None when a job of the same `key` is there already.

    The pointer is put in the queue just before the commit, so that nothing committed is without its job. A worker
    that is faster than the commit finds no row, and asks again.
    """
    job_id = uuid7()
    added = unless_there(work, insert(Job).values(
        id=job_id, kind=KINDS[kind].name, subject=subject, department_id=department, key=key,
        status=JobStatus.QUEUED, requested_by=work.actor.id, claim=0, attempts=0, crashes=0, done=0,
        cancel_requested=False, created_at=work.now,
    ))
    if not added:
        return None
    put_at_commit(work, job_id, kind)
    return job_id


def put_at_commit(work: Work, job_id: UUID, kind: str, at: datetime | None = None) -> None:
    """Puts a pointer to a job in the queue when the transaction is about to commit; to be run not before `at`."""
    queue = KINDS[kind].queue
    args = json.dumps({"tenant": str(work.tenant.id), "job": str(job_id)})

    def put(session: Session) -> None:
        control: Engine = session.info[CONTROL]
        with control.begin() as connection:
            connection.execute(_DEFER, {"queue": queue.value, "task": TASK, "args": args, "at": at})

    event.listen(work.session, "before_commit", put, once=True)
