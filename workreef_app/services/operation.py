"""The types every operation is written in: commands, work, actors, refusals, and the registry.

An operation is one thing that a person, an agent or a job can ask the system to do. It is a plain function
of `Work` and a `Command`; everything around it (session, limit, validation, scope, persona, audit, commit)
is the door's affair (`services.door.perform`).
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy.orm import Session

from workreef_app.services.events import Event
from workreef_app.services.refusals import (
    CodeNeeded,
    CodeRefused,
    Conflict,
    DiskFull,
    FactorRequired,
    Invalid,
    Limited,
    Locked,
    NoSession,
    NotFound,
    OutcomeUnknown,
    Refusal,
    SignInAgain,
    SignInRefused,
    TokenRefused,
    TokenScope,
    Unavailable,
    UnknownHost,
    WrongPassword,
    WrongPersona,
)

#: Events and refusals have modules of their own, and are named here with all else that an operation is written in.
__all__ = [
    "ANYONE",
    "AUDITORS",
    "DECIDERS",
    "NOBODY",
    "PUBLIC",
    "REGISTRY",
    "WORK_READERS",
    "Actor",
    "CodeNeeded",
    "CodeRefused",
    "Command",
    "Conflict",
    "DiskFull",
    "Event",
    "Fact",
    "FactorRequired",
    "Fetched",
    "FileResult",
    "Function",
    "Invalid",
    "Later",
    "Limited",
    "Locked",
    "NoSession",
    "NotFound",
    "Operation",
    "OutcomeUnknown",
    "Persona",
    "Reach",
    "Refusal",
    "Result",
    "SignInAgain",
    "SignInRefused",
    "TenantInfo",
    "TokenRefused",
    "TokenScope",
    "Unavailable",
    "UnknownHost",
    "Work",
    "WrongPassword",
    "WrongPersona",
    "departments_of",
    "operation",
    "reach_of",
]


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
