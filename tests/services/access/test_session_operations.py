"""Sessions: which there are, which end when, and that no browser keeps one it had before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.conftest import PASSWORD
from tests.services.conftest import Clock
from workreef_app.services.access import ended, operations
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Invalid, NoSession, NotFound, SignInRefused, WrongPassword
from workreef_app.services.tenancy.platform import Tenant

pytestmark = pytest.mark.usefixtures("cheap_passwords")
Cli = Callable[[Tenant], Caller]
NEW = "four purple giraffes whistle"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in(door: Door, browser: Caller, email: str, password: str = PASSWORD) -> Caller:
    granted = door.perform(browser, "sessions.start", {"email": email, "password": password})
    return replace(browser, token=granted.token)


def rows(door: Door, caller: Caller) -> list[Any]:
    return list(door.perform(caller, "sessions.list", {}).rows)


def holds(door: Door, caller: Caller) -> bool:
    try:
        return bool(door.perform(caller, "me.read", {}))
    except NoSession:
        return False


@pytest.fixture
def dana(door: Door, tenant: Tenant, person: Any) -> Caller:
    """Dana's first browser."""
    caller: Caller = person(tenant, ["operator"], email="dana@acme.test")
    return caller


def test_sessions_are_told_with_device_address_and_time(
    door: Door, tenant: Tenant, browser: Cli, dana: Caller, clock: Clock, person: Any
) -> None:
    person(tenant, ["operator"], email="other@acme.test")
    second = sign_in(door, replace(browser(tenant), agent=FIREFOX, address="192.0.2.7"), "dana@acme.test")
    found = rows(door, second)
    assert [row.current for row in found] == [True, False]
    assert (found[0].device, found[0].address) == ("Firefox 140 on Linux", "192.0.2.7")
    assert found[0].created_at == clock()
    assert found[1].device == ""


def test_the_session_that_a_browser_had_ends_when_it_signs_in_again(
    door: Door, tenant: Tenant, browser: Cli, dana: Caller, person: Any
) -> None:
    """Whosever it was: so nobody is signed in by a cookie that somebody else planted, or left behind."""
    again = sign_in(door, dana, "dana@acme.test")
    assert (holds(door, dana), holds(door, again)) == (False, True)
    other: Caller = person(tenant, ["operator"], email="other@acme.test")
    planted = replace(browser(tenant), token=other.token)
    mine = sign_in(door, planted, "dana@acme.test")
    assert mine.token != planted.token
    assert not holds(door, planted)
    refused = replace(browser(tenant), token=again.token)
    with pytest.raises(NoSession):
        sign_in(door, refused, "dana@acme.test", "not the password")
    assert holds(door, again), "an attempt that fails ends nothing"


def test_one_session_or_all_others_are_ended(door: Door, tenant: Tenant, browser: Cli, dana: Caller) -> None:
    second, third = (sign_in(door, browser(tenant), "dana@acme.test") for _ in range(2))
    wanted = next(row.id for row in rows(door, third) if row.current)
    assert door.perform(dana, "sessions.revoke", {"session_id": str(wanted)}).ended == 1
    assert [holds(door, one) for one in (dana, second, third)] == [True, True, False]
    with pytest.raises(NotFound):
        door.perform(dana, "sessions.revoke", {"session_id": str(wanted)})
    assert door.perform(dana, "sessions.revoke", {}).ended == 1
    assert [holds(door, one) for one in (dana, second)] == [True, False]


def test_another_persons_session_is_as_one_that_there_is_none_of_and_the_attempt_is_told(
    door: Door, tenant: Tenant, dana: Caller, person: Any, log: Any
) -> None:
    admin = person(tenant, ["admin"])
    me = f"person:{door.perform(admin, 'me.read', {}).person_id}"
    theirs = str(rows(door, dana)[0].id)
    said = []
    for session_id in (theirs, str(uuid4())):
        with pytest.raises(NotFound) as refused:
            door.perform(admin, "sessions.revoke", {"session_id": session_id})
        said.append(refused.value.detail)
    assert said[0] == said[1]
    assert holds(door, dana)
    told = [entry for entry in log(tenant) if entry[0] == "scope.denied"]
    assert told == [("scope.denied", me, f"session:{theirs}")], "the one that there is none of leaves no entry"


def test_ones_own_session_that_has_ended_is_missing_and_no_denial(
    door: Door, tenant: Tenant, browser: Cli, dana: Caller, log: Any
) -> None:
    second = sign_in(door, browser(tenant), "dana@acme.test")
    ended_one = str(next(row.id for row in rows(door, second) if row.current))
    door.perform(dana, "sessions.revoke", {"session_id": ended_one})
    with pytest.raises(NotFound):
        door.perform(dana, "sessions.revoke", {"session_id": ended_one})
    assert "scope.denied" not in [entry[0] for entry in log(tenant)]


def test_a_changed_password_ends_all_but_the_one_that_goes_on_as_another(
    door: Door, tenant: Tenant, browser: Cli, dana: Caller
) -> None:
    second = sign_in(door, browser(tenant), "dana@acme.test")
    for sent, refused in (
        ({"current": "not the password", "password": NEW}, WrongPassword),
        ({"current": PASSWORD, "password": PASSWORD}, Invalid),
        ({"current": PASSWORD, "password": "dana@acme.test"}, Invalid),
    ):
        with pytest.raises(refused):
            door.perform(dana, "passwords.change", sent)
    granted = door.perform(dana, "passwords.change", {"current": PASSWORD, "password": NEW})
    assert [holds(door, one) for one in (dana, second, replace(dana, token=granted.token))] == [False, False, True]


def test_an_ended_session_is_told_after_the_commit_and_only_then(
    door: Door, tenant: Tenant, browser: Cli, dana: Caller, cli: Cli
) -> None:
    told: list[UUID] = []
    with ended.listening(door.platform.url, told.append, lambda: None) as listener:
        assert listener.hearing.wait(5)
        second = sign_in(door, browser(tenant), "dana@acme.test")
        ids = {row.current: row.id for row in rows(door, second)}
        with pytest.raises(WrongPassword):  # nothing is changed, so nothing is told
            door.perform(second, "passwords.change", {"current": "not the password", "password": NEW})
        door.perform(second, "sessions.revoke", {"session_id": str(ids[False])})
        door.perform(second, "sessions.end", {})
        _until(lambda: len(told) >= 2)
    assert told == [ids[False], ids[True]]


def test_a_listener_connects_again_and_says_that_it_missed_something(door: Door, dana: Caller) -> None:
    told, gaps = [], []
    with ended.listening(door.platform.url, told.append, lambda: gaps.append(1)) as listener:
        assert listener.hearing.wait(5)
        with door.platform.control.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN workreef_sessions_ended'"
            )
        _until(lambda: bool(gaps))
        mine = rows(door, dana)[0].id
        door.perform(dana, "sessions.end", {})
        _until(lambda: mine in told)
    assert not listener._thread.is_alive()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        threading.Event().wait(0.02)


def test_no_session_begins_on_a_password_that_is_being_replaced(
    door: Door, tenant: Tenant, browser: Cli, dana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password was right when the slow comparison began, and is not when it ends."""
    compare = operations.verify_password

    def slowly(encoded: str | None, password: str) -> bool:
        right = compare(encoded, password)
        door.perform(dana, "passwords.change", {"current": PASSWORD, "password": NEW})
        return right

    monkeypatch.setattr(operations, "verify_password", slowly)
    with pytest.raises(SignInRefused):
        sign_in(door, browser(tenant), "dana@acme.test")
