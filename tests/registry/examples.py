"""An example of success for every operation: how to prepare a tenant for it, what to send, and as whom."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.conftest import PASSWORD
from tests.serving import import_lines
from workreef_app.services.door import Caller, Door, JobClaim
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
    """A call that succeeds. `persona` is None for nobody.

    `caller` is for what only the very person can send: who that is, once `payload` has been asked for what they send.
    `job` prepares a call by a job: who calls, and what is sent. An operation for jobs alone needs it, and its `payload`
    is what people send in vain.
    """

    payload: Callable[[World], dict[str, Any]]
    persona: Persona | None
    own_session: bool = False
    job: Callable[[World], tuple[Caller, dict[str, Any]]] | None = None
    caller: Callable[[World], Caller] | None = None


def claimed(world: World, job_id: UUID | None = None) -> Caller:
    """A job that runs, as a caller: the given one, or a nightly digest."""
    if job_id is None:
        key = {"kind": "digest", "key": f"digest:{next(_numbers)}"}
        job_id = world.door.perform(Caller(world.tenant, "test-job", system="scheduler"), "jobs.schedule", key).job_id
    assert job_id is not None
    taken = world.door.perform(Caller(world.tenant, "test-job", job=JobClaim(job_id)), "jobs.claim", {})
    return Caller(world.tenant, "test-job", job=JobClaim(job_id, taken.claim))


def _waiting(world: World) -> Caller:
    """A job in the queue, as a caller that claims it."""
    key = {"kind": "digest", "key": f"digest:{next(_numbers)}"}
    found = world.door.perform(Caller(world.tenant, "test-job", system="scheduler"), "jobs.schedule", key)
    return Caller(world.tenant, "test-job", job=JobClaim(found.job_id))


def _job_id(caller: Caller) -> str:
    assert caller.job is not None
    return str(caller.job.job_id)


def _cancelled(world: World) -> str:
    job_id = _job_id(_waiting(world))
    world.perform("jobs.cancel", {"job_id": job_id})
    return job_id


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
    """An import that receives its file, into a source of its own: one at a time is counted into each."""
    department = f"i{next(_numbers)}"
    world.perform("departments.create", {"slug": department, "name": "Of an import"})
    run = world.perform("imports.start", {"kind": "log_file", "file_name": "a.log", "department": department})
    return world.perform("imports.add_chunk", {"import_id": run.id, "number": 0, "content": b"2026-11-01 10:00:00 a\n"})


def _counted(world: World) -> tuple[Caller, str]:
    """The job of an import that it has taken up, as a caller, and the import's id."""
    run = world.perform("imports.close", {"import_id": _import(world).id, "whole": True})
    job = claimed(world, run.job_id)
    world.door.perform(job, "imports.take_up", {"import_id": run.id})
    return job, str(run.id)


def _by_its_job(**payload: Any) -> Callable[[World], tuple[Caller, dict[str, Any]]]:
    def prepare(world: World) -> tuple[Caller, dict[str, Any]]:
        job, import_id = _counted(world)
        return job, {"import_id": import_id, **payload}

    return prepare


def _for_its_job(**payload: Any) -> Example:
    """An operation of an import's job, which people send in vain."""
    sent = lambda world: {"import_id": str(_import(world).id), **payload}  # noqa: E731
    return Example(sent, Persona.ADMIN, job=_by_its_job(**payload))


STEP: dict[str, Any] = {
    "batch": 0, "lines": [], "skipped": {"undated": 2}, "bytes_counted": 9,
    "state": {"bytes_read": 9, "after_record": False, "begun": True, "in_long_line": False},
}


def _sweep(world: World) -> Caller:
    key = {"kind": "import_sweep", "key": f"import_sweep:{next(_numbers)}"}
    found = world.door.perform(Caller(world.tenant, "test-job", system="scheduler"), "jobs.schedule", key)
    return claimed(world, found.job_id)


def _watch(world: World) -> Caller:
    """A part of the system that watches the house."""
    return Caller(world.tenant, "test-watch", system="watch")


def new_alarm(world: World) -> str:
    """The id of an alarm that is open."""
    raised = {"kind": "job_failed", "subject": f"example:{next(_numbers)}"}
    return str(world.door.perform(_watch(world), "alarms.raise", raised).alarm_id)


def _delivering(world: World) -> Caller:
    """The job that delivers an alarm, as it runs."""
    world.perform("alarm_routes.change", {"mail_recipients": ["ops@example.com"], "minimum_severity": "notice"})
    alarm_id = new_alarm(world)
    jobs = world.perform("jobs.list", {"status": "queued", "limit": 200}).rows
    return claimed(world, next(job.id for job in jobs if str(job.subject) == alarm_id))


def _checkpoint(world: World) -> int:
    """The size of a checkpoint that was made just now."""
    size: int = world.perform("audit.checkpoint", {}).size
    return size


def _first_piece(world: World) -> dict[str, Any]:
    begun = world.perform("audit.begin_verification", {})
    return {"after": 0, "count": begun.count, "head": begun.head}


EXAMPLES: dict[str, Example] = {
    "alarms.list": Example(lambda world: {"state": "open", "limit": 5}, Persona.OPERATOR),
    "alarms.poll": Example(lambda world: {}, Persona.DEPT_LEAD),
    "alarms.count": Example(lambda world: {}, Persona.OPERATOR),
    "alarms.acknowledge": Example(lambda world: {"alarm_id": new_alarm(world)}, Persona.ADMIN),
    "alarms.assign": Example(lambda world: {"alarm_id": new_alarm(world)}, Persona.ADMIN),
    "alarms.resolve": Example(lambda world: {"alarm_id": new_alarm(world)}, Persona.ADMIN),
    "alarms.raise": Example(
        lambda world: {"kind": "disk_low"}, Persona.ADMIN, job=lambda world: (_watch(world), {"kind": "disk_low"})
    ),
    "alarms.clear": Example(
        lambda world: {"kind": "disk_low"}, Persona.ADMIN, job=lambda world: (_watch(world), {"kind": "disk_low"})
    ),
    "alarms.plan_delivery": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (_delivering(world), {})),
    "alarms.record_delivery": Example(
        lambda world: {"channel": "mail", "opening": 1, "attempts": 1}, Persona.ADMIN,
        job=lambda world: (_delivering(world), {"channel": "mail", "opening": 1, "attempts": 1}),
    ),
    "alarm_routes.read": Example(lambda world: {}, Persona.ADMIN),
    "alarm_routes.change": Example(
        lambda world: {"mail_recipients": ["ops@example.com"], "minimum_severity": "critical"}, Persona.ADMIN
    ),
    "alarm_routes.test": Example(lambda world: {}, Persona.ADMIN),
    "sessions.start": Example(
        lambda world: {"email": world.emails[Persona.OPERATOR], "password": PASSWORD}, None
    ),
    "sessions.end": Example(lambda world: {}, Persona.CONTRIBUTOR, own_session=True),
    "invitations.accept": Example(_invitation, None),
    "me.read": Example(lambda world: {}, Persona.CONTRIBUTOR),
    "me.change": Example(lambda world: {"time_zone": "Asia/Kathmandu"}, Persona.CONTRIBUTOR),
    "sessions.extend": Example(lambda world: {}, Persona.CONTRIBUTOR, own_session=True),
    "imports.list": Example(lambda world: {"since": "2026-01-01T00:00:00Z", "limit": 5}, Persona.DEPT_LEAD),
    "departments.create": Example(
        lambda world: {"slug": f"d{next(_numbers)}", "name": "New department"}, Persona.ADMIN
    ),
    "departments.list": Example(lambda world: {}, Persona.ADMIN),
    "people.create": Example(_person, Persona.ADMIN),
    "settings.read": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "settings.history": Example(
        lambda world: world.perform("settings.change", {"name": "digest.hour", "number": next(_numbers) % 24})
        and {"name": "digest.hour", "limit": 5},
        Persona.SECURITY_REVIEWER,
    ),
    "settings.change": Example(lambda world: {"name": "recommend.min_handling", "number": 710}, Persona.ADMIN),
    "audit.list": Example(lambda world: {"event": "data.read", "limit": 5}, Persona.OPERATOR),
    "audit.read": Example(lambda world: {"seq": 1}, Persona.SECURITY_REVIEWER),
    "audit.verify": Example(lambda world: {}, Persona.CONTRIBUTOR),
    "audit.checkpoint": Example(
        lambda world: {}, Persona.SECURITY_REVIEWER,
        job=lambda world: (Caller(world.tenant, "test-checkpoints", system="checkpoints"), {}),
    ),
    "audit.checkpoint_due": Example(
        lambda world: {}, Persona.ADMIN,
        job=lambda world: (Caller(world.tenant, "test-checkpoints", system="checkpoints"), {}),
    ),
    "audit.read_checkpoint": Example(lambda world: {"size": _checkpoint(world)}, Persona.CONTRIBUTOR),
    "audit.receipt": Example(lambda world: {"seq": _checkpoint(world)}, Persona.SECURITY_REVIEWER),
    "audit.begin_verification": Example(lambda world: {}, Persona.CONTRIBUTOR),
    "audit.verify_piece": Example(_first_piece, Persona.CONTRIBUTOR),
    "audit.rehearse": Example(lambda world: {"attack": "edit", "entry": _checkpoint(world)}, Persona.ADMIN),
    "audit.export": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "imports.start": Example(
        lambda world: {"kind": "log_file", "file_name": "a.log", "department": "claims"}, Persona.ADMIN
    ),
    "imports.add_chunk": Example(
        lambda world: {"import_id": str(_import(world).id), "number": 1, "content": "bW9yZQo="}, Persona.ADMIN
    ),
    "imports.close": Example(lambda world: {"import_id": str(_import(world).id), "whole": True}, Persona.ADMIN),
    "imports.cancel": Example(lambda world: {"import_id": str(_import(world).id)}, Persona.ADMIN),
    "imports.read": Example(lambda world: {"import_id": str(_import(world).id)}, Persona.ADMIN),
    "imports.take_up": _for_its_job(),
    "imports.chunk": _for_its_job(number=0),
    "imports.advance": _for_its_job(**STEP),
    "imports.finish": _for_its_job(),
    "imports.sweep": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (_sweep(world), {})),
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
    "status.read": Example(lambda world: {}, Persona.SECURITY_REVIEWER),
    "status.poll": Example(lambda world: {}, Persona.ADMIN),
    "jobs.claim": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (_waiting(world), {})),
    "jobs.watch": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (claimed(world), {})),
    "jobs.end": Example(
        lambda world: {"outcome": "done"}, Persona.ADMIN, job=lambda world: (claimed(world), {"outcome": "done"})
    ),
    "jobs.schedule": Example(
        lambda world: {"kind": "digest", "key": "digest:1"}, Persona.ADMIN,
        job=lambda world: (
            Caller(world.tenant, "test-job", system="scheduler"),
            {"kind": "digest", "key": f"digest:{next(_numbers)}"},
        ),
    ),
    "jobs.list": Example(lambda world: {"status": "queued"}, Persona.SECURITY_REVIEWER),
    "jobs.poll": Example(lambda world: {}, Persona.ADMIN),
    "jobs.cancel": Example(lambda world: {"job_id": _job_id(_waiting(world))}, Persona.ADMIN),
    "jobs.retry": Example(lambda world: {"job_id": _cancelled(world)}, Persona.ADMIN),
    "digest.measure": Example(lambda world: {}, Persona.ADMIN, job=lambda world: (claimed(world), {})),
    "my_work.read": Example(lambda world: {}, Persona.CONTRIBUTOR),
}


from tests.registry import (  # noqa: E402  (made of what stands above)
    examples_audit,
    examples_matrix,
    examples_people,
    examples_redaction,
    examples_sso,
    examples_tokens,
    examples_witnesses,
)

for _area in (
    examples_audit, examples_people, examples_tokens, examples_sso, examples_matrix, examples_redaction,
    examples_witnesses,
):
    EXAMPLES |= _area.EXAMPLES
