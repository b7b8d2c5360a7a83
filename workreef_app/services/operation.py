"""The types every operation is written in: commands, work, actors, refusals, and the registry.

An operation is one thing that a person, an agent or a job can ask the system to do. It is a plain function
of `Work` and a `Command`; everything around it (session, limit, validation, scope, persona, audit, commit)
is the door's affair (`services.door.perform`).
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy.orm import Session


class Persona(StrEnum):
    """What a person is here for. A person has one or more."""

    OPERATOR = "operator"
    DEPT_LEAD = "dept_lead"
    CHANGE_LEADER = "change_leader"
    CONTRIBUTOR = "contributor"
    ADMIN = "admin"
    SECURITY_REVIEWER = "security_reviewer"


PUBLIC: Final[frozenset[Persona]] = frozenset()
NOBODY: Final[frozenset[Persona]] = frozenset()
ANYONE: Final = frozenset(Persona)
#: Those who read what was found in the sources: departments' own people, the change leader, admins.
WORK_READERS: Final = frozenset(
    {Persona.OPERATOR, Persona.DEPT_LEAD, Persona.CHANGE_LEADER, Persona.ADMIN}
)
DECIDERS: Final = frozenset({Persona.OPERATOR, Persona.DEPT_LEAD, Persona.CHANGE_LEADER})
AUDITORS: Final = frozenset({Persona.ADMIN, Persona.SECURITY_REVIEWER})


class Event(StrEnum):
    """What an audit entry says happened: `subject.verb`."""

    TENANT_CREATED = "tenant.created"
    SESSION_STARTED = "session.started"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
    SESSION_EXTENDED = "session.extended"
    PERSON_CREATED = "person.created"
    PERSON_CHANGED = "person.changed"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_ACTIVATED = "person.activated"
    INVITATION_ACCEPTED = "invitation.accepted"
    INVITATION_RENEWED = "invitation.renewed"
    INVITATION_REVOKED = "invitation.revoked"
    PASSWORD_PROVEN = "password.proven"  # nosec B105: a name, no value
    PASSWORD_CHANGED = "password.changed"  # nosec B105: a name, no value
    PASSWORD_RESET = "password.reset"  # nosec B105: a name, no value
    RESET_ASKED = "reset.asked"
    RESET_LINK_MADE = "reset.link_made"
    FACTOR_BEGUN = "factor.begun"
    FACTOR_ENROLLED = "factor.enrolled"
    FACTOR_CODES_RENEWED = "factor.codes_renewed"
    FACTOR_REMOVED = "factor.removed"
    FACTOR_REFUSED = "factor.refused"
    SESSION_REFRESHED = "session.refreshed"
    SESSION_REVOKED = "session.revoked"
    LINK_PREPARED = "link.prepared"
    LINK_MAILED = "link.mailed"
    SCOPE_DENIED = "scope.denied"
    DATA_READ = "data.read"
    SETTING_CHANGED = "setting.changed"
    DEPARTMENT_CREATED = "department.created"
    IMPORT_STARTED = "import.started"
    IMPORT_RECEIVED = "import.received"
    IMPORT_ADVANCED = "import.advanced"
    IMPORT_FINISHED = "import.finished"
    IMPORT_CANCELLED = "import.cancelled"
    IMPORT_SWEPT = "import.swept"
    PROPOSAL_DECIDED = "proposal.decided"
    NOTE_ADDED = "note.added"
    NOTE_WITHDRAWN = "note.withdrawn"
    JOB_SCHEDULED = "job.scheduled"
    JOB_STARTED = "job.started"
    JOB_ENDED = "job.ended"
    JOB_CANCELLED = "job.cancelled"
    JOB_RETRIED = "job.retried"
    SIGNALS_MEASURED = "signals.measured"
    ALARM_RAISED = "alarm.raised"
    ALARM_DELIVERED = "alarm.delivered"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_ASSIGNED = "alarm.assigned"
    ALARM_RESOLVED = "alarm.resolved"
    ALARM_ROUTES_CHANGED = "alarm_routes.changed"
    ALARM_ROUTES_TESTED = "alarm_routes.tested"
    TOKEN_CREATED = "token.created"  # nosec B105: a name, no value
    TOKEN_REVOKED = "token.revoked"  # nosec B105: a name, no value
    AUDIT_VERIFIED = "audit.verified"
    AUDIT_EXPORTED = "audit.exported"
    SSO_CHANGED = "sso.changed"
    SSO_TESTED = "sso.tested"


class Reach(StrEnum):
    """What row-level security lets a unit of work see beyond its departments."""

    ALL_WORK = "all_work"
    ALL_AUDIT = "all_audit"
    PEOPLE = "people"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `id` is what the audit log shows: `person:<uuid>`, `token:<uuid>`, `cli:<user>`, `job:<uuid>`,
    `system:…`, `public`.

    `automatic` is a job or a part of the system, which runs what is registered for jobs and nothing else. `claim` is
    the number of the claim under which a job runs; a later claim makes it void (`services.jobs.ledger`).
    `authenticated_at` is when the person behind a session last proved who they are; `factor` is whether they have a
    second factor. An API token acts for the person who owns it, within `operations`; None is no such bound.
    """

    id: str
    personas: frozenset[Persona] = frozenset()
    person_id: UUID | None = None
    departments: frozenset[UUID] = frozenset()
    session_id: UUID | None = None
    extra_reach: frozenset[Reach] = frozenset()
    automatic: bool = False
    job_id: UUID | None = None
    claim: int = 0
    authenticated_at: datetime | None = None
    factor: bool = False
    token_id: UUID | None = None
    operations: frozenset[str] | None = None


def reach_of(actor: Actor) -> frozenset[Reach]:
    """What this actor's personas let the database show beyond its own departments."""
    reach = set(actor.extra_reach)
    if actor.personas & {Persona.ADMIN, Persona.CHANGE_LEADER}:
        reach.add(Reach.ALL_WORK)
    if actor.personas & AUDITORS:
        reach.update({Reach.ALL_AUDIT, Reach.PEOPLE})
    if Persona.ADMIN in actor.personas:
        reach.add(Reach.SETTINGS)
    return frozenset(reach)


def departments_of(actor: Actor) -> frozenset[UUID]:
    """Departments whose rows the actor may see: only an operator's or a lead's memberships open rows."""
    if actor.personas & {Persona.OPERATOR, Persona.DEPT_LEAD}:
        return actor.departments
    return frozenset()


class Command(BaseModel):
    """Input of an operation: unknown fields are refused, strings hold no NUL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("must not hold a NUL character")
        return value


class Result(BaseModel):
    """Output of an operation, as JSON on the API and as typed rows in a page's state."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True)
class FileResult:
    """An operation's result that is a file, made for this caller; whoever sends it removes it."""

    path: Path
    name: str
    media_type: str


Fetched = typing.TypeVar("Fetched")


@dataclass(frozen=True, slots=True)
class Later(typing.Generic[Fetched]):
    """A result that is fetched from outside once the transaction is over, so that none waits for a network.

    `fetch` raises nothing that it could return, and changes nothing of ours.
    """

    fetch: Callable[[], Fetched]


@dataclass(slots=True)
class Fact:
    """What the audit entry of the running operation will say beyond who and when."""

    target: str | None = None
    department: UUID | None = None
    actor: Actor | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TenantInfo:
    """What an operation may know about its tenant."""

    id: UUID
    slug: str
    name: str
    hipaa: bool
    environment: str


@dataclass(frozen=True, slots=True)
class Work:
    """One unit of work: the tenant's session in its scope, the actor, the clock, and the audit fact.

    `keyed` hashes a value under the tenant's key, for audit entries; `unlocked` is False in keyless work whose
    tenant's key does not answer, when no sealed column can be read. `address` and `agent` are what a browser came
    with, and `browser_session` the session that it had, also where the operation is public.
    """

    session: Session
    actor: Actor
    now: datetime
    tenant: TenantInfo
    request_id: str
    host: str
    unlocked: bool
    keyed: Callable[[str], str]
    fact: Fact
    address: str = ""
    agent: str = field(default="", repr=False)
    browser_session: UUID | None = None
    afterwards: list[Callable[[], object]] = field(default_factory=list, repr=False)

    def after_commit(self, follow: Callable[[], object]) -> None:
        """Has `follow` called once the change is committed; never when it is not. It may not raise."""
        self.afterwards.append(follow)

    def note(
        self, target: str | None = None, department: UUID | None = None, **detail: str | int | bool | list[str] | None
    ) -> None:
        """Says what the audit entry shall hold: ids, enums, numbers and booleans only."""
        if target is not None:
            self.fact.target = target
        if department is not None:
            self.fact.department = department
        self.fact.detail.update(detail)


class Refusal(Exception):
    """An operation was not done. `detail` is shown to the caller; nothing internal goes in it.

    `kept` says that what the operation wrote stays all the same, as the count of wrong codes does.
    """

    status = 400
    code = "refused"
    event: Event | None = None
    kept = False

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})
        self.facts = facts


class NoSession(Refusal):
    status, code = 401, "no_session"


class SignInRefused(NoSession):
    """Wrong email or password: one answer for both."""

    code, event = "sign_in_refused", Event.SESSION_REFUSED


class CodeNeeded(NoSession):
    """The password is right, and a code is asked for before there is a session. `ticket` goes into a cookie."""

    code, event = "code_needed", Event.PASSWORD_PROVEN

    def __init__(self, ticket: str, **facts: Any) -> None:
        super().__init__("Give the code of your second factor.", **facts)
        self.ticket = ticket


class TokenRefused(NoSession):
    """The API token is none of ours, has expired or was revoked, or its owner may not sign in: one answer for all."""

    code = "token_refused"

    def __init__(self) -> None:
        super().__init__("This API token does not hold. Ask an admin for a new one.")


class TokenScope(Refusal):
    """The API token does not list the operation."""

    status, code, event = 403, "token_scope", Event.SCOPE_DENIED


class WrongPersona(Refusal):
    status, code, event = 403, "wrong_persona", Event.SCOPE_DENIED


class SignInAgain(Refusal):
    """What is asked for is dangerous, and it is too long ago that the person proved who they are."""

    status, code = 403, "sign_in_again"


class FactorRequired(Refusal):
    """An admin without a second factor may do nothing here but set one up."""

    status, code = 403, "factor_required"


class NotFound(Refusal):
    """The row does not exist, or is outside the actor's scope: the same answer for both."""

    status, code = 404, "not_found"

    def __init__(self, kind: str, row_id: UUID | str) -> None:
        super().__init__(f"There is no such {kind}.", kind=kind, id=str(row_id))


class UnknownHost(Refusal):
    """The host belongs to no tenant."""

    status, code = 404, "unknown_host"


class Conflict(Refusal):
    status, code = 409, "conflict"


class Invalid(Refusal):
    status, code = 422, "invalid"


class WrongPassword(Invalid):
    """A signed-in person gave a password that is not theirs."""

    code, event = "wrong_password", Event.SESSION_REFUSED


class CodeRefused(Invalid):
    """A wrong code, or one that was used: one answer for both. The attempt counts."""

    code, event, kept = "code_refused", Event.FACTOR_REFUSED, True


class Locked(Refusal):
    """The tenant's key does not answer, so its data cannot be read."""

    status, code = 423, "locked"


class Unavailable(Refusal):
    """Not now, because the database does not answer or is busy: nothing was changed, and the same call may be repeated.

    `retry_after` is in seconds.
    """

    status, code = 503, "unavailable"
    retry_after: int | None = 5


class OutcomeUnknown(Unavailable):
    """The database went away while the change was being committed: nobody knows yet whether it was kept.

    No time is given to try again: a program that repeats by itself might do it twice.
    """

    code = "outcome_unknown"
    retry_after = None


class DiskFull(Refusal):
    """There is no room left to write to."""

    status, code = 507, "disk_full"

    def __init__(self) -> None:
        super().__init__("The disk is full, so nothing was changed. An admin must free some space; then try again.")


class Limited(Refusal):
    status, code = 429, "limited"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Operation:
    """A registered operation. `event` is None for polls, which are neither audited nor activity.

    `limit` bounds the calls of one caller: a person or API token, an address where it is public. `account` names the
    field that says whose door is knocked at, as an email does: attempts that fail are counted for it too.

    `by` are the personas that may run it; `jobs` says that jobs may, besides them. `fresh` asks for a proof of who it
    is within the last five minutes. `enrolling` is what an admin may do who must set up a second factor first.
    """

    name: str
    run: Callable[[Work, Any], Any]
    command: type[Command]
    result: Any
    by: frozenset[Persona]
    limit: str
    event: Event | None
    public: bool
    jobs: bool
    keyless: bool
    summary: str
    fresh: bool = False
    enrolling: bool = False
    account: str | None = None

    def allows(self, actor: Actor) -> bool:
        """Whether the actor may run it at all."""
        return self.public or bool(actor.personas & self.by) or (self.jobs and actor.automatic)


REGISTRY: dict[str, Operation] = {}

Function = typing.TypeVar("Function", bound=Callable[..., Any])


def operation(
    name: str, *, by: frozenset[Persona], limit: str, audit: Event | None, keyless: bool = False, jobs: bool = False,
    fresh: bool = False, enrolling: bool = False, account: str | None = None,
) -> Callable[[Function], Function]:
    """Registers a function `(work, command) -> result` under `name`. Raises ValueError on a second use of a name.

    `by=NOBODY, jobs=True` is for jobs alone; without `jobs`, an empty `by` is public.
    """

    def register(function: Function) -> Function:
        if name in REGISTRY:
            raise ValueError(f"operation {name} is registered twice")
        hints = typing.get_type_hints(function)
        command = next(t for key, t in hints.items() if key not in {"return", "work"})
        result = hints["return"]
        if typing.get_origin(result) is Later:
            (result,) = typing.get_args(result)
        doc = (function.__doc__ or "").strip().splitlines()
        if not doc:
            raise ValueError(f"operation {name} has no docstring")
        REGISTRY[name] = Operation(
            name, function, command, result, by, limit, audit, not by and not jobs, jobs, keyless, doc[0],
            fresh, enrolling, account,
        )
        return function

    return register
