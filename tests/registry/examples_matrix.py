"""Examples of the operations on access, and on people's own work."""

from __future__ import annotations

from tests.registry.examples import Example, World, new_task
from workreef_app.services.operation import Persona


def new_note(world: World) -> str:
    """The id of a note that the contributor has just added."""
    author = world.people[Persona.CONTRIBUTOR]
    return str(world.door.perform(author, "notes.add", {"text": "Fridays are different."}).id)


def _row(world: World) -> dict[str, str]:
    return {"kind": "task", "row_id": str(new_task(world).task_id)}


EXAMPLES: dict[str, Example] = {
    "access.matrix": Example(lambda world: {"persona": "operator", "text": "proposal"}, Persona.CONTRIBUTOR),
    "access.who_can": Example(_row, Persona.ADMIN),
    "notes.add": Example(lambda world: {"text": "We do this by hand.", "department": "claims"}, Persona.CONTRIBUTOR),
    "notes.list": Example(lambda world: {"limit": 5}, Persona.OPERATOR),
    "notes.withdraw": Example(lambda world: {"note_id": new_note(world)}, Persona.CONTRIBUTOR),
}
