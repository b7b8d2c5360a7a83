"""Operations on people: inviting, changing, deactivating."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import delete, select
from sqlmodel import col

from workreef_app.services.access import admins, invitations, links, people, sessions
from workreef_app.services.access.models import (
    Department,
    LinkPurpose,
    Membership,
    Person,
    PersonPersona,
    PersonStatus,
)
from workreef_app.services.access.operations import ADMINS, Name, Slug
from workreef_app.services.access.people_listing import departments_by_person, personas_by_person
from workreef_app.services.operation import (
    NOBODY,
    Command,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Persona,
    Result,
    Work,
    operation,
)

Personas = Annotated[list[Persona], Field(min_length=1, max_length=6)]
Departments = Annotated[list[Slug], Field(max_length=100)]
Until = Annotated[AwareDatetime | None, Field(description="When a security reviewer ceases to be one; null for never.")]


class CreatePerson(Command):
    email: people.Email
    name: Name
    personas: Personas
    departments: Departments = Field(default_factory=list)
    reviewer_until: Until = None


class Invited(Result):
    """A person was added. The link is mailed where mail is set up; else its token is shown here, and nowhere else."""

    person_id: UUID
    invitation_token: str | None = Field(repr=False)
    mailed: bool
    expires_at: datetime


@operation("people.create", by=ADMINS, limit="60/minute", audit=Event.PERSON_CREATED)
def create_person(work: Work, command: CreatePerson) -> Invited:
    """Adds a person, who sets a password through a one-time link."""
    if people.by_email(work, command.email) is not None:
        raise Conflict("There is a person with this email already.")
    _check_until(work, command.personas, command.reviewer_until)
    departments = department_ids(work, command.departments)
    person = people.add(
        work, command.email, command.name, command.personas, departments, command.reviewer_until
    )
    work.note(
        target=f"person:{person.id}", personas=sorted(command.personas), departments=len(departments),
        reviewer_until=_said(command.reviewer_until),
    )
    return invited(work, person)


def invited(work: Work, person: Person) -> Invited:
    """Sends or shows a new invitation of the person."""
    link = links.hand_out(work, person, LinkPurpose.INVITATION)
    return Invited(
        person_id=person.id, invitation_token=link.token, mailed=link.token is None, expires_at=link.expires_at
    )


def _said(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _check_until(work: Work, personas: Iterable[Persona], until: datetime | None) -> None:
    if until is None:
        return
    if Persona.SECURITY_REVIEWER not in set(personas):
        raise Invalid("Only a security reviewer is one for a time.", fields={"reviewer_until": "needs that persona"})
    if until <= work.now:
        raise Invalid("That time is over.", fields={"reviewer_until": "must be in the future"})


def department_ids(work: Work, slugs: list[str]) -> list[UUID]:
    """The ids of departments. Raises Invalid with the names of those that there are none of."""
    rows = list(work.session.scalars(select(Department).where(col(Department.slug).in_(slugs))))
    missing = set(slugs) - {row.slug for row in rows}
    if missing:
        raise Invalid("There is no such department.", fields={"departments": f"unknown: {', '.join(sorted(missing))}"})
    return [row.id for row in rows]


class CreateFirst(Command):
    email: people.Email
    name: Name


@operation("people.create_first", by=NOBODY, jobs=True, limit="60/minute", audit=Event.PERSON_CREATED)
def create_first(work: Work, command: CreateFirst) -> Invited:
    """Adds the first admin of a tenant that has just been made; refused where there is anybody already."""
    if work.session.scalars(select(col(Person.id)).limit(1)).first() is not None:
        raise Conflict("There are people here already.")
    person = people.add(work, command.email, command.name, [Persona.ADMIN], [])
    work.note(target=f"person:{person.id}", personas=[Persona.ADMIN])
    return invited(work, person)


def locked(work: Work, person_id: UUID) -> Person:
    """The person, held until the transaction ends. Raises NotFound."""
    person = work.session.scalars(select(Person).where(col(Person.id) == person_id).with_for_update()).first()
    if person is None:
        raise NotFound("person", person_id)
    return person


class ChangePerson(Command):
    person_id: UUID
    name: Name | None = None
    personas: Personas | None = None
    departments: Departments | None = None
    reviewer_until: Until = None


class PersonChanged(Result):
    """What was changed, and how many sessions of the person have ended for it."""

    changed: list[str]
    sessions_ended: int


@operation("people.change", by=ADMINS, limit="60/minute", audit=Event.PERSON_CHANGED, fresh=True)
def change_person(work: Work, command: ChangePerson) -> PersonChanged:
    """Changes a person's name, personas or departments; what is not given stays. A change of power ends sessions."""
    admins.hold(work)
    person, changed = locked(work, command.person_id), []
    if command.name is not None and command.name != person.name:
        person.name = command.name
        changed.append("name")
    had, where = personas_by_person(work, [person.id])[person.id], departments_by_person(work, [person.id])[person.id]
    until = {row.persona: row.expires_at for row in had}
    personas = command.personas if command.personas is not None else list(until)
    reviewing = command.reviewer_until if command.personas is not None else until.get(Persona.SECURITY_REVIEWER)
    _check_until(work, personas, reviewing)
    if set(personas) != set(until) or reviewing != until.get(Persona.SECURITY_REVIEWER):
        changed.append("personas")
        if Persona.ADMIN not in personas:
            admins.require_another(work, person.id)
    departments = command.departments if command.departments is not None else where
    if set(departments) != set(where):
        changed.append("departments")
    ended = 0
    if {"personas", "departments"} & set(changed):
        ids = department_ids(work, departments)
        work.session.execute(delete(PersonPersona).where(col(PersonPersona.person_id) == person.id))
        work.session.execute(delete(Membership).where(col(Membership.person_id) == person.id))
        people.give(work, person.id, personas, ids, reviewing)
        ended = sessions.revoke_all(work, person.id)
    work.note(
        target=f"person:{person.id}", changed=changed, personas_before=sorted(until), personas=sorted(personas),
        departments_before=len(set(where)), departments=len(set(departments)), reviewer_until=_said(reviewing),
        sessions=ended,
    )
    return PersonChanged(changed=changed, sessions_ended=ended)


class OnePerson(Command):
    person_id: UUID


class DeactivatePerson(OnePerson):
    pass


class Deactivated(Result):
    """The person can no longer sign in; so many sessions have ended."""

    sessions_ended: int


@operation("people.deactivate", by=ADMINS, limit="60/minute", audit=Event.PERSON_DEACTIVATED, fresh=True)
def deactivate(work: Work, command: DeactivatePerson) -> Deactivated:
    """Keeps a person from signing in: their sessions end, their links are void. What they did stays."""
    admins.hold(work)
    person = locked(work, command.person_id)
    if person.status == PersonStatus.DEACTIVATED:
        raise Conflict("This person is deactivated already.")
    admins.require_another(work, person.id)
    person.status = PersonStatus.DEACTIVATED
    invitations.revoke(work, person.id)
    ended = sessions.revoke_all(work, person.id)
    work.note(target=f"person:{person.id}", sessions=ended)
    return Deactivated(sessions_ended=ended)


class ActivatePerson(OnePerson):
    pass


class Activated(Result):
    """Whether the person may sign in at once, or needs an invitation first."""

    status: PersonStatus


@operation("people.activate", by=ADMINS, limit="60/minute", audit=Event.PERSON_ACTIVATED, fresh=True)
def activate(work: Work, command: ActivatePerson) -> Activated:
    """Lets a deactivated person sign in again; somebody who never had a password needs a new invitation."""
    person = locked(work, command.person_id)
    if person.status != PersonStatus.DEACTIVATED:
        raise Conflict("This person is not deactivated.")
    person.status = PersonStatus.ACTIVE if person.password_hash else PersonStatus.INVITED
    work.note(target=f"person:{person.id}", status=person.status.value)
    return Activated(status=person.status)
