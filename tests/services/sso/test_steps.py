"""The steps of a sign-in against a real Postgres: who may take them, once only, and two at once."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.web import AUDITOR
from workreef_app.services.callers import Caller
from workreef_app.services.door import Door
from workreef_app.services.operation import REGISTRY, Conflict, Persona, Refusal, WrongPersona
from workreef_app.services.sso.reasons import Reason, SignOnRefused
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant

ISSUER = "http://127.0.0.1:1/provider"
STEPS = ("sso.begin", "sso.offer", "sso.refuse", "sso.sign_in", "sso.take_up")
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def federated(door: Door) -> Tenant:
    """A tenant with single sign-on, in which `root` are admins and `ops` operators. It has no other admin."""
    create_tenant(door.platform, slug="steps", name="Steps")
    tenant = door.platform.tenant("steps")
    admin = Caller(tenant, "test", cli_user="tester")
    for group, persona in (("root", "admin"), ("ops", "operator")):
        door.perform(admin, "sso.map_group", {"group": group, "personas": [persona]})
    door.perform(admin, "sso.change", {
        "issuer": ISSUER, "client_id": "workreef", "enabled": True, "link_by_email": True,
    })
    return tenant


def sign_on(tenant: Tenant) -> Caller:
    return Caller(tenant, "test", host="steps.localhost", system="sign_on")


def vouched(login: str, *groups: str, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": ISSUER, "client_id": "workreef", "subject": login, "email": f"{login}@example.com",
        "email_verified": True, "name": login, "groups": list(groups), **changes,
    }


def sign_in(door: Door, tenant: Tenant, login: str, *groups: str, **changes: Any) -> Any:
    return door.perform(sign_on(tenant), "sso.sign_in", vouched(login, *groups, **changes))


def personas(door: Door, tenant: Tenant, person_id: Any) -> set[str]:
    with door.platform.unit_of_work(tenant, AUDITOR) as session:
        rows = session.execute(text("SELECT persona FROM person_persona WHERE person_id = :id"), {"id": person_id})
        return set(rows.scalars())


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls give that are made at the same moment: results, and refusals as such."""
    gate, found = threading.Barrier(len(calls)), []

    def run(call: Callable[[], Any]) -> None:
        gate.wait(10)
        try:
            found.append(call())
        except Refusal as refusal:
            found.append(refusal)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == len(calls)
    return found


@pytest.mark.parametrize("name", STEPS)
def test_only_the_part_that_signs_people_on_takes_a_step(name: str, door: Door, federated: Tenant) -> None:
    assert not REGISTRY[name].by
    assert not REGISTRY[name].public
    payload = {
        "sso.sign_in": vouched("mallory", "root"), "sso.refuse": {"reason": "replayed"},
        "sso.take_up": {"state_hash": b"s" * 32, "expires_at": datetime.now(UTC)},
    }.get(name, {})
    for caller in (Caller(federated, "test", cli_user="tester"), Caller(federated, "test", system="watch"),
                   Caller(federated, "test", system="scheduler")):
        with pytest.raises(WrongPersona):
            door.perform(caller, name, payload)


def test_an_answer_is_taken_up_once_also_by_two_at_once(door: Door, federated: Tenant) -> None:
    state = {"state_hash": os.urandom(32), "expires_at": door.clock() + timedelta(minutes=20)}
    take_up = lambda: door.perform(sign_on(federated), "sso.take_up", state)  # noqa: E731
    found = at_once(*[take_up] * 4)
    refusals = [one for one in found if isinstance(one, Refusal)]
    assert len(refusals) == 3
    assert all(isinstance(one, Conflict | SignOnRefused) for one in refusals)
    with pytest.raises(SignOnRefused) as caught:
        take_up()
    assert caught.value.reason is Reason.REPLAYED


def test_what_was_used_is_forgotten_when_it_would_have_expired(door: Door, federated: Tenant) -> None:
    old = {"state_hash": os.urandom(32), "expires_at": door.clock() - timedelta(seconds=1)}
    door.perform(sign_on(federated), "sso.take_up", old)
    door.perform(sign_on(federated), "sso.take_up", {
        "state_hash": os.urandom(32), "expires_at": door.clock() + timedelta(minutes=20),
    })
    with door.platform.unit_of_work(federated, AUDITOR) as session:
        kept = session.execute(text("SELECT count(*) FROM used_sign_on WHERE expires_at < now()")).scalar()
    assert kept == 0


def test_somebody_new_at_two_places_at_once_is_one_person(door: Door, federated: Tenant) -> None:
    login = f"twin{next(_numbers)}"
    found = at_once(*[lambda: sign_in(door, federated, login, "ops")] * 3)
    granted = [one for one in found if not isinstance(one, Refusal)]
    assert granted
    assert all(isinstance(one, Conflict) for one in found if isinstance(one, Refusal))
    assert len({one.person_id for one in granted}) == 1
    assert sign_in(door, federated, login, "ops").person_id == granted[0].person_id


def test_the_last_admins_that_go_at_once_do_not_both_go(door: Door, federated: Tenant) -> None:
    one, two = (sign_in(door, federated, login, "root").person_id for login in ("first", "second"))
    found = at_once(
        lambda: sign_in(door, federated, "first", "ops"), lambda: sign_in(door, federated, "second", "ops")
    )
    assert not [refusal for refusal in found if isinstance(refusal, Refusal)]
    left = [person for person in (one, two) if "admin" in personas(door, federated, person)]
    assert len(left) == 1
    assert personas(door, federated, left[0]) == {"admin", "operator"}
    # Nor does the one that is left, however often they come.
    login = "first" if left == [one] else "second"
    sign_in(door, federated, login, "ops")
    assert Persona.ADMIN in personas(door, federated, left[0])


@pytest.mark.parametrize(("changes", "reason"), [
    ({"issuer": "http://127.0.0.1:1/other"}, Reason.WRONG_ISSUER),
    ({"client_id": "other"}, Reason.WRONG_ISSUER),
    ({"email_verified": False}, Reason.EMAIL_NOT_VERIFIED),
    ({"email": ""}, Reason.NO_EMAIL),
    ({"groups": []}, Reason.NO_GROUP),
])
def test_what_was_set_meanwhile_counts(
    changes: dict[str, Any], reason: Reason, door: Door, federated: Tenant
) -> None:
    with pytest.raises(SignOnRefused) as caught:
        sign_in(door, federated, "late", "ops", **changes)
    assert caught.value.reason is reason


def test_nothing_of_who_it_is_lies_in_clear(door: Door, federated: Tenant) -> None:
    sign_in(door, federated, "visible", "ops")
    with door.platform.unit_of_work(federated, AUDITOR) as session:
        rows = [*session.execute(text("SELECT * FROM federated_identity")).all(),
                *session.execute(text("SELECT * FROM identity_provider")).all()]
    told = b"".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for row in rows for v in row)
    for secret in (b"visible", b"127.0.0.1", b"workreef", b"root"):
        assert secret not in told
