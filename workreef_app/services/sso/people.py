"""Who somebody is here whom the provider vouches for: found, linked or added, and brought to what the mapping gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import people, sessions
from workreef_app.services.access.federation import FederatedIdentity, IdentityProvider
from workreef_app.services.access.models import (
    Department,
    Invitation,
    Membership,
    Person,
    PersonPersona,
    PersonStatus,
)
from workreef_app.services.operation import Persona, Work
from workreef_app.services.sso.reasons import Reason
from workreef_app.services.sso.rules import NotLetIn, Rights
from workreef_app.services.vault.cipher import associated_data
from workreef_app.services.vault.columns import index

_TABLE: Final = "federated_identity"


@dataclass(frozen=True, slots=True)
class Found:
    """A person who may come in; whether they were added, or linked, just now."""

    person: Person
    added: bool = False
    linked: bool = False


def issuer_index(issuer: str) -> bytes:
    """By which an issuer is looked up, under the cipher in use."""
    return index(_TABLE, "issuer", issuer)


def subject_index(issuer: str, subject: str) -> bytes:
    """By which somebody at an issuer is looked up."""
    return index(_TABLE, "subject", associated_data(issuer, subject).hex())


def found(work: Work, provider: IdentityProvider, subject: str, email: str, name: str) -> Found:
    """The person. Raises NotLetIn.

    First whoever came by this issuer and subject before, whatever their email is now. Else the email decides: nobody
    has it, and they are added; or somebody has it, and is linked only if an admin allowed that, and only without a
    password: an account that somebody signs in to otherwise is never taken over by an email at a provider.
    """
    known = work.session.scalars(select(FederatedIdentity).where(
        col(FederatedIdentity.subject_index) == subject_index(provider.issuer, subject)
    ).with_for_update()).first()
    if known is not None:
        person = work.session.get(Person, known.person_id)
        if person is None or person.status != PersonStatus.ACTIVE:
            raise NotLetIn(Reason.DEACTIVATED)
        known.last_at = work.now
        work.session.add(known)
        return Found(person)
    person = people.by_email(work, email)
    if person is None:
        person = people.add(work, email, name or email[:120], [], [])
        outcome = Found(person, added=True)
    else:
        _check_linking(work, provider, person)
        outcome = Found(person, linked=True)
    _link(work, provider.issuer, subject, person)
    return outcome


def _check_linking(work: Work, provider: IdentityProvider, person: Person) -> None:
    if person.status == PersonStatus.DEACTIVATED:
        raise NotLetIn(Reason.DEACTIVATED)
    other = select(col(FederatedIdentity.id)).where(
        col(FederatedIdentity.person_id) == person.id,
        col(FederatedIdentity.issuer_index) == issuer_index(provider.issuer),
    )
    if work.session.execute(other).first() is not None:
        raise NotLetIn(Reason.OTHER_ACCOUNT)
    if not provider.link_by_email:
        raise NotLetIn(Reason.NOT_LINKED)
    if person.password_hash is not None:
        raise NotLetIn(Reason.HAS_PASSWORD)


def _link(work: Work, issuer: str, subject: str, person: Person) -> None:
    """From now on the person is who this is at the provider; a link to set a password by holds no longer."""
    person.status = PersonStatus.ACTIVE
    work.session.add(person)
    work.session.execute(
        update(Invitation).where(col(Invitation.person_id) == person.id, col(Invitation.used_at).is_(None))
        .values(used_at=work.now)
    )
    work.session.add(FederatedIdentity(
        id=uuid7(), person_id=person.id, issuer_index=issuer_index(issuer),
        subject_index=subject_index(issuer, subject), created_at=work.now, last_at=work.now,
    ))
    work.session.flush()


def bring_to(work: Work, person: Person, rights: Rights) -> frozenset[Persona]:
    """Gives the person exactly what the mapping gives, and notes the difference. Returns the personas they have now.

    Where there is one, the sessions that the person has elsewhere end, as with any other change of what they may do.

    The last admin stays one: a tenant that nobody governs is worse than a mapping that is late.
    """
    before, after = people.personas_of(work, person.id), set(rights.personas)
    kept = Persona.ADMIN in before - after and _only_admin(work, person)
    if kept:
        after.add(Persona.ADMIN)
    gone = before - after
    if gone:
        work.session.execute(delete(PersonPersona).where(
            col(PersonPersona.person_id) == person.id, col(PersonPersona.persona).in_(gone)
        ))
    work.session.add_all(PersonPersona(person_id=person.id, persona=persona) for persona in after - before)
    joined, left = _move(work, person, rights.departments)
    if before != after or joined or left:
        work.note(sessions=sessions.revoke_all(work, person.id))
    work.note(
        personas_added=sorted(after - before), personas_removed=sorted(gone), departments_added=joined,
        departments_removed=left, last_admin_kept=kept,
    )
    return frozenset(after)


def _only_admin(work: Work, person: Person) -> bool:
    """Whether no other active person is an admin. Locks all admins, so that two cannot stop being one at once."""
    work.session.execute(
        select(col(PersonPersona.person_id)).where(col(PersonPersona.persona) == Persona.ADMIN)
        .order_by(col(PersonPersona.person_id)).with_for_update()
    )
    others = select(col(PersonPersona.person_id)).join(Person).where(
        col(PersonPersona.persona) == Persona.ADMIN, col(Person.status) == PersonStatus.ACTIVE,
        col(Person.id) != person.id,
    )
    return work.session.execute(others).first() is None


def _move(work: Work, person: Person, slugs: frozenset[str]) -> tuple[int, int]:
    """Brings the person's departments to these; how many were joined and left."""
    wanted = set(work.session.scalars(select(col(Department.id)).where(col(Department.slug).in_(slugs))))
    before = set(work.session.scalars(
        select(col(Membership.department_id)).where(col(Membership.person_id) == person.id)
    ))
    if before - wanted:
        work.session.execute(delete(Membership).where(
            col(Membership.person_id) == person.id, col(Membership.department_id).in_(before - wanted)
        ))
    work.session.add_all(Membership(person_id=person.id, department_id=d) for d in wanted - before)
    return len(wanted - before), len(before - wanted)
