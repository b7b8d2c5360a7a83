"""What the log tells of: each event, its meaning, and the operations whose success writes it."""

from __future__ import annotations

from dataclasses import dataclass

from workreef_app.services.events import meanings
from workreef_app.services.operation import REGISTRY

BESIDES = "refusals, and parts of the system"


@dataclass(frozen=True, slots=True)
class Told:
    """An event. `besides` says what writes it where no operation's success does."""

    event: str
    meaning: str
    operations: tuple[str, ...]
    besides: str


def events() -> list[Told]:
    """Every event, by name."""
    found = []
    for event, meaning in sorted(meanings().items()):
        names = tuple(sorted(name for name, spec in REGISTRY.items() if spec.event is event))
        found.append(Told(event.value, meaning, names, "" if names else BESIDES))
    return found
