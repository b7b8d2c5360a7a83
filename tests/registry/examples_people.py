"""Examples of success for the operations on people, passwords, second factors and sessions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyotp

from tests.registry.examples import Example, World, claimed
from workreef_app.services.door import Caller
from workreef_app.services.operation import CodeNeeded, Persona
from workreef_app.services.tenancy.tenants import create_tenant

_numbers = itertools.count(1)
ADMIN = Persona.ADMIN


#: Of the people made here, so that nothing that is sent for one of them is accepted of anybody else.
OWN_PASSWORD = "their own horse battery staple"


def new_person(world: World, *, active: bool = True) -> Any:
    """Somebody of their own, as `people.create` tells of them; with a password unless they are only invited."""
    invited = world.perform("people.create", {
        "email": f"own{next(_numbers)}@example.com", "name": "Of Their Own", "personas": ["contributor"],
    })
    if active:
        _accept(world, invited.invitation_token)
    return invited


def _accept(world: World, token: str) -> Caller:
    browser = world.browser()
    granted = world.door.perform(browser, "invitations.accept", {"token": token, "password": OWN_PASSWORD})
    return replace(browser, token=granted.token)


def signed_in(world: World) -> tuple[Caller, str]:
    """A browser of somebody of their own, and their email."""
    invited = new_person(world, active=False)
    caller = _accept(world, invited.invitation_token)
    return caller, world.perform("people.list", {"person_id": str(invited.person_id)}).rows[0].email


def enrol(world: World, caller: Caller) -> tuple[Caller, str]:
    """Sets up a second factor; the session that goes on, and the secret. The code of now is used up."""
    secret = world.door.perform(caller, "factors.begin", {}).secret
    code = pyotp.TOTP(secret).at(datetime.now(UTC))
    done = world.door.perform(caller, "factors.confirm", {"code": code})
    return replace(caller, token=done.token), secret


def next_code(secret: str) -> str:
    """A code that is taken now and was not used: that of the step after the present one."""
    return pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=1)


def ticket(world: World) -> tuple[str, str]:
    """The ticket of somebody whose password was right, and the secret of their second factor."""
    caller, email = signed_in(world)
    _, secret = enrol(world, caller)
    browser = replace(world.browser(), host=caller.host)
    try:
        world.door.perform(browser, "sessions.start", {"email": email, "password": OWN_PASSWORD})
    except CodeNeeded as needed:
        return needed.ticket, secret
    raise AssertionError("no code was asked for")


def _proof(world: World) -> dict[str, Any]:
    given, secret = ticket(world)
    return {"ticket": given, "code": next_code(secret)}


def _empty(world: World) -> Caller:
    """The sign-up at a tenant that has just been made."""
    slug = f"empty{next(_numbers)}"
    create_tenant(world.door.platform, slug=slug, name="Empty")
    return Caller(world.door.platform.tenant(slug), "test-signup", system="signup")


def _person(*, active: bool = True, **more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"person_id": str(new_person(world, active=active).person_id), **more}


def _deactivated(world: World) -> dict[str, Any]:
    person = new_person(world)
    world.perform("people.deactivate", {"person_id": str(person.person_id)})
    return {"person_id": str(person.person_id)}


def _enrolled(world: World) -> dict[str, Any]:
    caller, _ = signed_in(world)
    caller, _ = enrol(world, caller)
    return {"person_id": str(world.door.perform(caller, "me.read", {}).person_id)}


def _reset(world: World) -> dict[str, Any]:
    made = world.perform("people.reset_link", _person()(world))
    return {"token": made.token, "password": "another horse battery staple"}


def _mailing(world: World) -> Caller:
    """The job that mails a link, as it runs; nobody asked for the link."""
    key = {"kind": "mail_link", "key": f"mail_link:{next(_numbers)}"}
    found = world.door.perform(Caller(world.tenant, "test-job", system="scheduler"), "jobs.schedule", key)
    return claimed(world, found.job_id)


class Themselves:
    """Who sends what only the very person can send: prepared with the payload, which comes first."""

    def __init__(self) -> None:
        self._last: Caller | None = None

    def caller(self, world: World) -> Caller:
        """The browser of the person for whom the last payload was made."""
        return self._last if self._last is not None else signed_in(world)[0]

    def example(self, payload: Callable[[World, Caller], tuple[Caller, dict[str, Any]]]) -> Example:
        def prepare(world: World) -> dict[str, Any]:
            self._last, sent = payload(world, signed_in(world)[0])
            return sent

        return Example(prepare, Persona.CONTRIBUTOR, caller=self.caller)


def _one(**sent: Any) -> Callable[[World, Caller], tuple[Caller, dict[str, Any]]]:
    return lambda world, caller: (caller, sent)


def _first_code(world: World, caller: Caller) -> tuple[Caller, dict[str, Any]]:
    secret = world.door.perform(caller, "factors.begin", {}).secret
    return caller, {"code": pyotp.TOTP(secret).at(datetime.now(UTC))}


def _with_factor(world: World, caller: Caller) -> tuple[Caller, dict[str, Any]]:
    caller, secret = enrol(world, caller)
    return caller, {"code": next_code(secret)}


def _other_session(world: World, caller: Caller) -> tuple[Caller, dict[str, Any]]:
    email = f"own{next(_numbers)}@example.com"
    invited = world.perform("people.create", {"email": email, "name": "Twice Here", "personas": ["contributor"]})
    first = _accept(world, invited.invitation_token)
    browser = world.browser()
    world.door.perform(browser, "sessions.start", {"email": email, "password": OWN_PASSWORD})
    rows = world.door.perform(first, "sessions.list", {}).rows
    return first, {"session_id": str(next(row.id for row in rows if not row.current))}


_themselves = Themselves()

EXAMPLES: dict[str, Example] = {
    "people.list": Example(lambda world: {"status": "active", "limit": 5}, Persona.ADMIN),
    "people.create_first": Example(
        lambda world: {"email": "first@example.com", "name": "First"}, Persona.ADMIN,
        job=lambda world: (_empty(world), {"email": "first@example.com", "name": "First"}),
    ),
    "people.change": Example(_person(personas=["operator"], departments=["claims"]), Persona.ADMIN, own_session=True),
    "people.deactivate": Example(_person(), Persona.ADMIN, own_session=True),
    "people.activate": Example(_deactivated, Persona.ADMIN, own_session=True),
    "people.reset_link": Example(_person(), Persona.ADMIN, own_session=True),
    "people.reset_factor": Example(_enrolled, Persona.ADMIN, own_session=True),
    "people.end_sessions": Example(_person(), Persona.ADMIN),
    "invitations.renew": Example(_person(active=False), Persona.ADMIN),
    "invitations.revoke": Example(_person(active=False), Persona.ADMIN),
    "links.prepare": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (_mailing(world), {})),
    "links.mailed": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (_mailing(world), {})),
    "passwords.ask_reset": Example(lambda world: {"email": "nobody@example.com"}, None),
    "passwords.reset": Example(_reset, None),
    "passwords.change": _themselves.example(_one(current=OWN_PASSWORD, password="another horse battery staple")),
    "sessions.prove": Example(_proof, None),
    "sessions.list": Example(lambda world: {}, Persona.CONTRIBUTOR),
    "sessions.revoke": _themselves.example(_other_session),
    "sessions.refresh": _themselves.example(_one(password=OWN_PASSWORD)),
    "factors.read": Example(lambda world: {}, Persona.CONTRIBUTOR),
    "factors.begin": _themselves.example(_one()),
    "factors.confirm": _themselves.example(_first_code),
    "factors.renew_codes": _themselves.example(lambda world, caller: (_with_factor(world, caller)[0], {})),
    "factors.remove": _themselves.example(_with_factor),
}
