"""What people see of alarms, and do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.services.alarms.conftest import NOW, Works
from workreef_app.services.alarms.kinds import AlarmKind, Severity
from workreef_app.services.alarms.raising import raise_alarm
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Invalid, NotFound, WrongPersona
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
Person = Callable[..., Caller]
CHANGES = ("alarms.acknowledge", "alarms.assign", "alarms.resolve")
pytestmark = pytest.mark.usefixtures("fresh_limits")


def person_id(door: Door, caller: Caller) -> UUID:
    found: UUID = door.perform(caller, "me.read", {}).person_id
    return found


def test_the_worst_open_alarm_comes_first_and_what_is_over_last(
    door: Door, tenant: Tenant, work: Works, cli: Cli
) -> None:
    with work(tenant) as mine:
        over = raise_alarm(mine, AlarmKind.DISK_LOW, subject="over")
        seen = raise_alarm(mine, AlarmKind.DISK_LOW, subject="seen")
        old = raise_alarm(mine, AlarmKind.JOB_FAILED, subject="old")
        new = raise_alarm(mine, AlarmKind.JOB_FAILED, subject="new")
        small = raise_alarm(mine, AlarmKind.JOB_FAILED, subject="small", severity=Severity.NOTICE)
        worst = raise_alarm(mine, AlarmKind.DISK_LOW, subject="worst")
    door.perform(cli(tenant), "alarms.resolve", {"alarm_id": over})
    door.perform(cli(tenant), "alarms.acknowledge", {"alarm_id": seen})
    wanted = [worst, new, old, small, seen, over]
    whole = door.perform(cli(tenant), "alarms.list", {})
    assert ([row.id for row in whole.rows], whole.count, whole.next) == (wanted, 6, "")
    assert whole.by_state == {"open": 4, "acknowledged": 1, "resolved": 1}
    found, after = [], ""
    while True:
        page = door.perform(cli(tenant), "alarms.poll", {"limit": 2, "after": after})
        found += [row.id for row in page.rows]
        after = page.next
        if not after:
            break
    assert found == wanted
    some = door.perform(cli(tenant), "alarms.list", {"state": "acknowledged"})
    assert ([row.id for row in some.rows], some.count) == ([seen], 1)
    count = door.perform(cli(tenant), "alarms.count", {})
    assert (count.open, count.critical) == (4, 1)


@pytest.mark.parametrize("payload", [{"after": "x"}, {"state": "lost"}, {"limit": 0}, {"limit": 201}, {"kind": "x"}])
def test_what_is_no_list_is_refused(door: Door, standing: list[Tenant], cli: Cli, payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        door.perform(cli(standing[0]), "alarms.list", payload)


def test_a_department_sees_its_own_and_what_is_nobodys_is_for_admins(
    door: Door, tenant: Tenant, work: Works, cli: Cli, person: Person, department: Any
) -> None:
    claims, billing = (department(tenant, slug).id for slug in ("claims", "billing"))
    with work(tenant) as mine:
        ours = raise_alarm(mine, AlarmKind.IMPORT_STOPPED, subject="import:1", department=claims)
        raise_alarm(mine, AlarmKind.IMPORT_STOPPED, subject="import:2", department=billing)
        raise_alarm(mine, AlarmKind.DISK_LOW)
    for persona in ("operator", "dept_lead"):
        caller = person(tenant, [persona], ["claims"])
        listed = door.perform(caller, "alarms.list", {})
        assert [(row.id, row.department) for row in listed.rows] == [(ours, "Claims")]
        assert (listed.count, door.perform(caller, "alarms.count", {}).open) == (1, 1)
        for name in CHANGES:
            with pytest.raises(WrongPersona):
                door.perform(caller, name, {"alarm_id": ours})
    both = person(tenant, ["operator", "change_leader"], ["claims"])
    assert door.perform(both, "alarms.list", {}).count == 2, "all departments', and not the house's own"
    assert door.perform(cli(tenant), "alarms.list", {}).count == 3
    for persona in ("change_leader", "contributor", "security_reviewer"):
        with pytest.raises(WrongPersona):
            door.perform(person(tenant, [persona], ["claims"]), "alarms.list", {})


def test_who_acknowledges_becomes_the_owner(
    door: Door, tenant: Tenant, raised: Any, person: Person, cli: Cli, log: Any
) -> None:
    admin, alarm_id = person(tenant, ["admin"]), raised(tenant)
    row = door.perform(admin, "alarms.acknowledge", {"alarm_id": alarm_id})
    name = door.perform(admin, "me.read", {}).name
    assert (row.state, row.owner, row.acknowledged_by) == ("acknowledged", name, name)
    assert row.owner_id == person_id(door, admin)
    assert row.acknowledged_at is not None
    with pytest.raises(Conflict, match="has acknowledged"):
        door.perform(cli(tenant), "alarms.acknowledge", {"alarm_id": alarm_id})
    assert log(tenant)[-1] == ("alarm.acknowledged", f"person:{row.owner_id}", f"alarm:{alarm_id}")


def test_an_owner_is_kept_by_who_acknowledges(door: Door, tenant: Tenant, raised: Any, person: Person) -> None:
    admin, other, alarm_id = person(tenant, ["admin"]), person(tenant, ["operator"]), raised(tenant)
    given = {"alarm_id": alarm_id, "person_id": person_id(door, other)}
    assert door.perform(admin, "alarms.assign", given).owner_id == given["person_id"]
    assert door.perform(admin, "alarms.acknowledge", {"alarm_id": alarm_id}).owner_id == given["person_id"]
    taken = door.perform(admin, "alarms.assign", {"alarm_id": alarm_id, "person_id": None})
    assert (taken.owner_id, taken.owner) == (None, "")


def test_the_command_line_owns_nothing(door: Door, tenant: Tenant, raised: Any, cli: Cli) -> None:
    row = door.perform(cli(tenant), "alarms.acknowledge", {"alarm_id": raised(tenant)})
    assert (row.owner_id, row.acknowledged_by) == (None, "cli:tester")


def test_nobody_unknown_is_an_owner(door: Door, tenant: Tenant, raised: Any, cli: Cli) -> None:
    with pytest.raises(Invalid, match="no such person"):
        door.perform(cli(tenant), "alarms.assign", {"alarm_id": raised(tenant), "person_id": uuid4()})


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_over_or_was_never_there_is_not_changed(
    door: Door, tenant: Tenant, raised: Any, cli: Cli, log: Any, name: str
) -> None:
    alarm_id = raised(tenant)
    row = door.perform(cli(tenant), "alarms.resolve", {"alarm_id": alarm_id})
    assert (row.state, row.resolved_by) == ("resolved", "cli:tester")
    before = log(tenant)
    with pytest.raises(Conflict, match="resolved already"):
        door.perform(cli(tenant), name, {"alarm_id": alarm_id})
    with pytest.raises(NotFound):
        door.perform(cli(tenant), name, {"alarm_id": uuid4()})
    assert log(tenant) == before


def test_what_watches_the_house_raises_and_clears(door: Door, tenant: Tenant, raised: Any, cli: Cli, log: Any) -> None:
    one = raised(tenant, "disk_low", "data")
    assert raised(tenant, "disk_low", "data") == one
    system = Caller(tenant, "test", system="watch")
    assert door.perform(system, "alarms.clear", {"kind": "disk_low", "subject": "data"}).cleared
    (row,) = door.perform(cli(tenant), "alarms.list", {}).rows
    assert (row.id, row.state, row.resolved_by, row.times) == (one, "resolved", "system:watch", 2)
    assert not door.perform(system, "alarms.clear", {"kind": "disk_low", "subject": "data"}).cleared
    events = [event for event, *_ in log(tenant)]
    assert events[-5:] == ["alarm.raised", "alarm.raised", "alarm.resolved", "data.read", "alarm.resolved"]


def test_another_tenants_alarms_are_another_tenants(
    door: Door, tenant: Tenant, make_tenant: Any, raised: Any, cli: Cli
) -> None:
    alarm_id, elsewhere = raised(tenant), make_tenant()
    assert door.perform(cli(elsewhere), "alarms.list", {}).rows == []
    with pytest.raises(NotFound):
        door.perform(cli(elsewhere), "alarms.resolve", {"alarm_id": alarm_id})


def test_times_are_of_when_it_was_raised(door: Door, tenant: Tenant, work: Works, cli: Cli) -> None:
    with work(tenant) as mine:
        raise_alarm(mine, AlarmKind.DISK_LOW)
    (row,) = door.perform(cli(tenant), "alarms.list", {}).rows
    assert (row.raised_at, row.last_at, row.title, bool(row.what_to_do)) == (
        NOW, NOW, "The disk is nearly full.", True)
