"""Examples of success for single sign-on."""

from __future__ import annotations

import itertools
import os
from typing import Any

from tests.conftest import PASSWORD
from tests.registry.examples import Example, World
from workreef_app.services.callers import Caller
from workreef_app.services.operation import Persona

_numbers = itertools.count(1)
#: Nothing listens there: a provider that answers is in tests/http/test_sign_on_routes.py.
ISSUER = "http://127.0.0.1:1/provider"
STATE = {"expires_at": "2026-11-24T12:00:00Z"}


def _set_up(world: World) -> dict[str, Any]:
    """A tenant with single sign-on; nothing more is to be sent."""
    world.perform("sso.map_group", {"group": "ops", "personas": ["operator"]})
    world.perform("sso.change", {"issuer": ISSUER, "client_id": "workreef", "enabled": True})
    return {}


def _sign_on(world: World) -> Caller:
    """The part of the system that signs people on."""
    _set_up(world)
    return Caller(world.tenant, "test-sso", host=world.browser().host, system="sign_on")


def _group(world: World) -> dict[str, Any]:
    return {"group": f"group {next(_numbers)}", "personas": ["operator", "contributor"], "departments": ["claims"]}


def _mapped(world: World) -> dict[str, Any]:
    _set_up(world)
    group = _group(world)
    world.perform("sso.map_group", group)
    return {"group": group["group"]}


def _with_password(world: World) -> dict[str, Any]:
    """Somebody who signs in with a password so far."""
    world.perform("sso.map_group", {"group": "ops", "personas": ["operator"]})
    world.perform("sso.change", {"issuer": ISSUER, "client_id": "workreef", "enabled": True, "link_by_email": True})
    email = f"handed{next(_numbers)}@example.com"
    invited = world.perform("people.create", {"email": email, "name": "Handed Over", "personas": ["operator"]})
    world.door.perform(
        world.browser(), "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}
    )
    return {"email": email}


def _vouched(world: World) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "issuer": ISSUER, "client_id": "workreef", "subject": f"subject {number}", "email_verified": True,
        "email": f"vouched{number}@example.com", "name": "Vouched For", "groups": ["ops"],
    }


def _by_sign_on(payload: dict[str, Any]) -> Example:
    """A step of a sign-in, which people send in vain."""
    return Example(lambda world: payload, Persona.ADMIN, job=lambda world: (_sign_on(world), payload))


EXAMPLES: dict[str, Example] = {
    "sso.read": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "sso.change": Example(
        lambda world: {"issuer": ISSUER, "client_id": "workreef", "client_secret": "secret", "domains": ["a.example"]},
        Persona.ADMIN,
    ),
    "sso.map_group": Example(_group, Persona.ADMIN),
    "sso.unmap_group": Example(_mapped, Persona.ADMIN),
    "sso.hand_over": Example(_with_password, Persona.ADMIN),
    "sso.test": Example(_set_up, Persona.ADMIN),
    "sso.offer": _by_sign_on({}),
    "sso.begin": _by_sign_on({}),
    "sso.take_up": Example(
        lambda world: {"state_hash": "s" * 32, **STATE}, Persona.ADMIN,
        job=lambda world: (_sign_on(world), {"state_hash": os.urandom(32), **STATE}),
    ),
    "sso.refuse": _by_sign_on({"reason": "wrong_nonce"}),
    "sso.sign_in": Example(_vouched, Persona.ADMIN, job=lambda world: (_sign_on(world), _vouched(world))),
}
