"""Raising and clearing alarms, inside the operation that finds the cause.

The operation's own audit entry tells of it (`alarms`, `alarms_cleared`), so raise only where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, text
from uuid_utils.compat import uuid7

from workreef_app.services.alarms.kinds import MEANINGS, AlarmKind, Severity
from workreef_app.services.alarms.models import Alarm
from workreef_app.services.jobs.queue import enqueue
from workreef_app.services.operation import Work
from workreef_app.services.vault.columns import TenantTable

#: The kind of job that delivers an alarm.
DELIVERY: Final = "alarm_delivery"
#: Alarms that one audit entry names; it counts the others.
NAMED: Final = 20
_NOTHING: Final[Mapping[str, int | str | bool]] = MappingProxyType({})

_RAISE = text(
    "SELECT alarm_id, deliver FROM alarm_raise(:id, :kind, :severity, :department, :subject, :detail, :at)"
).bindparams(bindparam("detail", type_=TenantTable.metadata.tables[Alarm.__tablename__].c.detail.type))
_CLEAR = text("SELECT alarm_clear(:kind, :subject, :at)")


def raise_alarm(
    work: Work, kind: AlarmKind, *, subject: str = "", department: UUID | None = None,
    detail: Mapping[str, int | str | bool] = _NOTHING, severity: Severity | None = None,
) -> UUID:
    """Raises the alarm of this kind and subject, or repeats the one that is not resolved; its id.

    In this transaction, whatever the actor may see. Its delivery is put in the queue when it is new or worse than
    before. `severity` None is the kind's own.
    """
    meaning = MEANINGS[kind]
    found = work.session.execute(_RAISE, {
        "id": uuid7(), "kind": kind.value, "severity": (severity or meaning.severity).value, "department": department,
        "subject": subject, "detail": dict(detail), "at": work.now,
    }).one()
    alarm_id: UUID = found.alarm_id
    if found.deliver and meaning.delivered:
        enqueue(work, DELIVERY, subject=alarm_id, department=department)
    _tell(work, "alarms", f"{kind.value}:{alarm_id}")
    return alarm_id


def clear_alarm(work: Work, kind: AlarmKind, *, subject: str = "") -> bool:
    """Resolves the alarm of this kind and subject, since its cause is gone; whether there was one."""
    cleared = work.session.scalar(_CLEAR, {"kind": kind.value, "subject": subject, "at": work.now})
    if cleared is not None:
        _tell(work, "alarms_cleared", f"{kind.value}:{cleared}")
    return cleared is not None


def _tell(work: Work, key: str, what: str) -> None:
    told: list[str] = work.fact.detail.get(key, [])
    if len(told) < NAMED:
        work.fact.detail[key] = [*told, what]
    else:
        work.fact.detail[f"{key}_more"] = work.fact.detail.get(f"{key}_more", 0) + 1
