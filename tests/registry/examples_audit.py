"""Examples of success of the operations that show the audit log."""

from __future__ import annotations

from tests.registry.examples import Example
from workreef_app.services.operation import Persona

EXAMPLES: dict[str, Example] = {
    "audit.feed": Example(lambda world: {"form": "ocsf", "after": 1, "upto": 3}, Persona.SECURITY_REVIEWER),
    "audit.tail": Example(lambda world: {"after": 1, "event": "data.read"}, Persona.CONTRIBUTOR),
}
