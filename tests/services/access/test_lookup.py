"""Who can see this row, who can do this: the answer is what each person finds by trying."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from workreef_app.services.access import sessions
from workreef_app.services.access.lookup import KINDS
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import REGISTRY, Invalid, NotFound, Persona, WrongPersona
from workreef_app.services.tenancy.platform import Tenant

_numbers = itertools.count(1)
DEPARTMENTS = ("claims", "yard")
PEOPLE = st.lists(
    st.tuples(st.sets(st.sampled_from(list(Persona)), min_size=1, max_size=3), st.sets(st.sampled_from(DEPARTMENTS))),
    min_size=3, max_size=6,
)


@dataclass
class House:
    """A tenant with rows of every kind, of two departments and of none."""

    door: Door
    tenant: Tenant
    admin: Caller
    browser: Caller
    rows: list[tuple[str, str]]

    def person(self, personas: set[Persona], departments: set[str]) -> tuple[UUID, Caller]:
        """A signed-in person, made without the costs of a password."""
        invited = self.door.perform(self.admin, "people.create", {
            "email": f"look{next(_numbers)}@example.com", "name": "Some Body", "personas": sorted(personas),
            "departments": sorted(departments),
        })
        with self.door.platform.unit_of_work(self.tenant, sessions.GATEKEEPER) as session:
            session.execute(text("UPDATE person SET status = 'active' WHERE id = :id"), {"id": invited.person_id})
            _, token = sessions.start(session, invited.person_id, self.browser.host, self.door.clock())
        return invited.person_id, replace(self.browser, token=token)

    def asked(self, **question: str) -> Any:
        return self.door.perform(self.admin, "access.who_can", question)


_built: dict[str, House] = {}


@pytest.fixture
def house(
    door: Door, shared: Tenant, cli: Any, browser: Any, department: Any, import_lines: Any, line: Any,
) -> House:
    """Built once; each test adds people of its own."""
    if shared.info.slug not in _built:
        for slug in DEPARTMENTS:
            department(shared, slug)
        for number, slug in enumerate((*DEPARTMENTS, None)):
            words = ("claim was rejected", "gate is stuck", "backup has failed")[number]
            import_lines(shared, [line(f"{words} {n}", n * 600) for n in range(10)], slug)
        _built[shared.info.slug] = House(door, shared, cli(shared), browser(shared), [])
    found = _built[shared.info.slug]
    found.rows = found.rows or rows_of(found)
    return found


def rows_of(house: House) -> list[tuple[str, str]]:
    """A row of every kind and each department that it has; alarms and jobs are added where there are none."""
    door, admin = house.door, house.admin
    system = Caller(house.tenant, "test", system="watch")
    door.perform(system, "alarms.raise", {"kind": "disk_low"})
    rows = [("task", row.task_id) for row in door.perform(admin, "tasks.list", {}).rows]
    rows += [("proposal", row.proposal_id) for row in door.perform(admin, "proposals.list", {}).rows]
    rows += [("source", row.id) for row in door.perform(admin, "sources.list", {}).sources]
    rows += [("alarm", row.id) for row in door.perform(admin, "alarms.list", {}).rows]
    rows += [("job", row.id) for row in door.perform(admin, "jobs.list", {"limit": 200}).rows]
    rows += [("import", row.id) for row in door.perform(admin, "imports.list", {}).rows]
    with door.platform.unit_of_work(house.tenant, sessions.GATEKEEPER) as session:
        departments = session.execute(text("SELECT id FROM department ORDER BY slug")).scalars().all()
    for event in ("import.finished", "department.created"):
        rows += [("entry", row.seq) for row in door.perform(admin, "audit.list", {"event": event}).rows]
    assert {kind for kind, _ in rows} == set(KINDS)
    assert len(departments) == 2
    return [(kind, str(row_id)) for kind, row_id in rows]


def finds(door: Door, caller: Caller, kind: str, row_id: str) -> bool:
    """Whether somebody finds a row by the operation that reads it."""
    field = {"task": "task_id", "proposal": "proposal_id", "import": "import_id", "entry": "seq"}.get(kind)
    try:
        if field:
            return bool(door.perform(caller, KINDS[kind].operation, {field: row_id}))
        page = door.perform(caller, KINDS[kind].operation, {} if kind == "source" else {"limit": 200})
    except (NotFound, WrongPersona):
        return False
    return row_id in {str(row.id) for row in (page.sources if kind == "source" else page.rows)}


@settings(
    max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_people=PEOPLE)
def test_the_look_up_names_exactly_those_who_find_the_row(
    house: House, given_people: list[tuple[set[Persona], set[str]]], fresh_limits: None
) -> None:
    people = dict(house.person(*who) for who in given_people)
    own = [("entry", str(_entry_of(house, person_id, caller))) for person_id, caller in people.items()]
    for kind, row_id in [*house.rows[::2], *own]:
        named = {row.person_id for row in house.asked(kind=kind, row_id=row_id).people}
        house.door.limits.limiter.storage.reset()
        found = {person_id for person_id, caller in people.items() if finds(house.door, caller, kind, row_id)}
        assert named & set(people) == found, (kind, row_id)


def _entry_of(house: House, person_id: UUID, caller: Caller) -> int:
    """The number of an entry that this person has just caused."""
    house.door.perform(caller, "access.matrix", {})
    seq: int = house.door.perform(house.admin, "audit.list", {"actor": f"person:{person_id}"}).rows[0].seq
    return seq


def test_the_look_up_names_exactly_those_who_may_run_an_operation(house: House, fresh_limits: None) -> None:
    people = dict(house.person({persona}, {"claims"}) for persona in Persona)
    for name, spec in sorted(REGISTRY.items()):
        answer = house.asked(operation=name)
        named = {row.person_id for row in answer.people}
        may = set()
        for person_id, caller in people.items():
            known = house.door.actor(caller)
            assert known is not None
            may |= {person_id} if spec.allows(known[0]) else set()
        assert named & set(people) == may, name
        assert (answer.public, answer.jobs) == (spec.public, spec.jobs)


def test_it_says_why(house: House, fresh_limits: None) -> None:
    task = next(row_id for kind, row_id in house.rows if kind == "task" and _department(house, row_id) == "Claims")
    operator, _ = house.person({Persona.OPERATOR}, {"claims"})
    leader, _ = house.person({Persona.CHANGE_LEADER}, set())
    both, _ = house.person({Persona.DEPT_LEAD, Persona.CONTRIBUTOR}, {"claims", "yard"})
    outside, _ = house.person({Persona.OPERATOR}, {"yard"})
    why = {row.person_id: row.why for row in house.asked(kind="task", row_id=task).people}
    assert why[operator] == "as operator of Claims"
    assert why[leader] == "as change leader: sees every department"
    assert why[both] == "as department lead of Claims"
    assert outside not in why
    person_id, caller = house.person({Persona.OPERATOR}, set())
    entry = str(_entry_of(house, person_id, caller))
    assert {row.why for row in house.asked(kind="entry", row_id=entry).people if row.person_id == person_id} == {
        "as operator: it is their own"
    }


def _department(house: House, task_id: str) -> str:
    return str(house.door.perform(house.admin, "tasks.read", {"task_id": task_id}).row.department)


def test_people_who_cannot_sign_in_are_not_named(house: House, fresh_limits: None) -> None:
    gone, _ = house.person({Persona.ADMIN}, set())
    with house.door.platform.unit_of_work(house.tenant, sessions.GATEKEEPER) as session:
        session.execute(text("UPDATE person SET status = 'deactivated' WHERE id = :id"), {"id": gone})
    assert gone not in {row.person_id for row in house.asked(operation="settings.change").people}


@pytest.mark.parametrize(("question", "field"), [
    ({}, "kind"), ({"operation": "me.read", "kind": "task", "row_id": str(uuid4())}, "kind"),
    ({"kind": "task", "row_id": "17"}, "row_id"), ({"kind": "entry", "row_id": str(uuid4())}, "row_id"),
    ({"kind": "task"}, "row_id"), ({"kind": "person", "row_id": "1"}, "kind"), ({"operation": "a b"}, "operation"),
])
def test_a_question_that_is_none_is_refused_by_its_field(house: House, question: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        house.asked(**question)
    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize("question", [
    {"operation": "nothing.at_all"}, {"kind": "task", "row_id": str(UUID(int=1))},
    {"kind": "entry", "row_id": "999999"},
])
def test_what_there_is_not_is_missing(
    house: House, question: dict[str, str], log: Callable[[Tenant], list[Any]]
) -> None:
    before = log(house.tenant)
    with pytest.raises(NotFound):
        house.asked(**question)
    assert log(house.tenant) == before


def test_asking_leaves_the_asker_in_their_own_scope(
    house: House, log: Callable[[Tenant], list[tuple[str, str, str]]], fresh_limits: None
) -> None:
    """The question is put in other people's scope; the entry is the asker's, about the row."""
    _, admin = house.person({Persona.ADMIN}, set())
    kind, row_id = house.rows[0]
    house.door.perform(admin, "access.who_can", {"kind": kind, "row_id": row_id})
    known = house.door.actor(admin)
    assert known is not None
    assert log(house.tenant)[-1] == ("data.read", known[0].id, f"{kind}:{row_id}")
