"""Tenant tables of jobs. The row is the truth; the queue in the control plane holds pointers to rows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Integer, Text, Uuid

from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear, one_of

INTERNAL = Sensitivity.INTERNAL
TIME = DateTime(timezone=True)


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"
    """It has killed three workers, and is run no more until somebody says so."""


ENDED: Final = frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.QUARANTINED})


class Job(TenantTable, table=True):
    """One piece of work. `subject` is the row it is about, `key` what must not be done twice.

    `claim` grows with each worker that takes it. `attempts` counts failures, `crashes` workers that died of it.
    """

    __tablename__ = "job"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    kind: str = clear(INTERNAL, Text, pattern="^[a-z_]{1,40}$")
    subject: UUID | None = clear(INTERNAL, Uuid, nullable=True, value=None)
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    key: str | None = clear(INTERNAL, Text, pattern="^[a-z0-9_:.+-]{1,80}$", unique=True, nullable=True, value=None)
    status: JobStatus = clear(INTERNAL, Text, pattern=one_of(JobStatus))
    requested_by: str = clear(INTERNAL, Text, limit=120)
    claim: int = clear(INTERNAL, Integer)
    attempts: int = clear(INTERNAL, Integer)
    crashes: int = clear(INTERNAL, Integer)
    done: int = clear(INTERNAL, BigInteger)
    total: int | None = clear(INTERNAL, BigInteger, nullable=True, value=None)
    error: str | None = clear(INTERNAL, Text, pattern="^[a-z_]{1,40}$", nullable=True, value=None)
    cancel_requested: bool = clear(INTERNAL, Boolean)
    created_at: datetime = clear(INTERNAL, TIME)
    started_at: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    finished_at: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)


class Effect(TenantTable, table=True):
    """A step of a job that has been done, written in the transaction that did it."""

    __tablename__ = "effect"

    job_id: UUID = clear(INTERNAL, Uuid, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    step: str = clear(INTERNAL, Text, pattern="^[a-z_]{1,40}(:[a-z0-9_-]{1,60})?$", primary_key=True)
    at: datetime = clear(INTERNAL, TIME)
