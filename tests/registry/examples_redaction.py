"""Examples of success for the redaction profile."""

from __future__ import annotations

import json

from tests.registry.examples import Example
from workreef_app.services.operation import Persona

TEXT = "Call Barbara Johansson at (212) 555-0134 or write to barbara@example.com."
CUSTOM = {
    "name": "custom", "classes": ["EMAIL", "PERSON"], "deny": ["Project Heron"], "allow": ["support@example.com"],
    "patterns": ["BADGE B-[0-9]{5}"], "response": True,
}
LINE = json.dumps({"text": TEXT, "spans": [{"type": "PERSON", "start": 5, "end": 22}]})

EXAMPLES = {
    "redaction.read": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "redaction.change": Example(lambda world: CUSTOM, Persona.ADMIN),
    "redaction.preview": Example(lambda world: {"text": TEXT, **CUSTOM}, Persona.SECURITY_REVIEWER),
    "redaction.test": Example(lambda world: {"lines": [LINE]}, Persona.ADMIN),
    "redaction.history": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
}
