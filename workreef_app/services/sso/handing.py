"""Handing an account that has a password over to single sign-on: an admin's decision, never an email's."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from workreef_app.services.access import people
from workreef_app.services.access.federation import IdentityProvider
from workreef_app.services.access.models import Person, PersonStatus
from workreef_app.services.operation import Command, Conflict, Event, Invalid, Result, Work, operation
from workreef_app.services.sso.setup import ADMINS, admins_with_password

Email = Annotated[str, StringConstraints(min_length=3, max_length=254, strip_whitespace=True)]


class HandOver(Command):
    email: Email


class HandedOver(Result):
    """Whose password was taken away."""

    person_id: UUID


@operation("sso.hand_over", by=ADMINS, limit="30/minute", audit=Event.PERSON_CHANGED)
def hand_over(work: Work, command: HandOver) -> HandedOver:
    """Takes a person's password away, so that their next sign-in by the provider, with the same email, is theirs.

    Their sessions stay: they are who they were.
    """
    provider = work.session.get(IdentityProvider, True)
    if provider is None or not provider.enabled or not provider.link_by_email:
        raise Conflict("Single sign-on is off, or links nobody by email, so they could not come in any more.")
    found = people.by_email(work, command.email)
    if found is None or found.status != PersonStatus.ACTIVE:
        raise Invalid("There is no such person.", fields={"email": "is nobody's who can sign in"})
    if found.id == work.actor.person_id:
        raise Conflict("Ask another admin to hand your own account over.")
    person = work.session.get(Person, found.id, with_for_update=True, populate_existing=True)
    if person is None or person.password_hash is None:
        raise Conflict("This account has no password.")
    admins = admins_with_password(work)
    if admins == {person.id}:
        raise Conflict("This is the last admin with a password, for when the provider is down.")
    person.password_hash = None
    work.session.add(person)
    work.note(target=f"person:{person.id}", change="handed_over")
    return HandedOver(person_id=person.id)
