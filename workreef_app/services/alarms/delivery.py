"""Operations by which the job that delivers an alarm reads what to send, and records what came of it."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from workreef_app.services.alarms.kinds import AlarmKind, Severity
from workreef_app.services.alarms.letters import Notice
from workreef_app.services.alarms.models import Alarm, AlarmDelivery, AlarmState, Channel, DeliveryStatus
from workreef_app.services.alarms.raising import clear_alarm, raise_alarm
from workreef_app.services.alarms.sending import Ways, settings_of, ways
from workreef_app.services.jobs.fate import ATTEMPTS
from workreef_app.services.jobs.ledger import held, once
from workreef_app.services.operation import NOBODY, Command, Event, NotFound, Result, Work, operation
from workreef_app.services.outbound.policy import Failure

LIMIT: Final = "600000/minute"


class PlanDelivery(Command):
    pass


class Plan(Result):
    """What is still to be sent of the job's alarm. `last` says that the job is not tried again after this run."""

    notice: Notice | None
    ways: Ways | None = Field(repr=False, exclude=True)
    channels: list[Channel]
    last: bool


@operation("alarms.plan_delivery", by=NOBODY, jobs=True, limit=LIMIT, audit=None)
def plan_delivery(work: Work, command: PlanDelivery) -> Plan:
    """Says what is still to be sent of the alarm that the job is about."""
    job = held(work)
    last = job.attempts >= ATTEMPTS - 1
    alarm, to = _alarm(work, job.subject), ways(work)
    if alarm.state == AlarmState.RESOLVED or to is None:
        return Plan(notice=None, ways=None, channels=[], last=last)
    delivered = set(work.session.scalars(select(col(AlarmDelivery.channel)).where(
        col(AlarmDelivery.alarm_id) == alarm.id, col(AlarmDelivery.opening) == alarm.opening,
        col(AlarmDelivery.status) == DeliveryStatus.DELIVERED,
    )))
    return Plan(
        notice=notice_of(work, alarm), ways=to, channels=[c for c in to.channels if c not in delivered], last=last,
    )


def _alarm(work: Work, alarm_id: UUID | None) -> Alarm:
    row = work.session.scalars(select(Alarm).where(col(Alarm.id) == alarm_id)).first()
    if row is None:
        raise NotFound("alarm", str(alarm_id))
    return row


def notice_of(work: Work, alarm: Alarm) -> Notice:
    """What may be said of an alarm outside."""
    return Notice(
        id=alarm.id, opening=alarm.opening, kind=AlarmKind(alarm.kind), severity=Severity(alarm.severity),
        tenant=work.tenant.slug, raised_at=alarm.raised_at, last_at=alarm.last_at, times=alarm.times,
        link=alarms_page(work),
    )


def alarms_page(work: Work) -> str:
    """Address of the tenant's page of alarms."""
    return f"{settings_of(work).tenant_url(work.tenant.slug)}/alarms"


class RecordDelivery(Command):
    channel: Channel
    opening: int = Field(ge=1, lt=2**31)
    failure: Failure | None = None
    uncertain: bool = False
    answer: int | None = Field(None, ge=0, lt=1000)
    attempts: int = Field(ge=0, le=3)
    gave_up: bool = False


class Recorded(Result):
    """Whether this was news: a delivery is recorded once."""

    new: bool


@operation("alarms.record_delivery", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.ALARM_DELIVERED)
def record_delivery(work: Work, command: RecordDelivery) -> Recorded:
    """Records what came of sending an alarm by one channel; an alarm that could not be sent is one itself."""
    alarm = _alarm(work, held(work).subject)
    status = DeliveryStatus.DELIVERED
    if command.failure is not None:
        status = DeliveryStatus.UNCERTAIN if command.uncertain else DeliveryStatus.FAILED
    new = status is not DeliveryStatus.DELIVERED or once(work, f"{command.channel.value}:{command.opening}")
    if new:
        _keep(work, alarm, command, status)
    if status is DeliveryStatus.DELIVERED:
        clear_alarm(work, AlarmKind.DELIVERY_FAILED, subject=command.channel.value)
    elif command.gave_up:
        raise_alarm(work, AlarmKind.DELIVERY_FAILED, subject=command.channel.value, detail={
            "alarm": str(alarm.id), "failure": command.failure.value if command.failure else "",
        })
    work.note(
        target=f"alarm:{alarm.id}", department=alarm.department_id, channel=command.channel.value, status=status.value,
        failure=command.failure.value if command.failure else None, attempts=command.attempts, new=new,
    )
    return Recorded(new=new)


def _keep(work: Work, alarm: Alarm, command: RecordDelivery, status: DeliveryStatus) -> None:
    """The row of this opening and channel: the last outcome, but never a failure over a delivery."""
    values = {
        "status": status.value, "attempts": command.attempts, "answer": command.answer, "at": work.now,
        "failure": command.failure.value if command.failure else None,
    }
    statement = insert(AlarmDelivery).values(
        alarm_id=alarm.id, opening=command.opening, channel=command.channel.value, **values
    )
    work.session.execute(statement.on_conflict_do_update(
        index_elements=["alarm_id", "opening", "channel"], set_=values,
        where=col(AlarmDelivery.status) != DeliveryStatus.DELIVERED,
    ))


class RaiseAlarm(Command):
    kind: AlarmKind
    subject: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_:.-]{0,80}$")] = ""


class ClearAlarm(RaiseAlarm):
    pass


class Raised(Result):
    """The alarm that was raised or repeated."""

    alarm_id: UUID


class Cleared(Result):
    """Whether there was an alarm that is resolved now."""

    cleared: bool


@operation("alarms.raise", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.ALARM_RAISED)
def raise_one(work: Work, command: RaiseAlarm) -> Raised:
    """Raises an alarm for a part of the system that has no operation of its own, as what watches the house."""
    alarm_id = raise_alarm(work, command.kind, subject=command.subject)
    work.note(target=f"alarm:{alarm_id}", kind=command.kind.value)
    return Raised(alarm_id=alarm_id)


@operation("alarms.clear", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.ALARM_RESOLVED)
def clear_one(work: Work, command: ClearAlarm) -> Cleared:
    """Resolves an alarm whose cause is gone, for a part of the system that has no operation of its own."""
    cleared = clear_alarm(work, command.kind, subject=command.subject)
    work.note(kind=command.kind.value, cleared=cleared)
    return Cleared(cleared=cleared)
