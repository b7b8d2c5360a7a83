"""Examples of success of the operations on API tokens."""

from __future__ import annotations

import itertools
from typing import Any

from tests.registry.examples import Example, World
from workreef_app.services.operation import Persona

_numbers = itertools.count(1)


def token_fields() -> dict[str, Any]:
    """What makes a token that reads tasks."""
    return {"name": f"Night report {next(_numbers)}", "operations": ["tasks.list", "me.read"], "days": 30}


def _made(world: World) -> str:
    """The id of a token of the admin who is signed in."""
    return str(world.door.perform(world.people[Persona.ADMIN], "tokens.create", token_fields()).id)


EXAMPLES: dict[str, Example] = {
    "tokens.create": Example(lambda world: token_fields(), Persona.ADMIN),
    "tokens.list": Example(lambda world: {"limit": 5}, Persona.ADMIN),
    "tokens.revoke": Example(lambda world: {"token_id": _made(world)}, Persona.ADMIN),
}
