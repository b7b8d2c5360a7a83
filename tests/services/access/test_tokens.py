"""API tokens: their form, whose they are, what they may never do, and how they end."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.web import AUDITOR, Chain, Site
from workreef_app.services.access import tokens
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import (
    REGISTRY,
    Conflict,
    Invalid,
    NotFound,
    Persona,
    TokenRefused,
    TokenScope,
    WrongPersona,
)
from workreef_app.services.tenancy.platform import Tenant

DIGITS = string.digits + string.ascii_letters
LISTS = ["me.read", "tasks.list"]


@dataclass
class Office:
    """A tenant, an admin who is an operator too, and what is made there."""

    door: Door
    tenant: Tenant
    admin: Caller
    site: Site

    def token(self, operations: list[str] = LISTS, days: int = 30) -> Any:
        fields = {"name": "Night report", "operations": operations, "days": days}
        return self.door.perform(self.admin, "tokens.create", fields)

    def program(self, token: str) -> Caller:
        return replace(self.admin, token=None, bearer=token)

    def send(self, name: str, token: str, headers: dict[str, str] | None = None) -> Any:
        host = self.site.host(self.tenant)
        sent = {"authorization": f"Bearer {token}", **(headers or {})}
        return self.site.send("POST", f"/api/v1/{name}", host, sent, json={})

    def sql(self, statement: str, **values: Any) -> Any:
        with self.door.platform.unit_of_work(self.tenant, AUDITOR) as session:
            return session.execute(text(statement), values)


@pytest.fixture(scope="module")
def _office(door: Door, site: Site) -> dict[str, Office]:
    return {}


@pytest.fixture
def office(
    door: Door, site: Site, make_tenant: Callable[..., Tenant], person: Callable[..., Caller],
    _office: dict[str, Office],
) -> Office:
    """One tenant for all tests here that end nobody."""
    if not _office:
        tenant = make_tenant()
        _office["one"] = Office(door, tenant, person(tenant, ["admin", "operator"], ["claims"]), site)
    door.limits.limiter.storage.reset()
    return _office["one"]


@given(st.integers(0, 2**256 - 1))
@settings(max_examples=50)
def test_base_62_loses_nothing(number: int) -> None:
    text = tokens.base62(number, 43)
    assert len(text) == 43
    value = 0
    for digit in text:
        value = value * 62 + tokens._DIGITS.index(digit)
    assert value == number


@given(st.integers(0, 48), st.sampled_from(DIGITS))
@settings(max_examples=50)
def test_a_token_with_another_character_is_none(place: int, digit: str) -> None:
    token = tokens.new()
    changed = token[: 4 + place] + digit + token[5 + place:]
    assert tokens.well_formed(changed) == (changed == token)


@pytest.mark.parametrize(
    "text", ["", "wrk_", "wrk_" + "0" * 49, "é" * 53, "ghp_" + tokens.new()[4:], "wrk_" + "0" * 48],
    ids=["empty", "no digits", "no checksum", "other letters", "another prefix", "too short"],
)
def test_what_is_no_token_is_known_without_a_look(text: str) -> None:
    assert not tokens.well_formed(text)


def test_a_token_is_shown_once_and_only_its_hash_is_kept(office: Office) -> None:
    made = office.token()
    assert tokens.FORM.fullmatch(made.token)
    assert made.token not in repr(made)
    row = office.sql("SELECT * FROM api_token WHERE id = :id", id=made.id).one()
    assert made.token.encode() not in b"".join(v for v in row if isinstance(v, bytes))
    (listed,) = [r for r in office.door.perform(office.admin, "tokens.list", {}).rows if r.id == made.id]
    assert (listed.operations, listed.status, listed.last_used_at) == (sorted(LISTS), "active", None)
    assert (listed.name, listed.owner[:6]) == ("Night report", "Person")


def test_a_program_does_what_its_token_lists_and_nothing_else(
    office: Office, chain: Callable[[Tenant], Chain]
) -> None:
    made = office.token()
    here = chain(office.tenant)
    program = office.program(made.token)
    office.door.perform(program, "tasks.list", {})
    with pytest.raises(TokenScope):
        office.door.perform(program, "settings.read", {})
    read, denied = (entry.facts for entry in here.new())
    assert (read["event"], read["actor"]) == ("data.read", f"token:{made.id}")
    assert (denied["event"], denied["actor"]) == ("scope.denied", f"token:{made.id}")
    assert denied["detail"] == {"operation": "settings.read", "reason": "token"}


def test_a_token_has_the_personas_and_departments_that_its_owner_has_now(
    office: Office, person: Callable[..., Caller], make_tenant: Callable[..., Tenant]
) -> None:
    tenant = make_tenant()
    owner = person(tenant, ["admin", "operator"], ["claims"])
    own = replace(office, tenant=tenant, admin=owner)
    program = own.program(own.token(["settings.read", "tasks.list", "me.read"]).token)
    assert own.door.perform(program, "me.read", {}).departments == ["Claims"]
    own.door.perform(program, "settings.read", {})
    own.sql("DELETE FROM person_persona WHERE persona = 'admin'")
    with pytest.raises(WrongPersona):
        own.door.perform(program, "settings.read", {})
    own.door.perform(program, "tasks.list", {})
    own.sql("UPDATE person SET status = 'deactivated'")
    with pytest.raises(TokenRefused):
        own.door.perform(program, "tasks.list", {})


def test_a_revoked_or_expired_token_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    revoked, old = office.token(), office.token(days=1)
    office.door.perform(office.admin, "tokens.revoke", {"token_id": revoked.id})
    office.door.perform(office.admin, "tokens.revoke", {"token_id": revoked.id})
    with pytest.raises(TokenRefused):
        office.door.perform(office.program(revoked.token), "me.read", {})
    real = office.door.clock
    for passed, holds in ((timedelta(days=1, seconds=-2), True), (timedelta(days=1), False)):
        monkeypatch.setattr(office.door, "clock", lambda passed=passed: real() + passed)
        if holds:
            office.door.perform(office.program(old.token), "me.read", {})
        else:
            with pytest.raises(TokenRefused):
                office.door.perform(office.program(old.token), "me.read", {})


def test_the_last_use_is_written_once_a_minute(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = office.token(), office.door.clock()

    def used(seconds: int) -> Any:
        monkeypatch.setattr(office.door, "clock", lambda: real + timedelta(seconds=seconds))
        office.door.perform(office.program(made.token), "me.read", {})
        return office.sql("SELECT last_used_at FROM api_token WHERE id = :id", id=made.id).scalar_one()

    assert [used(1) - real, used(60) - real, used(61) - real] == [timedelta(seconds=s) for s in (1, 1, 61)]


@pytest.mark.parametrize("name", [
    "sessions.start", "sessions.end", "sessions.extend", "invitations.accept", "people.create", "tokens.create",
    "tokens.list", "tokens.revoke", "proposals.decide", "jobs.claim", "no.such", "tasks",
])
def test_no_token_is_given_what_is_not_for_programs(office: Office, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        office.token(["me.read", name])
    assert set(caught.value.fields) <= {"operations", "operations.1"}


def test_what_a_token_may_ever_call_names_neither_people_nor_sessions() -> None:
    names = {name for name, spec in REGISTRY.items() if tokens.grantable(spec)}
    assert {"tasks.list", "me.read", "imports.start"} <= names
    assert not {name for name in names if name.partition(".")[0] in tokens.SUBJECTS}


def test_a_public_operation_is_no_way_round(office: Office) -> None:
    made = office.token()
    with pytest.raises(TokenScope):
        office.door.perform(office.program(made.token), "sessions.start", {"email": "a@b.example", "password": "x"})
    with pytest.raises(TokenRefused):
        office.door.perform(office.program("wrk_x"), "sessions.start", {"email": "a@b.example", "password": "x"})


def test_only_a_person_makes_one_and_only_a_real_one_is_revoked(
    office: Office, cli: Callable[[Tenant], Caller]
) -> None:
    with pytest.raises(Invalid):
        office.door.perform(cli(office.tenant), "tokens.create", {"name": "x", "operations": LISTS, "days": 1})
    with pytest.raises(NotFound):
        office.door.perform(office.admin, "tokens.revoke", {"token_id": str(uuid4())})


def test_no_more_tokens_hold_than_the_bound(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    holding = office.door.perform(office.admin, "tokens.list", {}).holding
    monkeypatch.setattr("workreef_app.services.access.token_operations.MOST", holding + 1)
    office.token()
    with pytest.raises(Conflict):
        office.token()


def test_the_list_is_paged_newest_first(office: Office) -> None:
    ids = [office.token().id for _ in range(3)]
    seen, after = [], ""
    while True:
        page = office.door.perform(office.admin, "tokens.list", {"limit": 1, "after": after})
        seen += [row.id for row in page.rows]
        after = page.next
        if not after:
            break
    assert seen[:3] == ids[::-1]
    assert len(seen) == page.count


def test_over_http_a_token_needs_no_origin_and_its_cookie_is_not_looked_at(office: Office) -> None:
    made = office.token()
    cookie = {"cookie": office.site.cookie(office.admin)}
    assert office.send("me.read", made.token).status_code == 200
    assert office.send("me.read", made.token, {"origin": "https://elsewhere.example"}).status_code == 200
    denied = office.send("settings.read", made.token, cookie)
    assert (denied.status_code, denied.json()["code"]) == (403, "token_scope")
    for wrong in ("", "wrk_x", tokens.new(), made.token + "A"):
        response = office.send("settings.read", wrong, cookie)
        assert (response.status_code, response.json()["code"]) == (401, "token_refused"), wrong
        assert response.headers["www-authenticate"].startswith("Bearer")
    basic = office.send("me.read", "", {**cookie, "authorization": "Basic eDp5", "origin": ""})
    assert basic.status_code == 403, "another scheme is no token, so the cookie is guarded as ever"


def test_a_token_opens_no_page_no_download_and_no_upload(office: Office) -> None:
    made, host = office.token(), office.site.host(office.tenant)
    sent = {"authorization": f"Bearer {made.token}"}
    for path in ("/", "/start", "/admin/settings"):
        assert office.site.send("GET", path, host, sent).headers["location"].startswith("/login")
    assert office.site.send("GET", "/export/tasks.csv", host, sent).status_code in {303, 401}
    assert office.site.send("PUT", "/upload/imports", host, sent, content=b"x").status_code == 401


def test_a_token_is_of_no_use_at_another_tenant(office: Office, make_tenant: Callable[..., Tenant]) -> None:
    made, host = office.token(), office.site.host(make_tenant())
    response = office.site.send("POST", "/api/v1/me.read", host, {"authorization": f"Bearer {made.token}"}, json={})
    assert response.status_code == 401


def test_admins_alone_make_tokens() -> None:
    assert all(REGISTRY[f"tokens.{verb}"].by == {Persona.ADMIN} for verb in ("create", "list", "revoke"))
