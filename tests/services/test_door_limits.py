"""What the door counts: by person, by address, by account, and for a tenant as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from tests.conftest import PASSWORD
from workreef_app.services.access import passwords, tokens
from workreef_app.services.door import Caller, Door
from workreef_app.services.limiting import limiter
from workreef_app.services.operation import REGISTRY, Limited, SignInRefused, TokenRefused
from workreef_app.services.tenancy.platform import Tenant

pytestmark = pytest.mark.usefixtures("fresh_limits")
_addresses = itertools.count(1)
EMAIL = "ann@example.com"


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
    monkeypatch.setattr(passwords, "_nobody", passwords.hash_password("no person has this password"))


@pytest.fixture
def knock(door: Door, tenant: Tenant, browser: Callable[[Tenant], Caller]) -> Callable[..., Any]:
    """Tries to sign in, each time from another address."""

    def sign_in(password: str, email: str = EMAIL) -> Any:
        at = replace(browser(tenant), address=f"10.2.{next(_addresses)}")
        return door.perform(at, "sessions.start", {"email": email, "password": password})

    return sign_in


def test_ten_thousand_wrong_passwords_for_one_account_are_cut_off(
    door: Door, tenant: Tenant, person: Callable[..., Caller], knock: Callable[..., Any]
) -> None:
    """From as many addresses. Whoever knocks at another account is not held up, nor does success count."""
    person(tenant, ["operator"], [], email=EMAIL)
    person(tenant, ["operator"], [], email="bob@example.com")
    for _ in range(40):
        knock(PASSWORD)
    tried, cut_off = 0, False
    while tried < 10_000 and not cut_off:
        try:
            knock("wrong password", f" {EMAIL.upper()}" if tried % 2 else EMAIL)
        except SignInRefused:
            tried += 1
        except Limited:
            cut_off = True
    assert (cut_off, tried) == (True, limiter.terms(limiter.ACCOUNT)[0])
    knock(PASSWORD, "bob@example.com")


def test_an_account_that_nobody_has_is_cut_off_alike(knock: Callable[..., Any]) -> None:
    for _ in range(limiter.terms(limiter.ACCOUNT)[0]):
        with pytest.raises(SignInRefused):
            knock("wrong password", "nobody@example.com")
    with pytest.raises(Limited):
        knock("wrong password", "nobody@example.com")


def test_no_key_holds_an_email(door: Door, knock: Callable[..., Any]) -> None:
    with pytest.raises(SignInRefused):
        knock("wrong password", "carol@example.com")
    assert not any("carol" in part for key in door.limits.limiter.storage._windows for part in key)


def test_a_tenant_cannot_take_the_process_for_itself(
    door: Door, tenant: Tenant, person: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (person(tenant, ["operator"], ["claims"]) for _ in range(2))
    door.limits.limiter.storage.reset()
    monkeypatch.setattr(limiter, "TENANT", "3/minute")
    for caller in (one, two, one):
        door.perform(caller, "me.read", {})
    with pytest.raises(Limited):
        door.perform(two, "me.read", {})


def test_tokens_that_do_not_hold_are_limited_by_address(
    door: Door, tenant: Tenant, browser: Callable[[Tenant], Caller]
) -> None:
    at = replace(browser(tenant), bearer=tokens.new(), address="10.3.3.3")
    for _ in range(limiter.terms(limiter.TOKENS)[0]):
        with pytest.raises(TokenRefused):
            door.perform(at, "me.read", {})
    with pytest.raises(Limited):
        door.perform(at, "me.read", {})
    with pytest.raises(TokenRefused):
        door.perform(replace(at, address="10.3.3.4"), "me.read", {})


def test_the_caller_is_told_how_it_stands(door: Door, tenant: Tenant, person: Callable[..., Caller]) -> None:
    caller = person(tenant, ["operator"], ["claims"])
    door.perform(caller, "tasks.list", {})
    amount, window = limiter.terms(REGISTRY["tasks.list"].limit)
    told = caller.told.standing
    assert told is not None
    assert (told.amount, told.window, told.remaining) == (amount, window, amount - 1)


def test_every_operation_has_a_limit_and_public_ones_say_whose_account() -> None:
    for spec in REGISTRY.values():
        amount, window = limiter.terms(spec.limit)
        assert 0 < amount <= 6000 or not (spec.by or spec.public), spec.name
        assert 0 < window <= 3600, spec.name
        if spec.account is not None:
            assert spec.account in spec.command.model_fields, spec.name
    assert {spec.name for spec in REGISTRY.values() if spec.account} >= {
        "sessions.start", "sessions.prove", "invitations.accept", "passwords.reset",
    }
