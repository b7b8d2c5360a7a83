"""Alarms and their deliveries as parts of the status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from workreef_app.services.alarms.kinds import AlarmKind, Severity
from workreef_app.services.alarms.models import AlarmRoute
from workreef_app.services.alarms.raising import raise_alarm
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Fact, Reach, Work
from workreef_app.services.posture import alarming
from workreef_app.services.posture.alarming import Failing, OpenAlarms
from workreef_app.services.posture.status import Component, Standing
from workreef_app.services.tenancy.platform import Tenant

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEEPER = Actor(id="test", extra_reach=frozenset({Reach.ALL_WORK, Reach.PEOPLE, Reach.SETTINGS}))


def test_the_worst_alarm_decides() -> None:
    assert alarming.alarms(OpenAlarms()).standing is Standing.PROVEN
    some = alarming.alarms(OpenAlarms({Severity.NOTICE: 1, Severity.WARNING: 2}, AT))
    assert (some.standing, some.since) == (Standing.ATTENTION, AT)
    assert some.what == "3 alarms are open: 2 warning, 1 notice."
    assert alarming.alarms(OpenAlarms({Severity.CRITICAL: 1}, AT)).standing is Standing.BROKEN


def test_deliveries_stand_as_the_last_of_each_channel_went() -> None:
    assert alarming.deliveries([], sent=True).standing is Standing.PROVEN
    assert alarming.deliveries([], sent=False).what == "Alarms are sent nowhere."
    assert alarming.deliveries([], sent=None).standing is Standing.UNKNOWN
    found = alarming.deliveries(
        [Failing("mail", 1, AT), Failing("webhook", 3, AT - timedelta(hours=1))], sent=True
    )
    assert (found.standing, found.since) == (Standing.ATTENTION, AT - timedelta(hours=1))
    assert found.what.endswith("1 delivery by mail, 3 deliveries by the webhook.")


@pytest.fixture
def alarm(door: Door) -> Callable[..., UUID]:
    """Raises an alarm: `alarm(tenant, AlarmKind.JOB_FAILED, "job:1")`."""

    def make(tenant: Tenant, kind: AlarmKind, subject: str, department: UUID | None = None) -> UUID:
        with door.platform.unit_of_work(tenant, KEEPER) as session:
            work = Work(session, KEEPER, AT, tenant.info, "test", "", True, str, Fact())
            return raise_alarm(work, kind, subject=subject, department=department)

    return make


def _parts(door: Door, caller: Caller) -> dict[str, Component]:
    return {part.part: part for part in door.perform(caller, "status.read", {}).components}


def _delivery(door: Door, tenant: Tenant, alarm_id: UUID, opening: int, status: str, at: datetime) -> None:
    with door.platform.unit_of_work(tenant, KEEPER) as session:
        session.execute(
            text("INSERT INTO alarm_delivery VALUES (:id, :opening, 'mail', :status, 1, NULL, NULL, :at)"),
            {"id": alarm_id, "opening": opening, "status": status, "at": at},
        )


def test_the_status_tells_of_open_alarms_and_failing_deliveries(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], alarm: Callable[..., UUID]
) -> None:
    before = _parts(door, cli(tenant))
    assert before["alarms"].standing is Standing.PROVEN
    assert before["deliveries"].what == "Alarms are sent nowhere."
    with door.platform.unit_of_work(tenant, KEEPER) as session:
        session.add(AlarmRoute(only=True, mail_recipients=["a@example.com"], webhook_url="", webhook_secret=None,
                               minimum_severity=Severity.WARNING, updated_at=AT))
    alarm_id = alarm(tenant, AlarmKind.JOB_QUARANTINED, "job:1")
    _delivery(door, tenant, alarm_id, 1, "failed", AT)
    _delivery(door, tenant, alarm_id, 2, "delivered", AT + timedelta(minutes=1))
    parts = _parts(door, cli(tenant))
    assert (parts["alarms"].standing, parts["alarms"].since) == (Standing.BROKEN, AT)
    assert parts["deliveries"].standing is Standing.PROVEN, "it works again"
    _delivery(door, tenant, alarm_id, 3, "uncertain", AT + timedelta(minutes=2))
    _delivery(door, tenant, alarm_id, 4, "failed", AT + timedelta(minutes=3))
    failing = _parts(door, cli(tenant))["deliveries"]
    assert (failing.standing, failing.since) == (Standing.ATTENTION, AT + timedelta(minutes=2))


def test_a_reviewer_who_sees_no_alarm_is_not_told_that_there_is_none(
    door: Door, tenant: Tenant, person: Callable[..., Caller], alarm: Callable[..., UUID]
) -> None:
    alarm(tenant, AlarmKind.JOB_FAILED, "job:1")
    assert "alarms" not in _parts(door, person(tenant, ["security_reviewer"]))
