"""When schedules are due, and that each slot is fired once however many look."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from workreef_app.services.door import Door
from workreef_app.services.jobs.models import JobStatus
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers.scheduling import GRACE, Schedule, Scheduler, due_slots, key, last_due, plan

BERLIN = ZoneInfo("Europe/Berlin")


def at(*parts: int, zone: Any = UTC) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(("zone", "now", "due"), [
    ("UTC", at(2026, 11, 24, 5, 0), at(2026, 11, 24, 5, 0)),
    ("UTC", at(2026, 11, 24, 4, 59), at(2026, 11, 23, 5, 0)),
    ("Europe/Berlin", at(2026, 7, 1, 3, 0), at(2026, 7, 1, 3, 0)),
    ("Europe/Berlin", at(2026, 12, 1, 3, 30), at(2026, 11, 30, 4, 0)),
    ("Asia/Kathmandu", at(2026, 11, 24, 0, 0), at(2026, 11, 23, 23, 15)),
])
def test_the_hour_is_the_tenants(zone: str, now: datetime, due: datetime) -> None:
    assert last_due(Schedule("digest", "0 5 * * *", zone), now - GRACE, now) == due


def test_an_hour_that_the_clocks_skip_fires_once_all_the_same() -> None:
    schedule = Schedule("digest", "30 2 * * *", "Europe/Berlin")
    day = [at(2026, 3, 29, 0, 0) + timedelta(minutes=10 * n) for n in range(6 * 24)]
    found = {last_due(schedule, day[0], now) for now in day} - {None}
    assert len(found) == 1


def test_an_hour_that_the_clocks_repeat_fires_once() -> None:
    schedule = Schedule("digest", "30 2 * * *", "Europe/Berlin")
    day = [at(2026, 10, 24, 22, 0) + timedelta(minutes=10 * n) for n in range(6 * 24)]
    found = {last_due(schedule, day[0], now) for now in day} - {None}
    assert len(found) == 1


@given(
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]),
    st.integers(0, 23), st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.integers(1, 86_400),
)
def test_what_was_due_lies_in_the_time_asked_for(zone: str, hour: int, now: datetime, seconds: int) -> None:
    moment = now.replace(tzinfo=UTC)
    since = moment - timedelta(seconds=seconds)
    found = last_due(Schedule("digest", f"0 {hour} * * *", zone), since, moment)
    assert found is None or since < found <= moment
    if found is not None:
        local = found.astimezone(ZoneInfo(zone))
        assert (local.minute, local.second) == (0, 0) or local.hour != hour


def test_of_several_missed_slots_only_the_last_is_made_up_for() -> None:
    hourly = Schedule("import_sweep", "17 * * * *", "UTC")
    now = at(2026, 11, 24, 12, 0)
    assert list(due_slots([hourly], now - GRACE, now)) == [(hourly, at(2026, 11, 24, 11, 17))]


def test_a_plan_follows_the_settings() -> None:
    found = {schedule.kind: schedule for schedule in plan({"digest.hour": 22}, "Europe/Berlin")}
    assert found["digest"] == Schedule("digest", "0 22 * * *", "Europe/Berlin")


def test_a_key_names_the_moment_whatever_the_zone() -> None:
    assert key("digest", at(2026, 7, 1, 5, 0, zone=BERLIN)) == key("digest", at(2026, 7, 1, 3, 0))


def _jobs(door: Door, tenant: Tenant, cli: Any) -> list[Any]:
    return [row for row in door.perform(cli(tenant), "jobs.list", {"limit": 200}).rows if row.kind == "digest"]


def test_many_processes_fire_a_slot_once(door: Door, tenant: Tenant, cli: Any) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1, hours=12)
    with ThreadPoolExecutor(6) as pool:
        fired = list(pool.map(lambda _: Scheduler(door).tick(now), range(6)))
    assert sum(fired) >= 1
    assert len(_jobs(door, tenant, cli)) == 1
    assert Scheduler(door).tick(now) == 0
    assert Scheduler(door).tick(now + timedelta(days=1)) >= 1
    found = _jobs(door, tenant, cli)
    assert [row.status for row in found] == [JobStatus.QUEUED] * 2


def test_a_slot_that_was_taken_and_not_fired_is_fired_by_another_later(door: Door, tenant: Tenant, cli: Any) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1, hours=12)
    scheduler = Scheduler(door)
    due = last_due(Schedule("digest", "0 5 * * *", "UTC"), now - GRACE, now)
    assert due is not None
    assert scheduler._take(f"digest:{tenant.info.id}", due, now)
    scheduler.tick(now)
    assert _jobs(door, tenant, cli) == []
    Scheduler(door).tick(now + timedelta(seconds=61))
    assert len(_jobs(door, tenant, cli)) == 1
    with door.platform.control.connect() as connection:
        done = connection.execute(text(
            "SELECT done_at FROM schedule_slot WHERE schedule = :name"), {"name": f"digest:{tenant.info.id}"}
        ).scalars().all()
    assert None not in done


def test_a_tenant_made_after_a_slot_does_not_make_up_for_it(door: Door, tenant: Tenant, cli: Any) -> None:
    Scheduler(door).tick(datetime.now(UTC))
    assert _jobs(door, tenant, cli) == [] or _due_just_now()


def _due_just_now() -> bool:
    """The hour of the digest struck while the test ran."""
    now = datetime.now(UTC)
    return now.hour == 5 and now.minute < 2
