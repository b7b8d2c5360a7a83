"""Two departments, one operator each: nobody sees a row of the other's, and asking for one is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, NotFound, Persona
from workreef_app.services.tenancy.platform import Tenant


@dataclass
class House:
    """A tenant with two departments and rows of none: who works there, and the tasks as an admin sees them."""

    tenant: Tenant
    admin: Caller
    claims: Caller
    yard: Caller
    both: Caller
    tasks: dict[str, Any]


TITLES = {"Claims": "claim … was rejected", "Yard": "gate … is stuck", "": "backup … failed"}


_built: dict[str, House] = {}


@pytest.fixture
def house(door: Door, shared: Tenant, cli: Any, person: Any, import_lines: Any, line: Any) -> House:
    """Built once: the tests read it, and change nothing that another one reads."""
    slug = shared.info.slug
    if slug not in _built:
        _built[slug] = build(door, shared, cli, person, import_lines, line)
    return _built[slug]


def build(door: Door, tenant: Tenant, cli: Any, person: Any, import_lines: Any, line: Any) -> House:
    claims, yard = person(tenant, ["operator"], ["claims"]), person(tenant, ["operator"], ["yard"])
    both = person(tenant, ["dept_lead"], ["claims", "yard"])
    import_lines(tenant, [line(f"claim {n} was rejected", n * 600) for n in range(10)], "claims")
    import_lines(tenant, [line(f"gate {n} is stuck", n * 600) for n in range(20)], "yard")
    import_lines(tenant, [line(f"backup {n} failed", n * 600) for n in range(30)])
    tasks = {row.department: row for row in door.perform(cli(tenant), "tasks.list", {}).rows}
    return House(tenant, cli(tenant), claims, yard, both, tasks)


def seen(door: Door, caller: Caller) -> list[str]:
    return sorted(row.title for row in door.perform(caller, "tasks.list", {}).rows)


def test_an_operator_sees_the_own_department_only(door: Door, house: House) -> None:
    assert seen(door, house.admin) == sorted(TITLES.values())
    for caller, own, times in ((house.claims, "Claims", 10), (house.yard, "Yard", 20)):
        assert seen(door, caller) == [TITLES[own]]
        assert [row.title for row in door.perform(caller, "proposals.list", {}).rows] == [TITLES[own]]
        digest = door.perform(caller, "digest.read", {})
        assert [row.times for row in digest.opportunities] == [times]
        assert (digest.tasks, digest.new_tasks, digest.to_review, digest.sources) == (1, 1, 1, 1)
        assert [choice.name for choice in digest.departments] == [own]
        sources = door.perform(caller, "sources.list", {}).sources
        assert [(row.name, row.signals, row.last_import.added) for row in sources] == [(f"Log files, {own}", 1, times)]


def test_a_lead_of_two_departments_sees_both_and_nobodys_rows_are_for_those_who_see_all(
    door: Door, house: House, person: Any
) -> None:
    assert seen(door, house.both) == sorted([TITLES["Claims"], TITLES["Yard"]])
    assert seen(door, person(house.tenant, ["change_leader"])) == sorted(TITLES.values())
    assert seen(door, person(house.tenant, ["operator"])) == []


def test_a_filter_by_department_does_not_widen_the_scope(door: Door, house: House) -> None:
    assert door.perform(house.claims, "tasks.list", {"department": "yard"}).count == 0
    assert door.perform(house.claims, "digest.read", {"department": "yard"}).tasks == 0
    assert door.perform(house.both, "tasks.list", {"department": "yard"}).count == 1


@pytest.mark.parametrize(("name", "key", "kind"), [
    ("tasks.read", "task_id", "task"), ("observations.list", "task_id", "task"),
    ("proposals.read", "proposal_id", "proposal"), ("proposals.decide", "proposal_id", "proposal"),
])
@pytest.mark.parametrize("department", ["Yard", ""])
def test_a_row_of_another_department_looks_missing_and_the_attempt_is_told(
    door: Door, house: House, log: Any, name: str, key: str, kind: str, department: str
) -> None:
    row_id = getattr(house.tasks[department], key)
    more = {"choice": "accept"} if name == "proposals.decide" else {}
    with pytest.raises(NotFound) as theirs:
        door.perform(house.claims, name, {key: row_id, **more})
    entries = log(house.tenant)
    assert entries[-1][0] == "scope.denied"
    assert entries[-1][2] == f"{kind}:{row_id}"
    missing = house.tenant.info.id
    with pytest.raises(NotFound) as nobodys:
        door.perform(house.claims, name, {key: missing, **more})
    assert log(house.tenant) == entries
    assert theirs.value.detail == nobodys.value.detail
    if not more:
        door.perform(house.claims, name, {key: getattr(house.tasks["Claims"], key)})


@pytest.mark.parametrize("table", [
    "source", "import_run", "seen_line", "signal", "observation", "task", "analysis", "proposal",
])
def test_the_database_itself_hides_every_table(door: Door, house: House, table: str) -> None:
    counted = {}
    for name, caller in (("admin", house.admin), ("claims", house.claims), ("yard", house.yard), ("both", house.both)):
        actor, _ = door.actor(caller) or (None, None)
        with door.platform.unit_of_work(house.tenant, actor) as session:  # type: ignore[arg-type]
            counted[name] = session.execute(text(f"SELECT count(*) FROM {table}")).scalar()
    assert 0 < counted["claims"] < counted["both"] < counted["admin"]
    assert counted["claims"] + counted["yard"] == counted["both"]


@pytest.mark.parametrize("statement", [
    "UPDATE task SET department_id = :other",
    "UPDATE proposal SET department_id = NULL",
    "INSERT INTO observation (id, source_id, signal_id, department_id, hour, lines, constant_tokens, total_tokens,"
    " first_at, last_at, summary) SELECT gen_random_uuid(), source_id, signal_id, :other, now(), 1, 1, 1, now(), now(),"
    " summary FROM observation LIMIT 1",
])
def test_no_row_is_moved_to_another_department(door: Door, house: House, statement: str) -> None:
    yard, _ = door.actor(house.yard) or (None, None)
    claims, _ = door.actor(house.claims) or (None, None)
    assert yard is not None
    assert claims is not None
    with pytest.raises(Exception, match="row-level security"), \
            door.platform.unit_of_work(house.tenant, claims) as session:
        session.execute(text(statement), {"other": next(iter(yard.departments))} if ":other" in statement else {})


def test_a_contributor_and_a_reviewer_see_no_work_even_as_members(door: Door, house: House, person: Any) -> None:
    """Membership opens rows to operators and leads only; the policies hold whatever an operation would do."""
    for persona in ("contributor", "security_reviewer"):
        caller = person(house.tenant, [persona], ["claims"])
        actor, _ = door.actor(caller) or (Actor(id="nobody"), None)
        assert actor.personas == {Persona(persona)}
        with door.platform.unit_of_work(house.tenant, actor) as session:
            assert session.execute(text("SELECT count(*) FROM task")).scalar() == 0


def test_the_audit_log_is_read_in_scope_too(door: Door, house: House, person: Any) -> None:
    door.perform(house.yard, "tasks.read", {"task_id": house.tasks["Yard"].task_id})
    reviewer = person(house.tenant, ["security_reviewer"])
    target = {"target": f"task:{house.tasks['Yard'].task_id}", "event": "data.read"}
    counted = [door.perform(caller, "audit.list", target).count for caller in (house.claims, house.yard, reviewer)]
    assert counted == [0, 1, 1]
    everything = door.perform(reviewer, "audit.list", {}).count
    assert 0 < door.perform(house.claims, "audit.list", {}).count < everything
