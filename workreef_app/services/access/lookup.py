"""Who can see this row, who can do this: answered by the rules themselves.

Whether a person sees a row is asked of row-level security, in that person's scope; whether they may run an operation,
of the registry. Nothing is computed beside them that could differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select, text
from sqlmodel import col

from workreef_app.services.access.matrix import NAME
from workreef_app.services.access.models import Department, Membership, Person, PersonPersona, PersonStatus
from workreef_app.services.access.operations import ADMINS
from workreef_app.services.access.wording import ONE, listed
from workreef_app.services.operation import (
    REGISTRY,
    Actor,
    Command,
    Event,
    Invalid,
    NotFound,
    Operation,
    Persona,
    Reach,
    Result,
    Work,
    departments_of,
    operation,
    reach_of,
)
from workreef_app.services.tenancy.scope import set_scope


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row: its table, the operation by which it is read, and the reach that opens every department's."""

    table: str
    operation: str
    reach: frozenset[Reach] = frozenset({Reach.ALL_WORK})
    key: str = "id"


ENTRY = "entry"
KINDS: Mapping[str, Kind] = MappingProxyType({
    "source": Kind("source", "sources.list"),
    "task": Kind("task", "tasks.read"),
    "proposal": Kind("proposal", "proposals.read"),
    "import": Kind("import_run", "imports.read"),
    "alarm": Kind("alarm", "alarms.list"),
    "job": Kind("job", "jobs.list", frozenset({Reach.ALL_WORK, Reach.ALL_AUDIT})),
    ENTRY: Kind("audit_entry", "audit.read", frozenset({Reach.ALL_AUDIT}), "seq"),
})


class WhoCan(Command):
    """One question: an `operation`, or a row by its `kind` and `row_id` (the number, for an audit entry)."""

    operation: str = Field("", pattern=NAME)
    kind: Literal["source", "task", "proposal", "import", "alarm", "job", "entry", ""] = ""
    row_id: str = Field("", pattern=r"^[0-9a-fA-F-]{0,36}$")


class PersonWho(Result):
    """Somebody who can, by which of their personas, and why in words."""

    person_id: UUID
    name: str
    personas: list[Persona]
    why: str


class Who(Result):
    """Everybody who can: people who may sign in, by name; `jobs` may besides them, and `public` is everyone."""

    people: list[PersonWho]
    public: bool
    jobs: bool


@operation("access.who_can", by=ADMINS, limit="120/minute", audit=Event.DATA_READ)
def who_can(work: Work, command: WhoCan) -> Who:
    """Lists the people who can run an operation, or see a row."""
    if bool(command.operation) == bool(command.kind):
        raise Invalid("Ask for an operation, or for a kind of row and its id.", fields={"kind": "or operation"})
    people = _people(work)
    if command.operation:
        spec = REGISTRY.get(command.operation)
        if spec is None:
            raise NotFound("operation", command.operation)
        found = [_who(person, spec, "") for person in people if spec.public or person.actor.personas & spec.by]
        work.note(target="access", rows=len(found))
        return Who(people=found, public=spec.public, jobs=spec.jobs)
    row_id = _row_id(command)
    found = _seers(work, command.kind, row_id, people)
    work.note(target=f"{command.kind}:{row_id}", rows=len(found))
    return Who(people=found, public=False, jobs=False)


def _row_id(command: WhoCan) -> UUID | int:
    try:
        return int(command.row_id) if command.kind == ENTRY else UUID(command.row_id)
    except ValueError:
        raise Invalid("This is no id of such a row.", fields={"row_id": "is not an id"}) from None


@dataclass(frozen=True, slots=True)
class Known:
    """A person who may sign in, as the actor that a session of theirs would be."""

    id: UUID
    name: str
    actor: Actor


def _people(work: Work) -> list[Known]:
    """Everybody who may sign in, by name."""
    personas: dict[UUID, set[Persona]] = {}
    departments: dict[UUID, set[UUID]] = {}
    for of in work.session.scalars(select(PersonPersona)):
        personas.setdefault(of.person_id, set()).add(Persona(of.persona))
    for member in work.session.scalars(select(Membership)):
        departments.setdefault(member.person_id, set()).add(member.department_id)
    active = work.session.scalars(select(Person).where(col(Person.status) == PersonStatus.ACTIVE))
    found = [
        Known(person.id, person.name, Actor(
            id=f"person:{person.id}", person_id=person.id, personas=frozenset(personas.get(person.id, ())),
            departments=frozenset(departments.get(person.id, ())),
        ))
        for person in active
    ]
    return sorted(found, key=lambda person: (person.name.casefold(), person.actor.id))


def _who(person: Known, spec: Operation, why: str) -> PersonWho:
    mine = [p for p in Persona if p in person.actor.personas and (spec.public or p in spec.by)]
    as_whom = f"as {listed(ONE[p] for p in mine)}" if mine else "without a persona"
    return PersonWho(person_id=person.id, name=person.name, personas=mine, why=why or as_whom)


def _seers(work: Work, name: str, row_id: UUID | int, people: list[Known]) -> list[PersonWho]:
    """Those to whom the database shows the row, and who may run the operation that reads it. Raises NotFound."""
    kind = KINDS[name]
    spec = REGISTRY[kind.operation]
    row = work.session.execute(text(_query(kind)), {"id": row_id}).one_or_none()
    if row is None:
        raise NotFound(name, str(row_id))
    department = UUID(str(row.department)) if row.department else None
    named = {d.id: d.name for d in work.session.scalars(select(Department))}
    found, shown = [], dict[object, bool]()
    for person in people:
        if not person.actor.personas & spec.by:
            continue
        # People whom the policies cannot tell apart are asked for once; entries are told apart by their actor.
        scope = (reach_of(person.actor), departments_of(person.actor), person.actor.id if name == ENTRY else "")
        if scope not in shown:
            with _as(work, person.actor):
                shown[scope] = work.session.execute(text(_query(kind)), {"id": row_id}).first() is not None
        if shown[scope]:
            found.append(_who(person, spec, _why(person.actor, kind, department, named)))
    return found


def _query(kind: Kind) -> str:
    column = "department" if kind.key == "seq" else "department_id"
    return f"SELECT {column} AS department FROM {kind.table} WHERE {kind.key} = :id"  # nosec B608: names of our own


@contextmanager
def _as(work: Work, actor: Actor) -> Iterator[None]:
    """The unit of work in another's scope, for the one question that is asked inside."""
    set_scope(work.session, actor)
    try:
        yield
    finally:
        set_scope(work.session, work.actor)


def _why(actor: Actor, kind: Kind, department: UUID | None, named: Mapping[UUID, str]) -> str:
    """By what the row is open to somebody who sees it."""
    by = listed(ONE[p] for p in Persona if p in actor.personas & REGISTRY[kind.operation].by)
    if reach_of(actor) & kind.reach:
        return f"as {by}: sees every department"
    if department is not None and department in departments_of(actor):
        return f"as {by} of {named.get(department, 'its department')}"
    return f"as {by}: it is their own"
