"""Examples of success for the operations on witnesses."""

from __future__ import annotations

from typing import Any

from tests.registry.examples import Example, World
from workreef_app.services.door import Caller
from workreef_app.services.operation import Persona


def _witness(world: World) -> str:
    """The id of a new witness, the only one."""
    for row in world.perform("witnesses.list", {}).rows:
        world.perform("witnesses.remove", {"witness_id": str(row.id)})
    return str(world.perform("witnesses.add", {"kind": "folder", "target": "here"}).row.id)


def _pushing(world: World) -> Caller:
    """The part of the system that pushes checkpoints."""
    return Caller(world.tenant, "test-checkpoints", system="checkpoints")


def _added(world: World) -> dict[str, Any]:
    _witness(world)
    return {"kind": "webhook", "target": "https://witness.example.com/checkpoints"}


def _fed(world: World) -> Caller:
    """The part of the system that pushes events, where there is somewhere to push them."""
    world.perform("siem.change", {"kind": "webhook", "target": "https://siem.example.com/"})
    return _pushing(world)


EXAMPLES = {
    "audit.export_events": Example(lambda world: {"format": "cef", "last": 3}, Persona.SECURITY_REVIEWER),
    "siem.read": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "siem.change": Example(lambda world: {"kind": "syslog", "target": "tls://siem.example.com:6514"}, Persona.ADMIN),
    "siem.next_batch": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (_fed(world), {})),
    "siem.record": Example(lambda world: {"upto": 1}, Persona.ADMIN, job=lambda world: (_fed(world), {"upto": 1})),
    "witnesses.list": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "witnesses.add": Example(_added, Persona.ADMIN),
    "witnesses.remove": Example(lambda world: {"witness_id": _witness(world)}, Persona.ADMIN),
    "witnesses.behind": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (_pushing(world), {})),
    "witnesses.record": Example(
        lambda world: {"witness_id": _witness(world), "size": 1}, Persona.ADMIN,
        job=lambda world: (_pushing(world), {"witness_id": _witness(world), "size": 1}),
    ),
}
