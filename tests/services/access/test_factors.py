"""The second factor: each code once, wrong ones counted, no session before it is proven."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.conftest import PASSWORD
from tests.services.conftest import Clock
from tests.web import AUDITOR
from workreef_app.services.access import factors
from workreef_app.services.access.factors import DRIFT, STEP, matching_step, wait
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import (
    CodeNeeded,
    CodeRefused,
    Conflict,
    Invalid,
    NoSession,
    Refusal,
    SignInAgain,
    SignInRefused,
)
from workreef_app.services.tenancy.platform import Tenant

pytestmark = pytest.mark.usefixtures("cheap_passwords")
Browser = Callable[[Tenant], Caller]
SECRET = pyotp.random_base32()
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@settings(max_examples=60, deadline=None)
@given(st.integers(-4, 4), st.integers(-3, 3), st.integers(0, STEP - 1))
def test_a_code_is_of_a_step_near_now_and_newer_than_the_last(ahead: int, last: int, second: int) -> None:
    present = int(NOW.timestamp()) // STEP
    code = pyotp.TOTP(SECRET).generate_otp(present + ahead)
    found = matching_step(SECRET, code, NOW + timedelta(seconds=second), present + last)
    assert found == (present + ahead if abs(ahead) <= DRIFT and ahead > last else None)


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (9, 480), (10, 900), (10**9, 900)])
def test_the_wait_grows_and_ends(failures: int, seconds: int) -> None:
    assert wait(failures) == timedelta(seconds=seconds)


@dataclass
class Enrolled:
    """Somebody with a second factor: their session, the secret, and the recovery codes."""

    door: Door
    caller: Caller
    email: str
    secret: str
    codes: list[str]
    person_id: UUID

    def code(self, ahead: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.door.clock(), counter_offset=ahead)

    def ticket(self) -> str:
        with pytest.raises(CodeNeeded) as needed:
            self.door.perform(self.browser(), "sessions.start", {"email": self.email, "password": PASSWORD})
        return needed.value.ticket

    def browser(self) -> Caller:
        return replace(self.caller, token=None)

    def prove(self, code: str, ticket: str = "") -> Any:
        return self.door.perform(self.browser(), "sessions.prove", {"ticket": ticket or self.ticket(), "code": code})


@pytest.fixture
def enrolled(door: Door, shared: Tenant, person: Any, clock: Clock, fresh_limits: None) -> Enrolled:
    """Somebody in the shared tenant, whose clock has gone on by a minute since the first code."""
    email = f"{person.__name__}{datetime.now().timestamp()}@example.com"
    caller = person(shared, ["contributor"], email=email)
    secret = door.perform(caller, "factors.begin", {}).secret
    done = door.perform(caller, "factors.confirm", {"code": pyotp.TOTP(secret).at(clock())})
    clock.turn(minutes=1)
    return Enrolled(door, replace(caller, token=done.token), email, secret, done.recovery_codes, done.person_id)


def test_no_session_exists_before_the_factor_is_proven(enrolled: Enrolled, door: Door, shared: Tenant) -> None:
    def count() -> int:
        with door.platform.unit_of_work(shared, AUDITOR) as session:
            query = text("SELECT count(*) FROM session WHERE person_id = :id AND revoked_at IS NULL")
            return int(session.execute(query, {"id": enrolled.person_id}).scalar_one())

    before, ticket = count(), enrolled.ticket()
    assert count() == before
    with pytest.raises(NoSession):
        door.perform(replace(enrolled.browser(), token=ticket), "me.read", {})
    granted = enrolled.prove(enrolled.code(), ticket)
    assert door.perform(replace(enrolled.browser(), token=granted.token), "me.read", {}).person_id == enrolled.person_id


def test_a_code_is_never_accepted_twice(enrolled: Enrolled, log: Any, shared: Tenant) -> None:
    ticket, code = enrolled.ticket(), enrolled.code()
    enrolled.prove(code, ticket)
    for again in (ticket, enrolled.ticket()):
        with pytest.raises(CodeRefused, match="wrong, or was used"):
            enrolled.prove(code, again)
    with pytest.raises(CodeRefused):  # nor one of a step before it
        enrolled.prove(enrolled.code(-1))
    assert log(shared)[-1] == ("factor.refused", "public", f"person:{enrolled.person_id}")
    assert enrolled.prove(enrolled.code(1)).token


def test_one_code_at_once_lets_one_in(enrolled: Enrolled) -> None:
    tickets, code = [enrolled.ticket() for _ in range(4)], enrolled.code()

    def try_it(ticket: str) -> bool:
        try:
            return bool(enrolled.prove(code, ticket).token)
        except CodeRefused:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(try_it, tickets)) == [False, False, False, True]


def test_a_recovery_code_stands_in_once_however_it_is_typed(enrolled: Enrolled) -> None:
    one, two = enrolled.codes[:2]
    assert enrolled.prove(f"  {one.upper().replace('-', ' ')} ").token
    with pytest.raises(CodeRefused):
        enrolled.prove(one)
    assert enrolled.door.perform(enrolled.caller, "factors.read", {}).codes_left == 9
    renewed = enrolled.door.perform(enrolled.caller, "factors.renew_codes", {}).recovery_codes
    assert len(set(renewed)) == 10
    with pytest.raises(CodeRefused):
        enrolled.prove(two)
    assert enrolled.prove(renewed[9]).token


def test_wrong_codes_make_it_wait_and_never_keep_the_owner_out_for_ever(enrolled: Enrolled, clock: Clock) -> None:
    for _ in range(factors.FREE):
        with pytest.raises(CodeRefused, match="wrong"):
            enrolled.prove("000000")
    with pytest.raises(CodeRefused, match="Try again in 30 seconds"):
        enrolled.prove(enrolled.code())
    clock.turn(seconds=30)
    assert enrolled.prove(enrolled.code()).token


def test_a_ticket_is_void_when_the_password_changed_and_at_any_other_host(
    enrolled: Enrolled, door: Door, clock: Clock
) -> None:
    ticket = enrolled.ticket()
    elsewhere = replace(enrolled.browser(), host="elsewhere.localhost")
    with pytest.raises(SignInRefused):
        door.perform(elsewhere, "sessions.prove", {"ticket": ticket, "code": enrolled.code()})
    door.perform(enrolled.caller, "passwords.change", {"current": PASSWORD, "password": "four purple giraffes whistle"})
    with pytest.raises(SignInRefused, match="once more"):
        enrolled.prove(enrolled.code(), ticket)


def test_the_session_goes_on_as_another_one_and_the_others_end(
    door: Door, shared: Tenant, person: Any, clock: Clock, browser: Browser
) -> None:
    caller = person(shared, ["contributor"], email="rotating@example.com")
    again = door.perform(browser(shared), "sessions.start", {"email": "rotating@example.com", "password": PASSWORD})
    other = replace(browser(shared), token=again.token)
    secret = door.perform(caller, "factors.begin", {}).secret
    assert door.perform(caller, "factors.begin", {}).secret == secret, "a reload shows the same key"
    assert not door.perform(caller, "factors.read", {}).enrolled, "it is not in force before its first code"
    done = door.perform(caller, "factors.confirm", {"code": pyotp.TOTP(secret).at(clock())})
    for ended in (caller, other):
        with pytest.raises(NoSession):
            door.perform(ended, "me.read", {})
    now = replace(caller, token=done.token)
    with pytest.raises(Conflict, match="You have a second factor"):
        door.perform(now, "factors.begin", {})
    clock.turn(minutes=1)
    with pytest.raises(CodeRefused):
        door.perform(now, "factors.remove", {"code": "000000"})
    gone = door.perform(now, "factors.remove", {"code": pyotp.TOTP(secret).at(clock())})
    assert not door.perform(replace(caller, token=gone.token), "factors.read", {}).enrolled


def test_a_fresh_proof_takes_password_and_code(enrolled: Enrolled, door: Door, clock: Clock) -> None:
    clock.turn(minutes=5)
    with pytest.raises(SignInAgain):
        door.perform(enrolled.caller, "factors.renew_codes", {})
    for sent, refused in (
        ({"password": "not the password"}, Invalid), ({"password": PASSWORD}, Invalid),
        ({"password": PASSWORD, "code": "000000"}, CodeRefused),
    ):
        with pytest.raises(refused):
            door.perform(enrolled.caller, "sessions.refresh", sent)
        with pytest.raises(SignInAgain):
            door.perform(enrolled.caller, "factors.renew_codes", {})
    door.perform(enrolled.caller, "sessions.refresh", {"password": PASSWORD, "code": enrolled.code()})
    assert door.perform(enrolled.caller, "factors.renew_codes", {}).recovery_codes


def test_an_admin_resets_somebodys_factor(enrolled: Enrolled, door: Door, cli: Any, shared: Tenant) -> None:
    payload = {"person_id": str(enrolled.person_id)}
    door.perform(cli(shared), "people.reset_factor", payload)
    with pytest.raises(NoSession):
        door.perform(enrolled.caller, "me.read", {})
    assert door.perform(enrolled.browser(), "sessions.start", {"email": enrolled.email, "password": PASSWORD}).token
    with pytest.raises(Conflict, match="no second factor"):
        door.perform(cli(shared), "people.reset_factor", payload)


def test_in_production_an_admin_without_one_does_nothing_but_set_it_up(
    door: Door, tenant: Tenant, person: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, operator = person(tenant, ["admin"]), person(tenant, ["operator"])
    production = door.platform.settings.model_copy(update={"env": type(door.platform.settings.env).PRODUCTION})
    monkeypatch.setattr(door.platform, "settings", production)
    assert door.perform(admin, "me.read", {}).must_enrol
    assert not door.perform(operator, "me.read", {}).must_enrol
    for name in ("people.list", "sessions.list", "digest.read", "audit.list", "factors.renew_codes", "me.change"):
        with pytest.raises(Refusal) as refused:
            door.perform(admin, name, {"time_zone": "UTC"} if name == "me.change" else {})
        assert (refused.value.status, refused.value.code) == (403, "factor_required"), name
    secret = door.perform(admin, "factors.begin", {}).secret
    done = door.perform(admin, "factors.confirm", {"code": pyotp.TOTP(secret).at(clock())})
    admin = replace(admin, token=done.token)
    assert door.perform(admin, "people.list", {}).count == 2
    clock.turn(minutes=1)
    with pytest.raises(Conflict, match="must have"):
        door.perform(admin, "factors.remove", {"code": pyotp.TOTP(secret).at(clock())})
