"""Raising and clearing: one alarm at a time of a kind and subject, whoever raises it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.services.alarms.conftest import Works
from workreef_app.services.alarms.kinds import AlarmKind, Severity
from workreef_app.services.alarms.raising import clear_alarm, raise_alarm
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Reach
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
JOB_FAILED, DISK_LOW = AlarmKind.JOB_FAILED, AlarmKind.DISK_LOW
URL = "http://127.0.0.1:9/hook"


def alarms(door: Door, admin: Caller, **given: Any) -> Any:
    return door.perform(admin, "alarms.list", given).rows


def test_an_alarm_that_comes_again_is_the_same_one(door: Door, tenant: Tenant, work: Works, cli: Cli) -> None:
    with work(tenant) as first:
        one = raise_alarm(first, JOB_FAILED, subject="job:1", detail={"kind": "import"})
        other = raise_alarm(first, JOB_FAILED, subject="job:2")
    with work(tenant) as second:
        assert raise_alarm(second, JOB_FAILED, subject="job:1", detail={"kind": "digest"}) == one
    found = {row.id: row for row in alarms(door, cli(tenant))}
    assert set(found) == {one, other}
    assert (found[one].times, found[one].opening, found[one].detail) == (2, 1, {"kind": "digest"})
    assert (found[one].severity, found[one].state, found[other].times) == ("warning", "open", 1)


def test_of_many_who_raise_it_at_once_one_opens_it(door: Door, tenant: Tenant, work: Works, cli: Cli) -> None:
    barrier = Barrier(8)

    def one(_: int) -> Any:
        with work(tenant) as mine:
            barrier.wait(10)
            return raise_alarm(mine, DISK_LOW)

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(one, range(8)))
    (row,) = alarms(door, cli(tenant))
    assert ({row.id}, row.times) == (ids, 8)


def test_what_is_raised_in_a_transaction_that_fails_was_never_raised(
    door: Door, tenant: Tenant, work: Works, cli: Cli, routes: Any, deliveries: Any
) -> None:
    routes(tenant, webhook_url=URL)

    def fail() -> None:
        with work(tenant) as mine:
            raise_alarm(mine, DISK_LOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (alarms(door, cli(tenant)), deliveries(tenant)) == ([], [])


def test_a_new_alarm_is_delivered_once_and_again_when_it_is_worse(
    door: Door, tenant: Tenant, work: Works, cli: Cli, routes: Any, deliveries: Any
) -> None:
    routes(tenant, webhook_url=URL)
    with work(tenant) as mine:
        alarm = raise_alarm(mine, JOB_FAILED, severity=Severity.NOTICE)
        raise_alarm(mine, JOB_FAILED, severity=Severity.NOTICE)
    assert len(deliveries(tenant)) == 1
    door.perform(cli(tenant), "alarms.acknowledge", {"alarm_id": alarm})
    with work(tenant) as mine:
        raise_alarm(mine, JOB_FAILED, severity=Severity.NOTICE)
    assert [row.state for row in alarms(door, cli(tenant))] == ["acknowledged"]
    with work(tenant) as mine:
        raise_alarm(mine, JOB_FAILED, severity=Severity.CRITICAL)
        raise_alarm(mine, JOB_FAILED, severity=Severity.WARNING)
    (row,) = alarms(door, cli(tenant))
    assert (row.severity, row.opening, row.state, row.acknowledged_at) == ("critical", 2, "open", None)
    assert len(deliveries(tenant)) == 2


@pytest.mark.parametrize(("minimum", "jobs"), [("notice", 1), ("warning", 1), ("critical", 0)])
def test_what_is_less_severe_than_wanted_is_not_delivered(
    tenant: Tenant, work: Works, routes: Any, deliveries: Any, minimum: str, jobs: int
) -> None:
    routes(tenant, webhook_url=URL, minimum_severity=minimum)
    with work(tenant) as mine:
        raise_alarm(mine, JOB_FAILED)
    assert len(deliveries(tenant)) == jobs


def test_without_a_route_nothing_is_queued(tenant: Tenant, work: Works, deliveries: Any) -> None:
    with work(tenant) as mine:
        raise_alarm(mine, DISK_LOW)
    assert deliveries(tenant) == []


def test_an_alarm_of_deliveries_is_not_delivered(tenant: Tenant, work: Works, routes: Any, deliveries: Any) -> None:
    routes(tenant, webhook_url=URL)
    with work(tenant) as mine:
        raise_alarm(mine, AlarmKind.DELIVERY_FAILED, severity=Severity.CRITICAL)
    assert deliveries(tenant) == []


def test_a_cleared_alarm_is_over_and_its_cause_raises_another(
    door: Door, tenant: Tenant, work: Works, cli: Cli
) -> None:
    with work(tenant) as mine:
        one = raise_alarm(mine, DISK_LOW)
        clear_alarm(mine, DISK_LOW, subject="elsewhere")
    assert [row.state for row in alarms(door, cli(tenant))] == ["open"]
    with work(tenant) as mine:
        clear_alarm(mine, DISK_LOW)
        clear_alarm(mine, DISK_LOW)
        assert mine.fact.detail == {"alarms_cleared": [f"disk_low:{one}"]}
    with work(tenant) as mine:
        two = raise_alarm(mine, DISK_LOW)
    rows = alarms(door, cli(tenant))
    assert [(row.id, row.state) for row in rows] == [(two, "open"), (one, "resolved")]
    assert (rows[1].resolved_by, rows[1].resolved_at is not None) == ("test", True)


def test_the_entry_of_who_raises_tells_of_it(tenant: Tenant, work: Works) -> None:
    with work(tenant) as mine:
        ids = [raise_alarm(mine, JOB_FAILED, subject=f"job:{number}") for number in range(25)]
        assert mine.fact.detail["alarms"] == [f"job_failed:{one}" for one in ids[:20]]
        assert mine.fact.detail["alarms_more"] == 5


def test_raising_is_all_that_somebody_without_reach_can_do(tenant: Tenant, work: Works) -> None:
    with work(tenant) as mine:
        raise_alarm(mine, DISK_LOW)
        assert mine.session.execute(text("SELECT count(*) FROM alarm")).scalar() == 0
        assert mine.session.execute(text("UPDATE alarm SET times = 9")).rowcount == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("statement", [
    "INSERT INTO alarm SELECT * FROM alarm", "DELETE FROM alarm", "TRUNCATE alarm", "DELETE FROM alarm_delivery",
])
def test_nothing_of_an_alarm_is_made_or_taken_away_beside_the_functions(
    tenant: Tenant, work: Works, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), work(tenant, Reach.ALL_WORK, Reach.PEOPLE) as mine:
        mine.session.execute(text(statement))


@pytest.mark.parametrize("subject", ["Has Capitals", "x" * 81, "a\nb", "name@example.com"])
def test_a_subject_is_a_bounded_pattern(tenant: Tenant, work: Works, subject: str) -> None:
    with pytest.raises(IntegrityError), work(tenant) as mine:
        raise_alarm(mine, DISK_LOW, subject=subject)


def test_what_an_alarm_is_about_is_sealed(tenant: Tenant, work: Works, sql_as_owner: Any) -> None:
    with work(tenant) as mine:
        raise_alarm(mine, DISK_LOW, detail={"word": "x-planted-x"})
    with sql_as_owner(tenant) as sql:
        (detail,) = sql.execute("SELECT detail FROM alarm").fetchone()
    assert b"planted" not in bytes(detail)
