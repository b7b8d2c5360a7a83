"""Operations on sign-in and departments, and the types that those on people share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints
from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import devices, factors, federation, people, sessions, tickets, visits
from workreef_app.services.access.models import Department, Person, PersonStatus
from workreef_app.services.access.passwords import MAXIMUM, MINIMUM, verify_password
from workreef_app.services.operation import (
    ANYONE,
    PUBLIC,
    Actor,
    CodeNeeded,
    Command,
    Conflict,
    Event,
    Persona,
    Result,
    Work,
    operation,
)
from workreef_app.services.tenancy.platform import SETTINGS
from workreef_app.settings import Settings

ADMINS = frozenset({Persona.ADMIN})
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
NewPassword = Annotated[SecretStr, Field(min_length=MINIMUM, max_length=MAXIMUM)]


class SessionGranted(Result):
    """A session was started. The token leaves in a cookie, never in a body."""

    person_id: UUID
    expires_at: datetime
    token: str = Field(exclude=True, repr=False)


class SignIn(Command):
    email: str = Field(max_length=254)
    password: SecretStr = Field(max_length=MAXIMUM)


@operation("sessions.start", by=PUBLIC, limit="20/minute", audit=Event.SESSION_STARTED, account="email")
def sign_in(work: Work, command: SignIn) -> SessionGranted:
    """Signs a person in by email and password; somebody with a second factor is asked for its code next."""
    person = people.by_email(work, command.email)
    active = person is not None and person.status == PersonStatus.ACTIVE
    encoded = person.password_hash if person and active else None
    right = verify_password(encoded, command.password.get_secret_value())
    # A hash takes its time: what it was compared with must still hold.
    person = people.held(work, person.id) if person is not None and right else None
    if person is None or encoded is None or person.password_hash != encoded or person.status != PersonStatus.ACTIVE:
        raise federation.wrong_password(work, email=work.keyed(people.normalise(command.email)))
    if not federation.may_use_password(work, people.personas_of(work, person.id)):  # before a code tells it was right
        raise federation.wrong_password(work, reason="single_sign_on_only", person=str(person.id))
    if factors.confirmed(work, person.id):
        ticket = tickets.issue(person.id, encoded, work.host, signing_secret(work), work.now)
        raise CodeNeeded(ticket, target=f"person:{person.id}")
    return grant(work, person)


def signing_secret(work: Work) -> str:
    """What cookies are signed with."""
    settings: Settings = work.session.info[SETTINGS]
    return settings.secret_key.get_secret_value()


def grant(work: Work, person: Person) -> SessionGranted:
    """A new session of a person who gave a password."""
    personas = people.personas_of(work, person.id)
    if not federation.may_use_password(work, personas):
        raise federation.wrong_password(work, reason="single_sign_on_only", person=str(person.id))
    return begin_session(work, person, personas)


def begin_session(work: Work, person: Person, personas: frozenset[Persona]) -> SessionGranted:
    """A new session of the person. The one that this browser had, whosever it was, has ended."""
    if work.browser_session is not None:
        sessions.revoke(work, work.browser_session)
    row, token = sessions.start(
        work.session, person.id, work.host, work.now, device=devices.described(work.agent), address=work.address
    )
    visits.seen(work.session, person.id, work.now)
    work.fact.actor = Actor(id=f"person:{person.id}", personas=personas, person_id=person.id)
    work.note(target=f"session:{row.id}")
    return SessionGranted(person_id=person.id, expires_at=row.expires_at, token=token)


class SignOut(Command):
    pass


class Done(Result):
    """It was done."""

    done: Literal[True] = True


@operation("sessions.end", by=ANYONE, limit="60/minute", audit=Event.SESSION_ENDED, keyless=True, enrolling=True)
def sign_out(work: Work, command: SignOut) -> Done:
    """Ends the session that asks."""
    if work.actor.session_id is not None:
        sessions.revoke(work, work.actor.session_id)
        work.note(target=f"session:{work.actor.session_id}")
    return Done()


class CreateDepartment(Command):
    slug: Slug
    name: Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]


class DepartmentRow(Result):
    """A department."""

    id: UUID
    slug: str
    name: str


@operation("departments.create", by=ADMINS, limit="60/minute", audit=Event.DEPARTMENT_CREATED)
def create_department(work: Work, command: CreateDepartment) -> DepartmentRow:
    """Adds a department."""
    if work.session.scalars(select(Department).where(col(Department.slug) == command.slug)).first():
        raise Conflict(f"There is a department {command.slug} already.")
    row = Department(id=uuid7(), slug=command.slug, name=command.name)
    work.session.add(row)
    work.note(target=f"department:{row.id}", department=row.id)
    return DepartmentRow(id=row.id, slug=row.slug, name=row.name)


class ListDepartments(Command):
    pass


class Departments(Result):
    """All departments of the tenant, by slug."""

    departments: list[DepartmentRow]


@operation("departments.list", by=ADMINS, limit="240/minute", audit=Event.DATA_READ)
def list_departments(work: Work, command: ListDepartments) -> Departments:
    """Lists the departments, for whoever puts something into one."""
    rows = list(work.session.scalars(select(Department).order_by(col(Department.slug))))
    work.note(target="department", rows=len(rows))
    return Departments(departments=[DepartmentRow(id=row.id, slug=row.slug, name=row.name) for row in rows])
