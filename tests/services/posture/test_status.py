"""How the parts of the system stand: the rules on plain values, and the operation on a real platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.operation import NoSession, WrongPersona
from workreef_app.services.posture import degradation, looking, status, watching
from workreef_app.services.posture.status import Component, Ended, Slots, SourceFacts, Standing, Waiting, Workers
from workreef_app.services.signals.models import Source, SourceKind
from workreef_app.services.tenancy.platform import Tenant

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BULK, INTERACTIVE = Queue.BULK, Queue.INTERACTIVE


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


def test_a_queue_without_workers_is_broken_and_says_what_to_start() -> None:
    found = status.workers(Workers(BULK), ago(minutes=20))
    assert (found.standing, found.since) == (Standing.BROKEN, ago(minutes=20))
    assert found.command == "workreef worker --queue bulk"
    alive = status.workers(Workers(BULK, 2, ago(hours=3), NOW), None)
    assert (alive.standing, alive.since, alive.cure) == (Standing.PROVEN, ago(hours=3), "")
    assert alive.what.startswith("2 workers for ")


@pytest.mark.parametrize(
    ("queue", "waits", "standing"),
    [
        (INTERACTIVE, timedelta(minutes=2), Standing.PROVEN),
        (INTERACTIVE, timedelta(minutes=2, seconds=1), Standing.ATTENTION),
        (BULK, timedelta(minutes=30), Standing.PROVEN),
        (BULK, timedelta(minutes=30, seconds=1), Standing.ATTENTION),
    ],
)
def test_a_job_may_wait_for_its_turn_but_not_for_ever(queue: Queue, waits: timedelta, standing: Standing) -> None:
    found = status.queue(Waiting(queue, 1, NOW - waits), 1, NOW)
    assert (found.standing, found.since, found.what) == (standing, NOW - waits, "1 job waits.")
    assert bool(found.cure) == bool(found.command) == (standing is Standing.ATTENTION)


def test_the_cure_of_a_queue_names_what_is_missing() -> None:
    late = Waiting(BULK, 3, ago(hours=2))
    assert "another" in status.queue(late, 1, NOW).cure
    assert status.queue(late, 0, NOW).cure == "Start a worker."
    assert status.queue(Waiting(BULK), 0, NOW).what == "No job waits."


@pytest.mark.parametrize(
    ("slots", "standing", "since"),
    [
        (Slots(ago(minutes=10)), Standing.UNKNOWN, None),
        (Slots(ago(minutes=76)), Standing.BROKEN, ago(minutes=76)),
        (Slots(ago(days=9), ago(minutes=75)), Standing.PROVEN, ago(minutes=75)),
        (Slots(ago(days=9), ago(minutes=76)), Standing.BROKEN, ago(minutes=76)),
        (Slots(ago(days=9), ago(minutes=9), ago(minutes=1)), Standing.PROVEN, ago(minutes=9)),
        (Slots(ago(days=9), ago(minutes=9), ago(minutes=3)), Standing.ATTENTION, ago(minutes=3)),
    ],
)
def test_schedules(slots: Slots, standing: Standing, since: datetime | None) -> None:
    found = status.scheduler(slots, NOW)
    assert (found.standing, found.since) == (standing, since)
    assert bool(found.cure) == (standing in {Standing.BROKEN, Standing.ATTENTION})


def test_something_is_scheduled_more_often_than_the_pulse() -> None:
    """The rule above holds only as long as some schedule comes due every hour."""
    from workreef_app.services.workers.scheduling import last_due, plan

    for minutes in range(0, 24 * 60, 7):
        now = NOW + timedelta(minutes=minutes)
        assert any(
            last_due(schedule, now - status.PULSE, now)
            for schedule in plan({"digest.hour": 5}, "Europe/Berlin")
        ), now


def test_a_source_says_how_old_its_newest_line_is() -> None:
    def standing(**facts: Any) -> tuple[Standing, datetime | None]:
        found = status.source(SourceFacts(uuid4(), "Log files", **facts), NOW)
        return found.standing, found.since

    assert standing() == (Standing.UNKNOWN, None)
    assert standing(as_of=ago(days=7)) == (Standing.PROVEN, None)
    assert standing(as_of=ago(days=7, seconds=1)) == (Standing.ATTENTION, ago(days=7, seconds=1))
    assert standing(as_of=NOW, stopped_at=ago(hours=1)) == (Standing.ATTENTION, ago(hours=1))
    assert status.source(SourceFacts(uuid4(), "x", ago(days=8)), NOW).what == "Its newest line is 8 days old."


def test_jobs_that_ended_badly() -> None:
    assert status.jobs(Ended()).standing is Standing.PROVEN
    found = status.jobs(Ended(2, 1, ago(hours=1)))
    assert (found.standing, found.what) == (Standing.BROKEN, "1 job in quarantine and 2 failed jobs.")
    assert status.jobs(Ended(1, 0, ago(hours=1))).standing is Standing.ATTENTION


def test_the_rest() -> None:
    assert status.key(True, None).standing is Standing.PROVEN
    assert (status.key(False, NOW).standing, status.key(False, NOW).since) == (Standing.BROKEN, NOW)
    assert status.limiter(None, shared=False).what == "Requests are counted in each process by itself."
    assert status.limiter(None, shared=True).standing is Standing.PROVEN
    away = status.limiter(NOW, shared=True)
    assert (away.standing, away.since) == (Standing.ATTENTION, NOW)
    behind = status.database("18.1", ["this tenant"], ago(days=1), ago(hours=1))
    assert (behind.standing, behind.since) == (Standing.BROKEN, ago(hours=1))
    assert "this tenant" in behind.what
    assert status.sessions(0, 0).what == "Nobody."
    assert status.sessions(3, 1).what == "3 open sessions of 1 person."


@pytest.fixture
def control(door: Door) -> Iterator[Any]:
    """The control plane's tables of workers, the queue and notes; what the test put there goes with it."""
    with door.platform.control.begin() as connection:
        _empty(connection)
    yield door.platform.control
    with door.platform.control.begin() as connection:
        _empty(connection)


def _empty(connection: Any) -> None:
    connection.execute(text("DELETE FROM degradation"))
    connection.execute(text("DELETE FROM worker"))
    connection.execute(text("DELETE FROM procrastinate_workers"))


def _worker(control: Any, queue: Queue, started: datetime, sign: datetime) -> int:
    with control.begin() as connection:
        number = int(connection.execute(
            text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (:sign) RETURNING id"), {"sign": sign}
        ).scalar_one())
        connection.execute(
            text("INSERT INTO worker (id, queue, host, pid, started_at) VALUES (:id, :queue, 'h', 1, :at)"),
            {"id": number, "queue": queue.value, "at": started},
        )
    return number


def _read(door: Door, caller: Caller) -> dict[tuple[str, str], Component]:
    found = door.perform(caller, "status.read", {})
    return {(part.part, part.subject): part for part in found.components}


def test_workers_are_told_apart_by_their_signs_of_life(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], control: Any, clock: Any
) -> None:
    _worker(control, BULK, ago(hours=2), NOW - timedelta(seconds=19))
    _worker(control, INTERACTIVE, ago(hours=2), ago(minutes=20))
    parts = _read(door, cli(tenant))
    assert parts["workers", "bulk"].standing is Standing.PROVEN
    assert parts["workers", "bulk"].since == ago(hours=2)
    dead = parts["workers", "interactive"]
    assert (dead.standing, dead.since) == (Standing.BROKEN, ago(minutes=20)), "since its last sign of life"
    clock.turn(minutes=30)
    assert _read(door, cli(tenant))["workers", "interactive"].since == ago(minutes=20)
    _worker(control, INTERACTIVE, clock.now, clock.now)
    assert _read(door, cli(tenant))["workers", "interactive"].standing is Standing.PROVEN


def test_a_queue_nobody_ever_worked_on_is_broken_since_the_first_look(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], control: Any, clock: Any
) -> None:
    watching.Watch(door.platform).look(NOW)
    clock.turn(hours=1)
    control.dispose()
    assert _read(door, cli(tenant))["workers", "bulk"].since == NOW


def _pointer(control: Any, tenant_id: UUID, queue: Queue, at: datetime | None = None) -> int:
    with control.begin() as connection:
        return int(connection.execute(
            text("INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)"
                 " VALUES (:queue, 'run', CAST(:args AS jsonb), :at) RETURNING id"),
            {"queue": queue.value, "args": json.dumps({"tenant": str(tenant_id), "job": str(uuid4())}), "at": at},
        ).scalar_one())


def test_only_this_tenants_jobs_that_could_run_count_as_waiting(
    door: Door, tenant: Tenant, make_tenant: Callable[[], Tenant], cli: Callable[[Tenant], Caller], control: Any,
) -> None:
    now = datetime.now(UTC)
    pointers = [
        _pointer(control, tenant.info.id, BULK), _pointer(control, tenant.info.id, BULK, now - timedelta(seconds=9)),
        _pointer(control, tenant.info.id, BULK, now + timedelta(hours=1)),
        _pointer(control, make_tenant().info.id, BULK),
    ]
    try:
        parts = _read(door, cli(tenant))
        assert parts["queue", "bulk"].what == "2 jobs wait."
        since = parts["queue", "bulk"].since
        assert since is not None
        assert abs(since - now) < timedelta(seconds=30), "since it was put in the queue"
        assert parts["queue", "interactive"].what == "No job waits."
    finally:
        with control.begin() as connection:
            connection.execute(text("DELETE FROM procrastinate_jobs WHERE id = ANY (:ids)"), {"ids": pointers})


def test_the_schedules_are_this_tenants(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], control: Any
) -> None:
    now = datetime.now(UTC)
    assert _read(door, cli(tenant))["scheduler", ""].standing is Standing.UNKNOWN
    with control.begin() as connection:
        for owner, done in ((tenant.info.id, now), (uuid4(), now + timedelta(days=1))):
            connection.execute(
                text("INSERT INTO schedule_slot VALUES (:name, :at, :at, :done)"),
                {"name": f"digest:{owner}", "at": now, "done": done},
            )
    found = _read(door, cli(tenant))["scheduler", ""]
    assert (found.standing, found.since) == (Standing.PROVEN, now)


@contextmanager
def _dark(door: Door, tenant: Tenant) -> Iterator[None]:
    """The tenant's key is away for the block."""
    file = next(door.platform.settings.keys_dir.glob(f"*{tenant.info.id}*"))
    hidden = file.rename(file.with_suffix(".away"))
    door.platform.keyring.purge(tenant.info.id)
    try:
        yield
    finally:
        hidden.rename(file)
        door.platform.keyring.purge(tenant.info.id)


def _source(door: Door, caller: Caller, as_of: datetime | None) -> UUID:
    row = Source(
        id=uuid4(), kind=SourceKind.LOG_FILE, name="Log files of nobody", revision=0, as_of=as_of, created_at=NOW
    )
    actor, _ = door.actor(caller) or (None, None)
    assert actor is not None
    with door.platform.unit_of_work(caller.tenant, actor) as session:
        session.add(row)
    return row.id


def test_a_locked_tenants_status_can_be_read_and_says_since_when(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], control: Any, clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "KEYS", 10_000)  # one look sees every tenant that other tests have made
    _source(door, cli(tenant), as_of=clock.now)
    assert _read(door, cli(tenant))["key", ""].standing is Standing.PROVEN
    with _dark(door, tenant):
        watching.Watch(door.platform).look(clock.now)
        clock.turn(minutes=7)
        parts = _read(door, cli(tenant))
        assert (parts["key", ""].standing, parts["key", ""].since) == (Standing.BROKEN, NOW)
        assert not [part for part, _ in parts if part == "source"], "their names are sealed"
    parts = _read(door, cli(tenant))
    assert (parts["key", ""].standing, parts["key", ""].since) == (Standing.PROVEN, None)
    assert [part for part, _ in parts if part == "source"]
    assert degradation.known(control, frozenset({watching.KEY}), tenant.info.id) == {}


def test_a_reviewer_sees_no_source_and_an_admin_does(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], person: Callable[..., Caller]
) -> None:
    _source(door, cli(tenant), as_of=None)
    reviewer = person(tenant, ["security_reviewer"])
    assert "source" not in {part for part, _ in _read(door, reviewer)}
    admins = _read(door, cli(tenant))
    assert "source" in {part for part, _ in admins}
    assert admins["sessions", ""].what == "1 open session of 1 person."


def test_jobs_that_failed_long_ago_need_nobody(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], clock: Any
) -> None:
    failed = "INSERT INTO job (id, kind, status, requested_by, claim, attempts, crashes, done, cancel_requested," \
             " created_at, finished_at) VALUES (gen_random_uuid(), 'digest', :status, 'x', 1, 3, 0, 0, false, :at, :at)"
    caller = cli(tenant)
    with door.platform.unit_of_work(tenant, door.actor(caller)[0]) as session:  # type: ignore[index]
        session.execute(text(failed), {"status": "failed", "at": NOW - looking.RECENT - timedelta(seconds=1)})
    assert _read(door, caller)["jobs", ""].standing is Standing.PROVEN
    with door.platform.unit_of_work(tenant, door.actor(caller)[0]) as session:  # type: ignore[index]
        session.execute(text(failed), {"status": "failed", "at": ago(hours=1)})
        session.execute(text(failed), {"status": "quarantined", "at": ago(days=30)})
    found = _read(door, caller)["jobs", ""]
    assert (found.standing, found.since) == (Standing.BROKEN, ago(days=30))
    assert found.what == "1 job in quarantine and 1 failed job."


@pytest.mark.parametrize("persona", ["operator", "dept_lead", "change_leader", "contributor"])
def test_others_are_refused(door: Door, tenant: Tenant, person: Callable[..., Caller], persona: str) -> None:
    caller = person(tenant, [persona], ["claims"])
    for name in ("status.read", "status.poll"):
        with pytest.raises(WrongPersona):
            door.perform(caller, name, {})


def test_nobody_is_refused(door: Door, tenant: Tenant, browser: Callable[[Tenant], Caller]) -> None:
    with pytest.raises(NoSession):
        door.perform(browser(tenant), "status.read", {})


def test_opening_is_audited_and_looking_again_is_not(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], log: Callable[[Tenant], list[tuple[str, str, str]]]
) -> None:
    before = len(log(tenant))
    door.perform(cli(tenant), "status.poll", {})
    assert len(log(tenant)) == before
    door.perform(cli(tenant), "status.read", {})
    assert log(tenant)[before:] == [("data.read", "cli:tester", "status")]
