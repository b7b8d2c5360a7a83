"""Finding and adding people. Emails are sealed; they are found by a keyed hash."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access.models import Membership, Person, PersonPersona, PersonStatus
from workreef_app.services.operation import Persona, Work
from workreef_app.services.vault.columns import index


def normalise(email: str) -> str:
    """The form in which emails are compared."""
    return email.strip().casefold()


def by_email(work: Work, email: str) -> Person | None:
    """The person with this email, whatever their status."""
    digest = index("person", "email", normalise(email))
    return work.session.scalars(select(Person).where(col(Person.email_index) == digest)).first()


def personas_of(work: Work, person_id: UUID) -> frozenset[Persona]:
    """The personas that a person has."""
    rows = work.session.scalars(select(col(PersonPersona.persona)).where(col(PersonPersona.person_id) == person_id))
    return frozenset(Persona(p) for p in rows)


def add(
    work: Work, email: str, name: str, personas: Iterable[Persona], departments: Iterable[UUID]
) -> Person:
    """A new person, invited, without a password."""
    person = Person(
        id=uuid7(), email=normalise(email), email_index=index("person", "email", normalise(email)), name=name,
        status=PersonStatus.INVITED, created_at=work.now,
    )
    work.session.add(person)
    work.session.flush()
    work.session.add_all(PersonPersona(person_id=person.id, persona=p) for p in set(personas))
    work.session.add_all(Membership(person_id=person.id, department_id=d) for d in set(departments))
    return person


def names(work: Work, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of the people among `ids` whom the actor may see; none where the key does not answer."""
    wanted = set(ids)
    if not wanted or not work.unlocked:
        return {}
    return {p.id: p.name for p in work.session.scalars(select(Person).where(col(Person.id).in_(wanted)))}


def contact(work: Work) -> str:
    """Whom to ask for access: the tenant's admins, by role, since their names are not everyone's to see."""
    return f"an admin of {work.tenant.name}"
