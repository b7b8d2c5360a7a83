"""Tenant tables of alarms, of where they are sent, and of what came of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Integer, Text, Uuid, text

from workreef_app.services.alarms.kinds import AlarmKind, Severity
from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear, one_of, sealed, sealed_json

INTERNAL, PERSONAL, SECRET = Sensitivity.INTERNAL, Sensitivity.PERSONAL, Sensitivity.SECRET
TIME = DateTime(timezone=True)
SUBJECT_PATTERN: Final = "^[a-z0-9_:.-]{0,80}$"


class AlarmState(StrEnum):
    """Whether somebody has seen it, and whether it is over."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Channel(StrEnum):
    """How an alarm reaches people who do not look at a page."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryStatus(StrEnum):
    """What came of a delivery."""

    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    """It failed, and may have arrived."""


class Alarm(TenantTable, table=True):
    """Something that somebody must see. There is one at a time that is not resolved of a kind and subject.

    `opening` grows when the severity rises: then it is open again, and delivered again.
    """

    __tablename__ = "alarm"
    __table_args__ = (
        Index("alarm_once", "kind", "subject", unique=True, postgresql_where=text("state <> 'resolved'")),
    )

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    kind: AlarmKind = clear(INTERNAL, Text, pattern=one_of(AlarmKind))
    severity: Severity = clear(INTERNAL, Text, pattern=one_of(Severity))
    state: AlarmState = clear(INTERNAL, Text, pattern=one_of(AlarmState))
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    subject: str = clear(INTERNAL, Text, pattern=SUBJECT_PATTERN)
    detail: dict[str, Any] = sealed_json(INTERNAL, limit=2048)
    times: int = clear(INTERNAL, Integer)
    opening: int = clear(INTERNAL, Integer)
    raised_at: datetime = clear(INTERNAL, TIME)
    last_at: datetime = clear(INTERNAL, TIME)
    owner_id: UUID | None = clear(
        INTERNAL, Uuid, ForeignKey("person.id", ondelete="SET NULL"), nullable=True, value=None
    )
    acknowledged_at: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    acknowledged_by: str | None = clear(INTERNAL, Text, limit=120, nullable=True, value=None)
    resolved_at: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    resolved_by: str | None = clear(INTERNAL, Text, limit=120, nullable=True, value=None)


class AlarmDelivery(TenantTable, table=True):
    """What came, last, of delivering one opening of an alarm by one channel. `failure` is a code."""

    __tablename__ = "alarm_delivery"

    alarm_id: UUID = clear(INTERNAL, Uuid, ForeignKey("alarm.id", ondelete="CASCADE"), primary_key=True)
    opening: int = clear(INTERNAL, Integer, primary_key=True)
    channel: Channel = clear(INTERNAL, Text, pattern=one_of(Channel), primary_key=True)
    status: DeliveryStatus = clear(INTERNAL, Text, pattern=one_of(DeliveryStatus))
    attempts: int = clear(INTERNAL, Integer)
    failure: str | None = clear(INTERNAL, Text, pattern="^[a-z_]{1,40}$", nullable=True, value=None)
    answer: int | None = clear(INTERNAL, Integer, nullable=True, value=None)
    at: datetime = clear(INTERNAL, TIME)


class AlarmRoute(TenantTable, table=True):
    """Where alarms are sent, in one row. An empty list or address is a channel that is off."""

    __tablename__ = "alarm_route"

    only: bool = clear(INTERNAL, Boolean, primary_key=True)
    mail_recipients: list[str] = sealed_json(PERSONAL, limit=8192)
    webhook_url: str = sealed(INTERNAL, limit=500)
    webhook_secret: str | None = sealed(SECRET, limit=80, nullable=True)
    minimum_severity: Severity = clear(INTERNAL, Text, pattern=one_of(Severity))
    updated_at: datetime = clear(INTERNAL, TIME)
