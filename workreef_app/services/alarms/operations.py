"""What people see of alarms and do with them: the list, the count, acknowledge, assign, resolve."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, case, func, select, tuple_
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.access import people
from workreef_app.services.access.models import Department, Person, PersonStatus
from workreef_app.services.alarms.kinds import MEANINGS, AlarmKind, Severity
from workreef_app.services.alarms.models import Alarm, AlarmDelivery, AlarmState, Channel, DeliveryStatus
from workreef_app.services.operation import (
    Command,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Persona,
    Result,
    Work,
    operation,
)

READERS: Final = frozenset({Persona.ADMIN, Persona.DEPT_LEAD, Persona.OPERATOR})
KEEPERS: Final = frozenset({Persona.ADMIN})
PAGE = 25
#: Open ones come first, then those that somebody has seen, each with the worst first.
_STATES = {AlarmState.OPEN.value: 0, AlarmState.ACKNOWLEDGED.value: 10, AlarmState.RESOLVED.value: 20}
_SEVERITIES = {Severity.CRITICAL.value: 0, Severity.WARNING.value: 1, Severity.NOTICE.value: 2}


class ListAlarms(Command):
    state: AlarmState | None = None
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


class DeliveryRow(Result):
    """What came of sending an alarm by one channel. `failure` is a code, `answer` the other side's number."""

    channel: Channel
    opening: int
    status: DeliveryStatus
    attempts: int
    failure: str | None
    answer: int | None
    at: datetime


class AlarmRow(Result):
    """An alarm as people see it. `acknowledged_by` and `resolved_by` are names where the reader may see them."""

    id: UUID
    kind: AlarmKind
    title: str
    what_to_do: str
    severity: Severity
    state: AlarmState
    subject: str
    department: str | None
    detail: dict[str, int | str | bool]
    times: int
    opening: int
    raised_at: datetime
    last_at: datetime
    owner_id: UUID | None
    owner: str
    acknowledged_at: datetime | None
    acknowledged_by: str
    resolved_at: datetime | None
    resolved_by: str
    deliveries: list[DeliveryRow]


class Alarms(Result):
    """A page of alarms. `next` is empty on the last page; `by_state` counts all in scope."""

    rows: list[AlarmRow]
    count: int
    by_state: dict[str, int]
    next: str


def _list(work: Work, command: ListAlarms) -> Alarms:
    counted = work.session.execute(select(col(Alarm.state), func.count()).group_by(col(Alarm.state)))
    by_state = {str(row[0]): int(row[1]) for row in counted}
    worst = case(_SEVERITIES, value=col(Alarm.severity))
    # What is over is history, newest first.
    rank = case(_STATES, value=col(Alarm.state)) + case((col(Alarm.state) == AlarmState.RESOLVED, 0), else_=worst)
    query: Select[Any] = select(Alarm, rank.label("place"))
    if command.state is not None:
        query = query.where(col(Alarm.state) == command.state)
    if command.after:
        place, last = paging.decode_number(command.after)
        query = query.where(tuple_(-rank, col(Alarm.id)) < tuple_(-place, last))
    found = work.session.execute(query.order_by(rank, col(Alarm.id).desc()).limit(command.limit + 1)).all()
    page = found[: command.limit]
    return Alarms(
        rows=rows(work, [row.Alarm for row in page]), by_state=by_state,
        count=by_state.get(command.state, 0) if command.state else sum(by_state.values()),
        next=paging.encode(page[-1].place, page[-1].Alarm.id) if len(found) > command.limit else "",
    )


def rows(work: Work, alarms: list[Alarm]) -> list[AlarmRow]:
    """Alarms as people see them, with the names and deliveries of all of them looked up together."""
    actors = {a for alarm in alarms for a in (alarm.acknowledged_by, alarm.resolved_by) if a}
    names = people.names(work, [*(a.owner_id for a in alarms if a.owner_id), *filter(None, map(_person, actors))])
    departments = {d.id: d.name for d in work.session.scalars(
        select(Department).where(col(Department.id).in_({a.department_id for a in alarms if a.department_id}))
    )}
    deliveries = _deliveries(work, (alarm.id for alarm in alarms))

    def name_of(actor: str | None) -> str:
        return names.get(_person(actor), actor) if actor else ""  # type: ignore[arg-type]

    return [
        AlarmRow(
            id=a.id, kind=AlarmKind(a.kind), title=MEANINGS[AlarmKind(a.kind)].title,
            what_to_do=MEANINGS[AlarmKind(a.kind)].what_to_do, severity=Severity(a.severity),
            state=AlarmState(a.state), subject=a.subject,
            department=departments.get(a.department_id) if a.department_id else None, detail=a.detail, times=a.times,
            opening=a.opening, raised_at=a.raised_at, last_at=a.last_at, owner_id=a.owner_id,
            owner=names.get(a.owner_id, "") if a.owner_id else "", acknowledged_at=a.acknowledged_at,
            acknowledged_by=name_of(a.acknowledged_by), resolved_at=a.resolved_at,
            resolved_by=name_of(a.resolved_by), deliveries=deliveries.get(a.id, []),
        )
        for a in alarms
    ]


def _person(actor: str | None) -> UUID | None:
    """The id in `person:<uuid>`."""
    kind, _, name = (actor or "").partition(":")
    return UUID(name) if kind == "person" else None


def _deliveries(work: Work, ids: Iterable[UUID]) -> dict[UUID, list[DeliveryRow]]:
    query = select(AlarmDelivery).where(col(AlarmDelivery.alarm_id).in_(list(ids)))
    found: dict[UUID, list[DeliveryRow]] = {}
    for row in work.session.scalars(query.order_by(col(AlarmDelivery.opening).desc(), col(AlarmDelivery.channel))):
        found.setdefault(row.alarm_id, []).append(
            DeliveryRow(**{name: getattr(row, name) for name in DeliveryRow.model_fields})
        )
    return found


@operation("alarms.list", by=READERS, limit="240/minute", audit=Event.DATA_READ)
def list_alarms(work: Work, command: ListAlarms) -> Alarms:
    """Lists the alarms in scope: open ones first, the worst of them before the others."""
    found = _list(work, command)
    work.note(target="alarm", rows=len(found.rows))
    return found


@operation("alarms.poll", by=READERS, limit="600/minute", audit=None)
def poll_alarms(work: Work, command: ListAlarms) -> Alarms:
    """The same list again, for a page that is open."""
    return _list(work, command)


class CountAlarms(Command):
    pass


class AlarmCount(Result):
    """How many alarms in scope are open, and how many of them are critical."""

    open: int
    critical: int


@operation("alarms.count", by=READERS, limit="600/minute", audit=None, keyless=True)
def count_alarms(work: Work, command: CountAlarms) -> AlarmCount:
    """Counts the open alarms in scope, for the frame of every page."""
    critical = func.count().filter(col(Alarm.severity) == Severity.CRITICAL)
    found = work.session.execute(select(func.count(), critical).where(col(Alarm.state) == AlarmState.OPEN)).one()
    return AlarmCount(open=found[0], critical=found[1])


class ChangeAlarm(Command):
    alarm_id: UUID


class AssignAlarm(ChangeAlarm):
    person_id: UUID | None = None


def _unresolved(work: Work, alarm_id: UUID) -> Alarm:
    """The alarm, locked. Raises NotFound, or Conflict when it is over."""
    row = work.session.scalars(select(Alarm).where(col(Alarm.id) == alarm_id).with_for_update()).first()
    if row is None:
        raise NotFound("alarm", alarm_id)
    if row.state == AlarmState.RESOLVED:
        raise Conflict("This alarm is resolved already.")
    return row


def _changed(work: Work, alarm: Alarm, **facts: str | None) -> AlarmRow:
    work.session.add(alarm)
    work.session.flush()
    work.note(target=f"alarm:{alarm.id}", department=alarm.department_id, kind=str(alarm.kind), **facts)
    return rows(work, [alarm])[0]


@operation("alarms.acknowledge", by=KEEPERS, limit="60/minute", audit=Event.ALARM_ACKNOWLEDGED)
def acknowledge_alarm(work: Work, command: ChangeAlarm) -> AlarmRow:
    """Says that somebody has seen an alarm. Who acknowledges an alarm without an owner becomes its owner."""
    alarm = _unresolved(work, command.alarm_id)
    if alarm.state == AlarmState.ACKNOWLEDGED:
        raise Conflict("Somebody has acknowledged this alarm already.")
    alarm.state, alarm.acknowledged_at, alarm.acknowledged_by = AlarmState.ACKNOWLEDGED, work.now, work.actor.id
    alarm.owner_id = alarm.owner_id or work.actor.person_id
    return _changed(work, alarm)


@operation("alarms.assign", by=KEEPERS, limit="60/minute", audit=Event.ALARM_ASSIGNED)
def assign_alarm(work: Work, command: AssignAlarm) -> AlarmRow:
    """Gives an alarm an owner, or takes the owner away."""
    alarm = _unresolved(work, command.alarm_id)
    if command.person_id is not None:
        person = work.session.get(Person, command.person_id)
        if person is None or person.status == PersonStatus.DEACTIVATED:
            raise Invalid("There is no such person.", fields={"person_id": "is nobody who can sign in"})
    alarm.owner_id = command.person_id
    return _changed(work, alarm, owner=f"person:{command.person_id}" if command.person_id else None)


@operation("alarms.resolve", by=KEEPERS, limit="60/minute", audit=Event.ALARM_RESOLVED)
def resolve_alarm(work: Work, command: ChangeAlarm) -> AlarmRow:
    """Says that an alarm is over. Its cause, should it come again, raises a new one."""
    alarm = _unresolved(work, command.alarm_id)
    alarm.state, alarm.resolved_at, alarm.resolved_by = AlarmState.RESOLVED, work.now, work.actor.id
    return _changed(work, alarm)
