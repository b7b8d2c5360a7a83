"""People and invitations."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Invalid, WrongPersona
from workreef_app.services.tenancy.platform import Tenant

PASSWORD = "correct horse battery staple"
Cli = Callable[[Tenant], Caller]
pytestmark = pytest.mark.usefixtures("fresh_limits")


def invite(door: Door, admin: Caller, **changes: Any) -> Any:
    payload = {"email": "ann@acme.test", "name": "Ann", "personas": ["operator"], **changes}
    return door.perform(admin, "people.create", payload)


def accept(door: Door, caller: Caller, token: str, password: str = PASSWORD) -> Any:
    return door.perform(caller, "invitations.accept", {"token": token, "password": password})


def test_an_invited_person_sets_a_password_and_is_signed_in(
    door: Door, tenant: Tenant, cli: Cli, browser: Cli, log: Any, department: Any
) -> None:
    department(tenant, "claims")
    invited = invite(door, cli(tenant), personas=["operator", "dept_lead"], departments=["claims"])
    assert invited.invitation_token not in repr(invited)
    granted = accept(door, browser(tenant), invited.invitation_token)
    assert granted.person_id == invited.person_id
    me = door.perform(replace(browser(tenant), token=granted.token), "me.read", {})
    assert (me.name, me.personas, me.departments) == ("Ann", ["operator", "dept_lead"], ["Claims"])
    events = [(event, actor) for event, actor, _ in log(tenant)]
    assert events[-2:] == [
        ("person.created", "cli:tester"), ("invitation.accepted", f"person:{invited.person_id}"),
    ]


def test_a_link_is_used_once(door: Door, tenant: Tenant, cli: Cli, browser: Cli, log: Any) -> None:
    token = invite(door, cli(tenant)).invitation_token
    accept(door, browser(tenant), token)
    before = log(tenant)
    with pytest.raises(Conflict, match="was used, has expired, or never was"):
        accept(door, browser(tenant), token, "another password of mine")
    assert log(tenant) == before
    door.perform(browser(tenant), "sessions.start", {"email": "ann@acme.test", "password": PASSWORD})


def test_a_link_holds_for_three_days(door: Door, tenant: Tenant, clock: Any, cli: Cli, browser: Cli) -> None:
    invited = invite(door, cli(tenant))
    late = invite(door, cli(tenant), email="bob@acme.test")
    clock.turn(hours=71, minutes=59)
    accept(door, browser(tenant), invited.invitation_token)
    clock.turn(minutes=1)
    with pytest.raises(Conflict, match="has expired"):
        accept(door, browser(tenant), late.invitation_token)


@pytest.mark.parametrize("token", ["", "x", "a" * 43])
def test_a_link_that_never_was_says_the_same(door: Door, standing: list[Tenant], browser: Cli, token: str) -> None:
    with pytest.raises(Conflict, match="was used, has expired, or never was"):
        accept(door, browser(standing[0]), token)


def test_a_link_opens_its_own_tenant_only(
    door: Door, tenant: Tenant, standing: list[Tenant], cli: Cli, browser: Cli
) -> None:
    token = invite(door, cli(tenant)).invitation_token
    with pytest.raises(Conflict):
        accept(door, browser(standing[0]), token)
    accept(door, browser(tenant), token)


def test_of_many_at_once_one_uses_the_link(door: Door, tenant: Tenant, cli: Cli, browser: Cli) -> None:
    token = invite(door, cli(tenant)).invitation_token
    together = Barrier(6)

    def attempt(number: int) -> bool:
        together.wait(10)
        try:
            accept(door, browser(tenant), token, f"{PASSWORD} {number}")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = [number for number, done in enumerate(pool.map(attempt, range(6))) if done]
    assert len(won) == 1
    right = {"email": "ann@acme.test", "password": f"{PASSWORD} {won[0]}"}
    door.perform(browser(tenant), "sessions.start", right)


def test_a_deactivated_person_does_not_come_back_through_an_old_link(
    door: Door, tenant: Tenant, cli: Cli, browser: Cli, sql_as_owner: Any
) -> None:
    token = invite(door, cli(tenant)).invitation_token
    with sql_as_owner(tenant) as owner:
        owner.execute("UPDATE person SET status = 'deactivated'")
    with pytest.raises(Conflict):
        accept(door, browser(tenant), token)
    with sql_as_owner(tenant) as owner:
        assert owner.execute("SELECT status FROM person").fetchone() == ("deactivated",)


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 201])
def test_a_password_has_a_length_and_is_not_repeated_to_the_caller(
    door: Door, standing: list[Tenant], browser: Cli, password: str
) -> None:
    with pytest.raises(Invalid) as refused:
        accept(door, browser(standing[0]), "token", password)
    assert "password" in refused.value.fields
    assert not password or password not in str(refused.value.fields)


@pytest.mark.parametrize(("changes", "field"), [
    ({"email": "no email"}, "email"), ({"email": "a@"}, "email"), ({"email": "a" * 65 + "@b"}, "email"),
    ({"name": ""}, "name"), ({"name": "   "}, "name"), ({"name": "x" * 121}, "name"), ({"name": "a\x00b"}, "name"),
    ({"personas": []}, "personas"), ({"personas": ["boss"]}, "personas.0"),
    ({"departments": ["claims"]}, "departments"),
    ({"departments": ["No Slug"]}, "departments.0"), ({"status": "active"}, "status"),
])
def test_a_person_that_is_not_whole_is_refused(
    door: Door, standing: list[Tenant], cli: Cli, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        invite(door, cli(standing[0]), **changes)
    assert field in refused.value.fields


def test_an_email_is_taken_once_however_it_is_written(
    door: Door, tenant: Tenant, cli: Cli, log: Any
) -> None:
    invite(door, cli(tenant))
    with pytest.raises(Conflict, match="this email"):
        invite(door, cli(tenant), email="ANN@Acme.test")
    assert [event for event, _, _ in log(tenant)].count("person.created") == 1


def test_the_longest_names_that_are_accepted_fit_their_columns(door: Door, tenant: Tenant, cli: Cli) -> None:
    invite(door, cli(tenant), email="e" * 64 + "@" + ("u" * 62 + ".") * 2 + "u" * 63, name="𝄞" * 120)
    door.perform(cli(tenant), "departments.create", {"slug": "a" * 40, "name": "𝄞" * 80})


def test_personas_and_departments_that_are_named_twice_count_once(
    door: Door, tenant: Tenant, cli: Cli, browser: Cli, department: Any
) -> None:
    department(tenant, "claims")
    invited = invite(door, cli(tenant), personas=["operator", "operator"], departments=["claims", "claims"])
    granted = accept(door, browser(tenant), invited.invitation_token)
    me = door.perform(replace(browser(tenant), token=granted.token), "me.read", {})
    assert (me.personas, me.departments) == (["operator"], ["Claims"])


@pytest.mark.parametrize("persona", ["operator", "dept_lead", "change_leader", "contributor", "security_reviewer"])
def test_only_an_admin_adds_people(door: Door, shared: Tenant, person: Any, log: Any, persona: str) -> None:
    caller = person(shared, [persona])
    with pytest.raises(WrongPersona):
        invite(door, caller)
    assert log(shared)[-1][0] == "scope.denied"


def test_a_department_is_taken_once(door: Door, tenant: Tenant, cli: Cli, department: Any) -> None:
    department(tenant, "claims")
    with pytest.raises(Conflict, match="claims"):
        department(tenant, "claims")
