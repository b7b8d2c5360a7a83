"""Tables of the control plane about work: slots of schedules, workers, and what is degraded. No customer content."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, Text, Uuid, text
from sqlmodel import Field

from workreef_app.services.tenancy.models import ControlTable

TIME = DateTime(timezone=True)


class ScheduleSlot(ControlTable, table=True):
    """A moment at which a schedule was due. The row decides who fires it; `done_at` that it was fired."""

    __tablename__ = "schedule_slot"

    schedule: str = Field(sa_column=Column(Text, primary_key=True))
    slot: datetime = Field(sa_column=Column(TIME, primary_key=True))
    taken_at: datetime = Field(sa_column=Column(TIME, nullable=False))
    done_at: datetime | None = Field(sa_column=Column(TIME, nullable=True))


class WorkerRow(ControlTable, table=True):
    """A process that runs jobs of a queue. `id` is its number in procrastinate, where its heartbeat is."""

    __tablename__ = "worker"

    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    queue: str = Field(sa_column=Column(Text, primary_key=True))
    host: str = Field(sa_column=Column(Text, nullable=False))
    pid: int = Field(sa_column=Column(Integer, nullable=False))
    started_at: datetime = Field(sa_column=Column(TIME, nullable=False))


class Degradation(ControlTable, table=True):
    """Since when a component does not work as it should, for one tenant or (zero) for all."""

    __tablename__ = "degradation"

    component: str = Field(sa_column=Column(Text, primary_key=True))
    tenant_id: UUID = Field(
        sa_column=Column(Uuid, primary_key=True, server_default=text("'00000000-0000-0000-0000-000000000000'"))
    )
    since: datetime = Field(sa_column=Column(TIME, nullable=False))
    seen_at: datetime = Field(sa_column=Column(TIME, nullable=False))
