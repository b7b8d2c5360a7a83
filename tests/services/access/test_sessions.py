"""Signing in, and how long, where and for whom a session holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from workreef_app.services import browser as browser_module
from workreef_app.services.access import operations, passwords, sessions
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Limited, NoSession, SignInRefused
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.settings import Settings

pytestmark = pytest.mark.usefixtures("fresh_limits")
EMAIL = "ann@acme.test"
PASSWORD = "correct horse battery staple"
Browser = Callable[[Tenant], Caller]
Person = Callable[..., Caller]


def sign_in(door: Door, caller: Caller, email: str = EMAIL, password: str = PASSWORD) -> Caller:
    granted = door.perform(caller, "sessions.start", {"email": email, "password": password})
    return replace(caller, token=granted.token)


@pytest.fixture
def ann(tenant: Tenant, clock: Any, person: Person) -> Caller:
    return person(tenant, ["operator"], ["claims"], email=EMAIL)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that argon2 was asked to verify."""
    asked: list[str] = []
    real = PasswordHasher()

    class Counting:
        def verify(self, encoded: str, password: str) -> bool:
            asked.append(encoded)
            return real.verify(encoded, password)

        def hash(self, password: str) -> str:
            return real.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    return asked


@pytest.mark.parametrize("email", [EMAIL, "ANN@acme.test", "  Ann@ACME.test "])
def test_the_right_password_starts_a_session(
    door: Door, tenant: Tenant, ann: Caller, browser: Browser, log: Any, email: str
) -> None:
    me = door.perform(sign_in(door, browser(tenant), email), "me.read", {})
    assert (me.personas, me.departments, me.locked) == (["operator"], ["Claims"], False)
    event, actor, target = log(tenant)[-1]
    assert (event, actor) == ("session.started", f"person:{me.person_id}")
    assert target.startswith("session:")


@pytest.mark.parametrize(("email", "password"), [
    (EMAIL, "wrong horse battery staple"), (EMAIL, ""), (EMAIL, PASSWORD + " "), (EMAIL, PASSWORD.upper()),
    ("nobody@acme.test", PASSWORD), ("", PASSWORD),
])
def test_anything_else_is_refused_in_the_same_words_with_the_same_work(
    door: Door, tenant: Tenant, ann: Caller, browser: Browser, log: Any, verified: list[str], email: str, password: str
) -> None:
    with pytest.raises(SignInRefused) as refused:
        sign_in(door, browser(tenant), email, password)
    assert refused.value.detail == "Email or password is wrong."
    assert len(verified) == 1
    assert verified[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert log(tenant)[-1] == ("session.refused", "public", "")


@pytest.mark.parametrize("status", ["deactivated", "invited"])
def test_only_an_active_person_signs_in_and_others_cost_the_same_work(
    door: Door, tenant: Tenant, ann: Caller, browser: Browser, sql_as_owner: Any, verified: list[str], status: str
) -> None:
    with sql_as_owner(tenant) as owner:
        owner.execute("UPDATE person SET status = %s", (status,))
    with pytest.raises(SignInRefused, match="Email or password is wrong"):
        sign_in(door, browser(tenant))
    assert len(verified) == 1
    assert door.actor(ann) is None
    with pytest.raises(NoSession):
        door.perform(ann, "me.read", {})


def test_sign_in_is_limited_by_address(
    door: Door, standing: list[Tenant], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, verified = standing[0], []
    monkeypatch.setattr(operations, "verify_password", lambda encoded, password: verified.append(encoded))
    for _ in range(20):
        with pytest.raises(SignInRefused):
            sign_in(door, browser(tenant), "nobody@acme.test")
    with pytest.raises(Limited) as limited:
        sign_in(door, browser(tenant), "nobody@acme.test")
    assert 1 <= limited.value.retry_after <= 60
    assert len(verified) == 20
    with pytest.raises(SignInRefused):
        sign_in(door, replace(browser(tenant), address="10.0.0.9"), "nobody@acme.test")


def test_a_session_holds_fourteen_days_whatever_is_done_meanwhile(
    door: Door, tenant: Tenant, clock: Any, ann: Caller, browser: Browser
) -> None:
    clock.turn(days=3)
    granted = door.perform(browser(tenant), "sessions.start", {"email": EMAIL, "password": PASSWORD})
    assert granted.expires_at == clock.now + timedelta(days=14)
    caller = replace(browser(tenant), token=granted.token)
    for _ in range(13):
        clock.turn(days=1)
        door.perform(caller, "digest.read", {})
    clock.turn(hours=23, minutes=59, seconds=59)
    door.perform(caller, "me.read", {})
    clock.turn(seconds=1)
    with pytest.raises(NoSession):
        door.perform(caller, "me.read", {})


def test_a_session_ends_at_sign_out_and_no_other_with_it(
    door: Door, tenant: Tenant, ann: Caller, browser: Browser, log: Any
) -> None:
    other = sign_in(door, browser(tenant))
    door.perform(ann, "sessions.end", {})
    assert [event for event, _, _ in log(tenant)][-1] == "session.ended"
    with pytest.raises(NoSession):
        door.perform(ann, "sessions.end", {})
    assert door.perform(other, "me.read", {}).personas == ["operator"]


def test_a_token_holds_at_its_own_host_and_tenant_only(
    door: Door, tenant: Tenant, ann: Caller, standing: list[Tenant], browser: Browser
) -> None:
    assert door.actor(ann) is not None
    assert door.actor(replace(ann, host="other.localhost")) is None
    assert door.actor(replace(ann, tenant=standing[0])) is None
    assert door.actor(replace(browser(standing[0]), token=ann.token)) is None
    assert door.actor(replace(ann, token=str(ann.token)[:-1])) is None
    assert door.actor(replace(ann, token="")) is None


def test_a_removed_persona_counts_at_once(door: Door, tenant: Tenant, ann: Caller, sql_as_owner: Any) -> None:
    with sql_as_owner(tenant) as owner:
        owner.execute("UPDATE person_persona SET persona = 'contributor'")
    with pytest.raises(Exception, match="for operators, department leads, change leaders and admins"):
        door.perform(ann, "digest.read", {})


def test_the_token_is_stored_hashed_and_shown_nowhere(
    door: Door, tenant: Tenant, ann: Caller, browser: Browser, sql_as_owner: Any
) -> None:
    token = str(ann.token)
    assert len(token) >= 43
    with sql_as_owner(tenant) as owner:
        stored = owner.execute("SELECT token_hash, session::text FROM session").fetchall()
    assert [bytes(row[0]) for row in stored] == [sessions.token_hash(token)]
    assert token not in stored[0][1]
    assert token not in repr(ann)
    granted = door.perform(browser(tenant), "sessions.start", {"email": EMAIL, "password": PASSWORD})
    assert granted.token not in repr(granted)
    assert "token" not in granted.model_dump_json()


def set_idle(door: Door, caller: Caller, minutes: int) -> None:
    door.perform(caller, "settings.change", {"name": "session.idle_minutes", "number": minutes})


def test_without_an_idle_limit_a_quiet_session_holds(door: Door, clock: Any, ann: Caller) -> None:
    clock.turn(days=13)
    assert door.actor(ann) is not None


def test_an_idle_limit_ends_a_quiet_session(
    door: Door, tenant: Tenant, clock: Any, ann: Caller, cli: Callable[[Tenant], Caller]
) -> None:
    set_idle(door, cli(tenant), 30)
    clock.turn(minutes=29)
    assert door.actor(ann) is not None
    clock.turn(minutes=1)
    assert door.actor(ann) is None


def test_what_a_person_does_prolongs_and_what_a_page_polls_does_not(
    door: Door, tenant: Tenant, clock: Any, ann: Caller, cli: Callable[[Tenant], Caller]
) -> None:
    set_idle(door, cli(tenant), 30)
    for _ in range(3):
        clock.turn(minutes=20)
        door.perform(ann, "digest.read", {})
    clock.turn(minutes=20)
    door.perform(ann, "me.read", {})
    clock.turn(minutes=10)
    with pytest.raises(NoSession):
        door.perform(ann, "me.read", {})


def test_the_cookie_is_bound_to_its_host_and_to_every_byte(settings: Settings) -> None:
    value = browser_module.cookie_value("tok-en", "a.localhost", settings)
    name = browser_module.cookie_name(settings)

    def read(sent: str, host: str = "a.localhost") -> str | None:
        return browser_module.session_token(f"x=1; {name}={sent}", host, settings)

    assert read(value) == "tok-en"
    assert read(value, "b.localhost") is None
    for place in range(len(value)):
        # Far away in the alphabet of base64: the last character's lowest two bits mean nothing.
        changed = "z" if value[place] in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef" else "A"
        assert read(value[:place] + changed + value[place + 1 :]) is None
    assert read("tok-en") is None
    assert read("") is None
    assert browser_module.session_token("", "a.localhost", settings) is None
    assert browser_module.session_token("a=é; ;;=", "a.localhost", settings) is None


def test_another_secret_does_not_open_a_cookie(settings: Settings) -> None:
    value = sessions.sign("token", "a.localhost", "one secret")
    assert sessions.unsign(value, "a.localhost", "one secret") == "token"
    assert sessions.unsign(value, "a.localhost", "another secret") is None


def test_in_production_the_cookie_is_for_the_host_alone(settings: Settings) -> None:
    production = settings.model_copy(update={"env": "production"})
    assert browser_module.cookie_name(settings) == "workreef_session"
    assert production.env == "production"
    assert browser_module.cookie_name(type(settings)(env="production")) == "__Host-workreef"


def test_a_browsers_request_is_resolved_by_host_and_cookie(door: Door, tenant: Tenant, ann: Caller) -> None:
    host = f"{tenant.info.slug}.localhost"
    settings = door.platform.settings
    cookie = f"{browser_module.cookie_name(settings)}={browser_module.cookie_value(str(ann.token), host, settings)}"
    caller = browser_module.browser_caller(
        door.platform, {"host": f"{host.upper()}:3999", "cookie": cookie}, "10.1.1.1", "request"
    )
    assert caller is not None
    assert (caller.token, caller.host, caller.address, caller.cli_user) == (ann.token, host, "10.1.1.1", None)
    assert door.actor(caller) is not None
    assert browser_module.browser_caller(door.platform, {"host": "localhost:3999"}, "10.1.1.1", "request") is None


def test_forwarded_headers_count_from_trusted_proxies_only(settings: Settings) -> None:
    headers = {"host": "inner", "x-forwarded-host": "t.localhost", "x-forwarded-for": "9.9.9.9, 8.8.8.8, 10.0.0.2"}
    trusting = settings.model_copy(update={"trusted_proxies": "10.0.0.1,10.0.0.2"})
    assert browser_module.host_of(headers, "10.0.0.1", settings) == "inner"
    assert browser_module.address_of(headers, "10.0.0.1", settings) == "10.0.0.1"
    assert browser_module.host_of(headers, "10.0.0.1", trusting) == "t.localhost"
    assert browser_module.address_of(headers, "10.0.0.1", trusting) == "8.8.8.8"
    assert browser_module.address_of(headers, "7.7.7.7", trusting) == "7.7.7.7"
