"""An example of success for every operation: how to prepare a tenant for it, what to send, and as whom."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conftest import PASSWORD
from tests.serving import import_lines
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Persona
from workreef_app.services.tenancy.platform import Tenant

_numbers = itertools.count(1)


@dataclass(frozen=True)
class World:
    """A tenant with people of every persona in its department `claims`, and an admin at the command line."""

    door: Door
    tenant: Tenant
    admin: Caller
    people: dict[Persona, Caller]
    spare: dict[Persona, Caller]
    emails: dict[Persona, str]

    def perform(self, name: str, payload: dict[str, Any]) -> Any:
        return self.door.perform(self.admin, name, payload)

    def browser(self) -> Caller:
        """A browser that is not signed in, at an address of its own."""
        number = next(_numbers)
        host = next(iter(self.people.values())).host
        return Caller(self.tenant, "test-world", host=host, address=f"10.8.{number // 250}.{number % 250}")

    def signed_in(self, persona: Persona) -> Caller:
        """A session of its own of the person with this persona."""
        browser = self.browser()
        granted = self.door.perform(browser, "sessions.start", {"email": self.emails[persona], "password": PASSWORD})
        return replace(browser, token=granted.token)


@dataclass(frozen=True)
class Example:
    """A call that succeeds. `persona` is None for nobody; `as_form` is whether a form can carry the payload."""

    payload: Callable[[World], dict[str, Any]]
    persona: Persona | None
    as_form: bool = True
    own_session: bool = False


def raw_lines(word: str, count: int = 12) -> list[dict[str, Any]]:
    """Lines of one template on several days, which becomes a task; no line of another word is like them."""
    begin = datetime.now(UTC) - timedelta(days=count)
    said = " ".join(f"{part}{word}" for part in ("unit", "step", "host", "queue"))
    return [
        {"at": (begin + timedelta(days=n)).isoformat(), "message": f"{said} failed {n}",
         "identity": hashlib.sha256(f"{word} {n}".encode()).hexdigest()}
        for n in range(count)
    ]


def new_word() -> str:
    """A word that no line had before."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{next(_numbers):04}")


def new_task(world: World, department: str = "claims") -> Any:
    """A task with an open proposal, as the list shows it."""
    word = new_word()
    import_lines(world.door, world.admin, department, raw_lines(word))
    after = ""
    while True:
        page = world.perform("tasks.list", {"limit": 200, "department": department, "after": after})
        found = [row for row in page.rows if f"unit{word}" in row.title]
        if found:
            return found[0]
        assert page.next, f"no task was made of the lines of {word}"
        after = page.next


def _invitation(world: World) -> dict[str, Any]:
    invited = world.perform("people.create", _person(world))
    return {"token": invited.invitation_token, "password": PASSWORD}


def _person(world: World) -> dict[str, Any]:
    return {"email": f"new{next(_numbers)}@example.com", "name": "New Person",
            "personas": ["operator", "contributor"], "departments": ["claims"]}


def _import(world: World) -> Any:
    return world.perform("imports.start", {"kind": "log_file", "file_name": "a.log", "department": "claims"})


EXAMPLES: dict[str, Example] = {
    "sessions.start": Example(
        lambda world: {"email": world.emails[Persona.OPERATOR], "password": PASSWORD}, None
    ),
    "sessions.end": Example(lambda world: {}, Persona.CONTRIBUTOR, own_session=True),
    "invitations.accept": Example(_invitation, None),
    "me.read": Example(lambda world: {}, Persona.CONTRIBUTOR),
    "departments.create": Example(
        lambda world: {"slug": f"d{next(_numbers)}", "name": "New department"}, Persona.ADMIN
    ),
    "people.create": Example(_person, Persona.ADMIN),
    "settings.read": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "settings.change": Example(lambda world: {"name": "recommend.min_handling", "number": 710}, Persona.ADMIN),
    "audit.list": Example(lambda world: {"event": "data.read", "limit": 5}, Persona.OPERATOR),
    "audit.read": Example(lambda world: {"seq": 1}, Persona.SECURITY_REVIEWER),
    "audit.verify": Example(lambda world: {}, Persona.CONTRIBUTOR),
    "audit.export": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "imports.start": Example(
        lambda world: {"kind": "log_file", "file_name": "a.log", "department": "claims"}, Persona.ADMIN
    ),
    "imports.add_lines": Example(
        lambda world: {"import_id": str(_import(world).id), "batch": 0, "lines": raw_lines(new_word()),
                       "skipped": {"undated": 2}},
        Persona.ADMIN, as_form=False,
    ),
    "imports.finish": Example(lambda world: {"import_id": str(_import(world).id)}, Persona.ADMIN),
    "sources.list": Example(lambda world: {}, Persona.OPERATOR),
    "observations.list": Example(lambda world: {"task_id": str(new_task(world).task_id)}, Persona.OPERATOR),
    "tasks.list": Example(lambda world: {"department": "claims", "status": "open"}, Persona.DEPT_LEAD),
    "tasks.read": Example(lambda world: {"task_id": str(new_task(world).task_id)}, Persona.OPERATOR),
    "proposals.list": Example(lambda world: {"recommendation": "pilot"}, Persona.CHANGE_LEADER),
    "proposals.read": Example(lambda world: {"proposal_id": str(new_task(world).proposal_id)}, Persona.DEPT_LEAD),
    "proposals.decide": Example(
        lambda world: {"proposal_id": str(new_task(world).proposal_id), "choice": "return", "reason": "Not yet."},
        Persona.OPERATOR,
    ),
    "digest.read": Example(lambda world: {"department": "claims"}, Persona.OPERATOR),
    "my_work.read": Example(lambda world: {}, Persona.CONTRIBUTOR),
}
