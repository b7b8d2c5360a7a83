"""The operation that lists people, with what they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.access.models import (
    Department,
    Factor,
    Invitation,
    LinkPurpose,
    Membership,
    Person,
    PersonPersona,
    PersonStatus,
    PersonVisit,
)
from workreef_app.services.access.operations import ADMINS
from workreef_app.services.operation import Command, Event, Persona, Result, Work, operation


class PersonaRow(Result):
    """A persona, and when it ends; None for never."""

    persona: Persona
    expires_at: datetime | None


class PersonRow(Result):
    """Somebody who can sign in, or could. `invited_until` is when an open invitation ends."""

    id: UUID
    email: str
    name: str
    status: PersonStatus
    personas: list[PersonaRow]
    departments: list[str]
    factor: bool
    created_at: datetime
    last_seen: datetime | None
    invited_until: datetime | None


class PeopleList(Result):
    """A page of people, oldest first; `next` is empty on the last one."""

    rows: list[PersonRow]
    count: int
    next: str


class ListPeople(Command):
    status: PersonStatus | None = None
    person_id: UUID | None = None
    after: UUID | None = None
    limit: int = Field(50, ge=1, le=200)


@operation("people.list", by=ADMINS, limit="120/minute", audit=Event.DATA_READ)
def list_people(work: Work, command: ListPeople) -> PeopleList:
    """Lists people with their personas and departments."""
    query = select(Person)
    if command.status is not None:
        query = query.where(col(Person.status) == command.status)
    if command.person_id is not None:
        query = query.where(col(Person.id) == command.person_id)
    count = paging.total(work.session, query)
    if command.after is not None:
        query = query.where(col(Person.id) > command.after)
    found = list(work.session.scalars(query.order_by(col(Person.id)).limit(command.limit + 1)))
    page = found[: command.limit]
    work.note(target="person", rows=len(page))
    return PeopleList(
        rows=_rows(work, page), count=count, next=str(page[-1].id) if len(found) > command.limit else ""
    )


def _rows(work: Work, page: list[Person]) -> list[PersonRow]:
    ids = [person.id for person in page]
    personas, departments = personas_by_person(work, ids), departments_by_person(work, ids)
    factors = set(work.session.scalars(
        select(col(Factor.person_id)).where(col(Factor.person_id).in_(ids), col(Factor.confirmed_at).is_not(None))
    ))
    seen = {visit.person_id: visit.last_seen for visit in work.session.scalars(
        select(PersonVisit).where(col(PersonVisit.person_id).in_(ids))
    )}
    invited: dict[UUID, datetime] = {link.person_id: link.expires_at for link in work.session.scalars(
        select(Invitation).where(
            col(Invitation.person_id).in_(ids), col(Invitation.purpose) == LinkPurpose.INVITATION,
            col(Invitation.used_at).is_(None), col(Invitation.revoked_at).is_(None),
            col(Invitation.expires_at) > work.now,
        )
    )}
    return [
        PersonRow(
            id=person.id, email=person.email, name=person.name, status=PersonStatus(person.status),
            personas=personas[person.id], departments=departments[person.id], factor=person.id in factors,
            created_at=person.created_at, last_seen=seen.get(person.id), invited_until=invited.get(person.id),
        )
        for person in page
    ]


def personas_by_person(work: Work, ids: Iterable[UUID]) -> dict[UUID, list[PersonaRow]]:
    """The personas that these people have now, in the order of the personas."""
    found: dict[UUID, list[PersonaRow]] = defaultdict(list)
    order = list(Persona)
    rows = work.session.scalars(select(PersonPersona).where(
        col(PersonPersona.person_id).in_(ids),
        col(PersonPersona.expires_at).is_(None) | (col(PersonPersona.expires_at) > work.now),
    ))
    for row in sorted(rows, key=lambda row: order.index(Persona(row.persona))):
        found[row.person_id].append(PersonaRow(persona=Persona(row.persona), expires_at=row.expires_at))
    return found


def departments_by_person(work: Work, ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The slugs of the departments that these people are in, sorted."""
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = work.session.execute(
        select(col(Membership.person_id), col(Department.slug))
        .join(Department, col(Department.id) == col(Membership.department_id))
        .where(col(Membership.person_id).in_(ids)).order_by(col(Department.slug))
    )
    for person_id, slug in rows:
        found[person_id].append(slug)
    return found
