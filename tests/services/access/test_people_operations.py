"""People as admins list, change and deactivate them: who is last stays, and what ends ends at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import PASSWORD
from tests.services.conftest import Clock
from workreef_app.services.access.people import checked_email, normalise
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import (
    Conflict,
    Invalid,
    NoSession,
    NotFound,
    Refusal,
    SignInAgain,
    SignInRefused,
    WrongPersona,
)
from workreef_app.services.tenancy.platform import Tenant

pytestmark = pytest.mark.usefixtures("cheap_passwords")
Cli = Callable[[Tenant], Caller]


def id_of(door: Door, caller: Caller) -> str:
    return str(door.perform(caller, "me.read", {}).person_id)


def row_of(door: Door, admin: Caller, person_id: str) -> Any:
    return door.perform(admin, "people.list", {"person_id": person_id}).rows[0]


def test_people_are_listed_page_by_page(door: Door, tenant: Tenant, cli: Cli, person: Any, department: Any) -> None:
    department(tenant, "claims")
    for personas in (["operator", "contributor"], ["admin"], ["security_reviewer"]):
        person(tenant, personas, ["claims"])
    first = door.perform(cli(tenant), "people.list", {"limit": 2})
    rest = door.perform(cli(tenant), "people.list", {"limit": 2, "after": first.next})
    assert (first.count, rest.count, rest.next) == (3, 3, "")
    rows = [*first.rows, *rest.rows]
    assert [[p.persona for p in row.personas] for row in rows] == [
        ["operator", "contributor"], ["admin"], ["security_reviewer"]]
    assert all(row.departments == ["claims"] and row.status == "active" and not row.factor for row in rows)
    assert door.perform(cli(tenant), "people.list", {"status": "deactivated"}).count == 0


def test_a_change_of_power_ends_sessions_and_another_name_does_not(
    door: Door, tenant: Tenant, cli: Cli, person: Any, department: Any
) -> None:
    department(tenant, "claims")
    caller = person(tenant, ["operator"])
    who = {"person_id": id_of(door, caller)}
    assert door.perform(cli(tenant), "people.change", who | {"name": "Nova"}).changed == ["name"]
    assert door.perform(caller, "me.read", {}).name == "Nova"
    same = door.perform(cli(tenant), "people.change", who | {"personas": ["operator"], "departments": []})
    assert (same.changed, same.sessions_ended) == ([], 0)
    done = door.perform(cli(tenant), "people.change", who | {"departments": ["claims"]})
    assert (done.changed, done.sessions_ended) == (["departments"], 1)
    with pytest.raises(NoSession):
        door.perform(caller, "me.read", {})
    assert row_of(door, cli(tenant), who["person_id"]).departments == ["claims"]
    told = door.perform(cli(tenant), "audit.list", {"event": "person.changed"}).rows[0]
    detail = json.loads(door.perform(cli(tenant), "audit.read", {"seq": told.seq}).content)["detail"]
    assert (detail["departments_before"], detail["departments"]) == (0, 1)
    assert detail["personas_before"] == detail["personas"] == ["operator"]
    with pytest.raises(Invalid, match="no such department"):
        door.perform(cli(tenant), "people.change", who | {"departments": ["none"]})


def test_a_persona_for_a_time_is_gone_at_its_end(
    door: Door, tenant: Tenant, cli: Cli, person: Any, clock: Clock, browser: Cli
) -> None:
    until = clock() + timedelta(hours=1)
    sent = {"email": "rev@example.com", "name": "Rev", "personas": ["security_reviewer", "contributor"]}
    with pytest.raises(Invalid, match="over"):
        door.perform(cli(tenant), "people.create", sent | {"reviewer_until": clock().isoformat()})
    with pytest.raises(Invalid, match="Only a security reviewer"):
        door.perform(cli(tenant), "people.create",
                     sent | {"personas": ["operator"], "reviewer_until": until.isoformat()})
    invited = door.perform(cli(tenant), "people.create", sent | {"reviewer_until": until.isoformat()})
    granted = door.perform(
        browser(tenant), "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD})
    caller = replace(browser(tenant), token=granted.token)
    assert door.perform(caller, "settings.read", {}).settings
    clock.turn(minutes=59, seconds=59)
    assert door.perform(caller, "settings.read", {}).settings
    clock.turn(seconds=1)
    with pytest.raises(WrongPersona):
        door.perform(caller, "settings.read", {})
    assert door.perform(caller, "me.read", {}).personas == ["contributor"]
    assert [p.persona for p in row_of(door, cli(tenant), str(invited.person_id)).personas] == ["contributor"]


def test_who_is_deactivated_is_out_at_once_and_comes_back_as_they_were(
    door: Door, tenant: Tenant, cli: Cli, person: Any, browser: Cli
) -> None:
    caller = person(tenant, ["operator"], email="out@example.com")
    who = {"person_id": id_of(door, caller)}
    link = door.perform(cli(tenant), "people.reset_link", who).token
    assert door.perform(cli(tenant), "people.deactivate", who).sessions_ended == 1
    with pytest.raises(NoSession):
        door.perform(caller, "me.read", {})
    with pytest.raises(SignInRefused):
        door.perform(browser(tenant), "sessions.start", {"email": "out@example.com", "password": PASSWORD})
    with pytest.raises(Conflict, match="This link"):
        door.perform(browser(tenant), "passwords.reset", {"token": link, "password": "four purple giraffes whistle"})
    for name in ("people.deactivate", "people.reset_link"):
        with pytest.raises(Conflict):
            door.perform(cli(tenant), name, who)
    assert door.perform(cli(tenant), "people.activate", who).status == "active"
    assert door.perform(browser(tenant), "sessions.start", {"email": "out@example.com", "password": PASSWORD}).token
    with pytest.raises(NotFound):
        door.perform(cli(tenant), "people.activate", {"person_id": str(uuid4())})


def test_the_last_active_admin_stays(door: Door, tenant: Tenant, cli: Cli, person: Any) -> None:
    admin, second = person(tenant, ["admin"]), person(tenant, ["admin"])
    mine, other = id_of(door, admin), id_of(door, second)
    door.perform(cli(tenant), "people.deactivate", {"person_id": other})
    for name, more in (("people.deactivate", {}), ("people.change", {"personas": ["operator"]})):
        with pytest.raises(Conflict, match="last active admin"):
            door.perform(admin, name, {"person_id": mine, **more})
        with pytest.raises(Conflict, match="last active admin"):
            door.perform(cli(tenant), name, {"person_id": mine, **more})
    assert door.perform(admin, "people.change", {"person_id": mine, "personas": ["admin", "operator"]}).changed


@pytest.mark.parametrize("third", [False, True])
@pytest.mark.parametrize("change", [{}, {"personas": ["operator"]}])
def test_of_two_admins_who_remove_each_other_at_once_one_does(
    door: Door, tenant: Tenant, cli: Cli, person: Any, change: dict[str, Any], third: bool
) -> None:
    admins = [person(tenant, ["admin"]) for _ in range(3 if third else 2)][:2]
    ids = [id_of(door, admin) for admin in admins]
    name = "people.change" if change else "people.deactivate"

    def remove(pair: tuple[Caller, str]) -> bool:
        try:
            door.perform(pair[0], name, {"person_id": pair[1], **change})
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, zip(admins, reversed(ids), strict=True))) == [False, True]
    left = [row for row in door.perform(cli(tenant), "people.list", {"status": "active"}).rows
            if "admin" in [p.persona for p in row.personas]]
    assert len(left) == (2 if third else 1)


def test_nobody_gives_themselves_a_persona(door: Door, shared: Tenant, person: Any, browser: Cli, cli: Cli) -> None:
    """Mass assignment: a persona among the fields of what people may do is a field that is not known."""
    caller, invited = person(shared, ["contributor"]), door.perform(
        cli(shared), "people.create", {"email": "mass@example.com", "name": "M", "personas": ["contributor"]})
    more = {"personas": ["admin"], "persona": "admin", "status": "active", "departments": ["claims"]}
    for who, name, sent in (
        (caller, "me.change", {"time_zone": "UTC"}),
        (caller, "passwords.change", {"current": PASSWORD, "password": "four purple giraffes whistle"}),
        (browser(shared), "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}),
        (browser(shared), "sessions.start", {"email": "mass@example.com", "password": PASSWORD}),
    ):
        with pytest.raises(Invalid) as refused:
            door.perform(who, name, sent | more)
        assert set(refused.value.fields) == set(more)
    with pytest.raises(WrongPersona):
        door.perform(caller, "people.change", {"person_id": id_of(door, caller), "personas": ["admin"]})


def test_what_is_dangerous_wants_a_fresh_proof(
    door: Door, shared: Tenant, person: Any, clock: Clock, cli: Cli, fresh_limits: None
) -> None:
    admin, other = person(shared, ["admin"]), person(shared, ["operator"])
    who = {"person_id": id_of(door, other)}
    clock.turn(minutes=4, seconds=59)
    assert door.perform(admin, "people.change", who | {"name": "Still fresh"}).changed
    clock.turn(seconds=1)
    for name in ("people.change", "people.deactivate", "people.activate", "people.reset_link", "people.reset_factor"):
        with pytest.raises(SignInAgain) as refused:
            door.perform(admin, name, who)
        assert (refused.value.status, refused.value.code) == (403, "sign_in_again")
    door.perform(admin, "sessions.refresh", {"password": PASSWORD})
    assert door.perform(admin, "people.change", who | {"name": "Fresh again"}).changed
    clock.turn(hours=1)
    assert door.perform(cli(shared), "people.change", who | {"name": "By command"}).changed


CONFUSABLE = [
    "аnn@acme.test", "ann@аcme.test", "ann@acme.tеst", "αnn@acme.test", "ann\u200b@acme.test", "ann@acme\u3002test",
    "a\u0301nn@acme.test", "ı@acme.test", "ann@xn--\u0430cme.test", "ann＠acme.test.\u202e",
]


@pytest.mark.parametrize("email", CONFUSABLE)
def test_an_email_that_only_looks_like_another_is_refused(door: Door, shared: Tenant, cli: Cli, email: str) -> None:
    sent = {"email": email, "name": "A", "personas": ["operator"]}
    assert normalise(email) != "ann@acme.test"
    with pytest.raises(Invalid) as refused:
        door.perform(cli(shared), "people.create", sent)
    assert list(refused.value.fields) == ["email"]


@pytest.mark.parametrize("email", [
    " ANN@acme.test ", "Ann@ACME.test", "ａｎｎ＠ａｃｍｅ．ｔｅｓｔ", "𝐚𝐧𝐧@acme.test", "ⓐnn@acme.test", "ann@acme.teſt",
    "ann@acme\u2024test",
])
def test_an_email_that_is_another_in_another_form_is_that_one(email: str) -> None:
    assert checked_email(email) == normalise(email) == "ann@acme.test"
