"""There is always an active admin: whoever takes one away holds a lock, and looks again under it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import col

from workreef_app.services.access.models import Person, PersonPersona, PersonStatus
from workreef_app.services.operation import Conflict, Persona, Work, WrongPersona

#: Held until the transaction ends, in this tenant's database; the number means nothing.
_HOLD = text("SELECT pg_advisory_xact_lock(720701)")


def hold(work: Work) -> None:
    """One at a time changes who is an admin. Raises WrongPersona when the actor has just ceased to be one."""
    work.session.execute(_HOLD)
    if work.actor.person_id is not None and work.actor.person_id not in active(work):
        raise WrongPersona("You are no longer an admin.")


def active(work: Work) -> set[UUID]:
    """The admins who may sign in. Read under the lock, it stays so until the transaction ends."""
    return set(work.session.scalars(
        select(col(PersonPersona.person_id)).join(Person, col(Person.id) == col(PersonPersona.person_id))
        .where(col(PersonPersona.persona) == Persona.ADMIN, col(Person.status) == PersonStatus.ACTIVE)
    ))


def require_another(work: Work, person_id: UUID) -> None:
    """Raises Conflict when nobody would be left who administers. Call `hold` before."""
    if active(work) == {person_id}:
        raise Conflict("This is the last active admin. Make somebody else an admin first.")
