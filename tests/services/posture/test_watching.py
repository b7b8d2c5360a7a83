"""What is looked at while nobody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.operation import NotFound
from workreef_app.services.posture import degradation, watching
from workreef_app.services.posture.degradation import Look
from workreef_app.services.posture.status import Workers
from workreef_app.services.tenancy.platform import Tenant

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_a_queue_is_well_while_somebody_works_on_it() -> None:
    crews = {Queue.BULK: Workers(Queue.BULK, 0, None, NOW), Queue.INTERACTIVE: Workers(Queue.INTERACTIVE, 1, NOW, NOW)}
    looks = watching.looks(crews)
    assert looks == {"worker_bulk": Look(True, NOW), "worker_interactive": Look(False, NOW)}


def test_every_tenant_is_told_once_that_nobody_works_and_once_that_somebody_does(
    door: Door, make_tenant: Callable[[], Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants = {make_tenant().info.slug, make_tenant().info.slug}
    alive = dict.fromkeys(Queue, 1)
    monkeypatch.setattr(
        watching.looking, "workers",
        lambda connection, now: {queue: Workers(queue, alive[queue], NOW, None) for queue in Queue},
    )
    told: list[tuple[str, str, str]] = []

    def tell(slug: str, operation: str, payload: dict[str, str]) -> None:
        if slug not in tenants:
            raise NotFound("tenant", slug)
        told.append((slug, operation, payload["subject"]))
        door.perform(Caller(door.platform.tenant(slug), "test-watch", system="watch"), operation, payload)

    # Two processes watch.
    watches = [watching.Watch(door.platform, tell), watching.Watch(door.platform, tell)]

    def look(minutes: float) -> list[tuple[str, str, str]]:
        told.clear()
        for watch in watches:
            watch.look(NOW + timedelta(minutes=minutes))
        return sorted(told)

    assert look(0) == []
    alive[Queue.BULK] = 0
    assert look(1) == look(2) == []
    # Who opens the page just then takes nothing away from those who watch.
    degradation.glance(door.platform.control, {"worker_bulk": Look(True)}, NOW + timedelta(minutes=2.5))
    assert look(2.5) == sorted((slug, "alarms.raise", "queue:bulk") for slug in tenants)
    assert look(3) == []
    for slug in tenants:
        admin = Caller(door.platform.tenant(slug), "test-watch", cli_user="tester")
        (row,) = door.perform(admin, "alarms.list", {"state": "open"}).rows
        assert (row.kind, row.subject) == ("workers_missing", "queue:bulk")
    alive[Queue.BULK] = 1
    assert look(4) == sorted((slug, "alarms.clear", "queue:bulk") for slug in tenants)
    assert look(5) == []
    assert door.perform(admin, "alarms.count", {}).open == 0


def test_every_tenants_key_has_its_turn(
    door: Door, make_tenant: Callable[[], Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_tenant() for _ in range(3)]
    monkeypatch.setattr(watching, "KEYS", 2)
    asked: list[str] = []
    watch = watching.Watch(door.platform)
    monkeypatch.setattr(watch, "_key", lambda slug, now: asked.append(slug))
    tenants = len(door.platform.tenants())
    for turn in range((tenants + 1) // 2):
        watch.look(NOW)
        assert len(asked) == 2 * (turn + 1)
    assert {tenant.info.slug for tenant in made} <= set(asked)
    assert len(set(asked)) == tenants


def test_a_dark_key_is_noted_for_its_tenant_alone(door: Door, make_tenant: Callable[[], Tenant]) -> None:
    dark, well = make_tenant(), make_tenant()
    watch = watching.Watch(door.platform)
    file = next(door.platform.settings.keys_dir.glob(f"*{dark.info.id}*"))
    hidden = file.rename(file.with_suffix(".away"))
    door.platform.keyring.purge(dark.info.id)
    try:
        for tenant in (dark, well):
            watch._key(tenant.info.slug, NOW)
    finally:
        hidden.rename(file)
    control, key = door.platform.control, frozenset({watching.KEY})
    assert degradation.known(control, key, dark.info.id) == {watching.KEY: NOW}
    assert degradation.known(control, key, well.info.id) == {}
    watch._key("nobody-is-here", NOW)


def test_a_look_that_fails_is_followed_by_another(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SECONDS", 0.01)
    looked, again = [], threading.Event()

    def look(self: watching.Watch, now: datetime) -> None:
        looked.append(now)
        if len(looked) > 1:
            again.set()
        raise OperationalError("SELECT 1", {}, Exception("away"))

    monkeypatch.setattr(watching.Watch, "look", look)
    with watching.watched(door.platform):
        assert again.wait(10)
    count = len(looked)
    assert not [thread for thread in threading.enumerate() if thread.name == "watch"]
    assert len(looked) == count
