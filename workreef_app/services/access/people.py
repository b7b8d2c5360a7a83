"""Finding and adding people. Emails are sealed; they are found by a keyed hash.

An email is compared in one form: NFKC, case folded, without space around it. In that form it must be ASCII, so that no
two emails look alike but for letters of another script; an international domain is written in its `xn--` form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access.models import Membership, Person, PersonPersona, PersonStatus
from workreef_app.services.access.passwords import known_parts
from workreef_app.services.operation import Persona, Work
from workreef_app.services.vault.columns import index
from workreef_app.settings import MAIL_ADDRESS


def normalise(email: str) -> str:
    """The form in which emails are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold()).strip()


def checked_email(email: str) -> str:
    """The email in the form in which it is kept. Raises ValueError for what is none, or could be taken for another."""
    plain = normalise(email)
    if not plain.isascii():
        raise ValueError("must be ASCII; write an international domain in its xn-- form")
    if re.fullmatch(MAIL_ADDRESS, plain) is None:
        raise ValueError("must be an address such as dana@example.com")
    return plain


Email = Annotated[str, Field(max_length=254), AfterValidator(checked_email)]


def by_email(work: Work, email: str) -> Person | None:
    """The person with this email, whatever their status."""
    digest = index("person", "email", normalise(email))
    return work.session.scalars(select(Person).where(col(Person.email_index) == digest)).first()


def held(work: Work, person_id: UUID) -> Person | None:
    """The person as they are now; nobody changes them until the transaction ends.

    Whoever starts a session holds its person, and whoever takes power away holds them before ending sessions: so no
    session begins on what was true a moment ago, and is missed.
    """
    return work.session.scalars(
        select(Person).where(col(Person.id) == person_id).with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).first()


def personas_of(work: Work, person_id: UUID) -> frozenset[Persona]:
    """The personas that a person has now."""
    rows = work.session.scalars(select(col(PersonPersona.persona)).where(
        col(PersonPersona.person_id) == person_id,
        col(PersonPersona.expires_at).is_(None) | (col(PersonPersona.expires_at) > work.now),
    ))
    return frozenset(Persona(p) for p in rows)


def add(
    work: Work, email: str, name: str, personas: Iterable[Persona], departments: Iterable[UUID],
    expires_at: datetime | None = None,
) -> Person:
    """A new person, invited, without a password. Being a security reviewer may end at a time."""
    person = Person(
        id=uuid7(), email=normalise(email), email_index=index("person", "email", normalise(email)), name=name,
        status=PersonStatus.INVITED, created_at=work.now,
    )
    work.session.add(person)
    work.session.flush()
    give(work, person.id, personas, departments, expires_at)
    return person


def give(
    work: Work, person_id: UUID, personas: Iterable[Persona], departments: Iterable[UUID], expires_at: datetime | None
) -> None:
    """Gives personas and departments to a person who has none. `expires_at` is when they stop being a reviewer."""
    work.session.add_all(
        PersonPersona(
            person_id=person_id, persona=p, expires_at=expires_at if p is Persona.SECURITY_REVIEWER else None
        ) for p in set(personas)
    )
    work.session.add_all(Membership(person_id=person_id, department_id=d) for d in set(departments))


def known_of(work: Work, person: Person) -> list[str]:
    """What may not make up the person's password."""
    return known_parts(person.email, person.name, (work.tenant.name, work.tenant.slug))


def names(work: Work, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of the people among `ids` whom the actor may see; none where the key does not answer."""
    wanted = set(ids)
    if not wanted or not work.unlocked:
        return {}
    return {p.id: p.name for p in work.session.scalars(select(Person).where(col(Person.id).in_(wanted)))}


def contact(work: Work) -> str:
    """Whom to ask for access: the tenant's admins, by role, since their names are not everyone's to see."""
    return f"an admin of {work.tenant.name}"
