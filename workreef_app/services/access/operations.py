"""Operations on sessions and people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints
from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import federation, invitations, people, sessions, visits
from workreef_app.services.access.models import Department, Person, PersonStatus
from workreef_app.services.access.passwords import MAXIMUM, MINIMUM, hash_password, verify_password
from workreef_app.services.operation import (
    ANYONE,
    PUBLIC,
    Actor,
    Command,
    Conflict,
    Event,
    Invalid,
    Persona,
    Result,
    Work,
    operation,
)

ADMINS = frozenset({Persona.ADMIN})
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,189}$", strip_whitespace=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
NewPassword = Annotated[SecretStr, Field(min_length=MINIMUM, max_length=MAXIMUM)]
INVITATION_LIFETIME = timedelta(hours=72)


class SessionGranted(Result):
    """A session was started. The token leaves in a cookie, never in a body."""

    person_id: UUID
    expires_at: datetime
    token: str = Field(exclude=True, repr=False)


class SignIn(Command):
    email: str = Field(max_length=254)
    password: SecretStr = Field(max_length=MAXIMUM)


@operation("sessions.start", by=PUBLIC, limit="20/minute", audit=Event.SESSION_STARTED)
def sign_in(work: Work, command: SignIn) -> SessionGranted:
    """Signs a person in by email and password."""
    person = people.by_email(work, command.email)
    active = person is not None and person.status == PersonStatus.ACTIVE
    right = verify_password(person.password_hash if person and active else None, command.password.get_secret_value())
    if person is None or not right:
        raise federation.wrong_password(work, email=work.keyed(people.normalise(command.email)))
    return _grant(work, person)


def _grant(work: Work, person: Person) -> SessionGranted:
    row, token = sessions.start(work.session, person.id, work.host, work.now)
    visits.seen(work.session, person.id, work.now)
    personas = people.personas_of(work, person.id)
    if not federation.may_use_password(work, personas):
        raise federation.wrong_password(work, reason="single_sign_on_only", person=str(person.id))
    work.fact.actor = Actor(id=f"person:{person.id}", personas=personas, person_id=person.id)
    work.note(target=f"session:{row.id}")
    return SessionGranted(person_id=person.id, expires_at=row.expires_at, token=token)


class SignOut(Command):
    pass


class Done(Result):
    """It was done."""

    done: Literal[True] = True


@operation("sessions.end", by=ANYONE, limit="60/minute", audit=Event.SESSION_ENDED, keyless=True)
def sign_out(work: Work, command: SignOut) -> Done:
    """Ends the session that asks."""
    if work.actor.session_id is not None:
        sessions.revoke(work.session, work.actor.session_id, work.now)
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


class CreatePerson(Command):
    email: Email
    name: Name
    personas: Annotated[list[Persona], Field(min_length=1, max_length=6)]
    departments: Annotated[list[Slug], Field(max_length=100, default_factory=list)]


class Invited(Result):
    """A person was added. The one-time token is shown to the admin who asked, and nowhere else."""

    person_id: UUID
    invitation_token: str = Field(repr=False)
    expires_at: datetime


@operation("people.create", by=ADMINS, limit="60/minute", audit=Event.PERSON_CREATED)
def create_person(work: Work, command: CreatePerson) -> Invited:
    """Adds a person, who sets a password through a one-time link."""
    if people.by_email(work, command.email) is not None:
        raise Conflict("There is a person with this email already.")
    rows = list(work.session.scalars(select(Department).where(col(Department.slug).in_(command.departments))))
    missing = set(command.departments) - {row.slug for row in rows}
    if missing:
        raise Invalid("There is no such department.", fields={"departments": f"unknown: {', '.join(sorted(missing))}"})
    person = people.add(work, command.email, command.name, command.personas, [row.id for row in rows])
    token, invitation = invitations.create(work, person.id, INVITATION_LIFETIME)
    work.note(target=f"person:{person.id}", personas=sorted(command.personas), departments=len(rows))
    return Invited(person_id=person.id, invitation_token=token, expires_at=invitation.expires_at)


class AcceptInvitation(Command):
    token: str = Field(max_length=100)
    password: NewPassword


@operation("invitations.accept", by=PUBLIC, limit="20/minute", audit=Event.INVITATION_ACCEPTED)
def accept_invitation(work: Work, command: AcceptInvitation) -> SessionGranted:
    """Sets the password of an invited person, once, and signs them in."""
    person = invitations.consume(work, command.token)
    person.password_hash = hash_password(command.password.get_secret_value())
    person.status = PersonStatus.ACTIVE
    work.session.add(person)
    return _grant(work, person)
