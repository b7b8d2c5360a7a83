"""The steps of a sign-in that touch the database. They are for the part of the system that signs people on alone.

Nothing that a client sends becomes a step's input before `signing_on` has checked it: over the API these operations
are refused to everybody (decision 0016).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, StringConstraints
from sqlalchemy import delete
from sqlmodel import col

from workreef_app.services.access import federation
from workreef_app.services.access.federation import IdentityProvider, UsedSignOn
from workreef_app.services.access.operations import SessionGranted, begin_session
from workreef_app.services.operation import NOBODY, Command, Event, Result, Work, WrongPersona, operation
from workreef_app.services.sso import people, rules
from workreef_app.services.sso.reasons import Reason, SignOnRefused
from workreef_app.services.sso.rules import LONGEST_GROUP, LONGEST_NAME, MOST_GROUPS, NotLetIn
from workreef_app.services.sso.setup import redirect_uri, settings_of
from workreef_app.services.sso.tokens import LONGEST_SUBJECT

#: The part of the system that may take these steps.
SIGN_ON: Final = "sign_on"
LIMIT: Final = "20/minute"
FREE: Final = "600/minute"


def _only_sign_on(work: Work) -> None:
    if work.actor.id != f"system:{SIGN_ON}":
        raise WrongPersona("Your personas do not allow this.")


class AskOffer(Command):
    pass


class Offer(Result):
    """Whether the sign-in page offers single sign-on, and whether it is for everybody but admins."""

    enabled: bool
    passwords_for_admins_only: bool


@operation("sso.offer", by=NOBODY, jobs=True, limit=FREE, audit=None)
def offer(work: Work, command: AskOffer) -> Offer:
    """Says what the sign-in page offers."""
    _only_sign_on(work)
    row = work.session.get(IdentityProvider, True)
    return Offer(
        enabled=bool(row and row.enabled), passwords_for_admins_only=federation.passwords_for_admins_only(work)
    )


class PlanSignOn(Command):
    pass


class Plan(Result):
    """What a sign-in needs to know of the tenant's provider."""

    issuer: str
    client_id: str
    client_secret: str = Field(exclude=True, repr=False)
    group_claim: str
    redirect_uri: str


def _enabled(work: Work) -> IdentityProvider:
    row = work.session.get(IdentityProvider, True)
    if row is None or not row.enabled:
        raise SignOnRefused(Reason.NOT_ENABLED)
    return row


def _plan(work: Work) -> Plan:
    row = _enabled(work)
    return Plan(
        issuer=row.issuer, client_id=row.client_id, client_secret=row.client_secret or "", group_claim=row.group_claim,
        redirect_uri=redirect_uri(settings_of(work), work.tenant.slug),
    )


@operation("sso.begin", by=NOBODY, jobs=True, limit=LIMIT, audit=None)
def begin(work: Work, command: PlanSignOn) -> Plan:
    """Says where a sign-in begins."""
    _only_sign_on(work)
    return _plan(work)


class TakeUp(Command):
    state_hash: bytes = Field(min_length=32, max_length=32)
    expires_at: datetime


@operation("sso.take_up", by=NOBODY, jobs=True, limit=LIMIT, audit=None)
def take_up(work: Work, command: TakeUp) -> Plan:
    """Uses a sign-in up that came back from the provider, before anything of it is believed: it comes back once."""
    _only_sign_on(work)
    work.session.execute(delete(UsedSignOn).where(col(UsedSignOn.expires_at) < work.now))
    if work.session.get(UsedSignOn, command.state_hash) is not None:
        raise SignOnRefused(Reason.REPLAYED)
    plan = _plan(work)
    work.session.add(UsedSignOn(state_hash=command.state_hash, expires_at=command.expires_at))
    return plan


class RefuseSignOn(Command):
    reason: Reason


class Refused(Result):
    """The reason as it was audited."""

    reason: Reason


@operation("sso.refuse", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.SESSION_REFUSED)
def refuse(work: Work, command: RefuseSignOn) -> Refused:
    """Keeps for the audit log why a sign-in was refused on the way."""
    _only_sign_on(work)
    work.note(method="oidc", reason=command.reason.value)
    return Refused(reason=command.reason)


Groups = Annotated[list[Annotated[str, StringConstraints(max_length=LONGEST_GROUP)]], Field(max_length=MOST_GROUPS)]


class SignOn(Command):
    """Whom the provider vouches for, from an ID token that was verified."""

    issuer: str = Field(max_length=500)
    client_id: str = Field(max_length=200)
    subject: str = Field(min_length=1, max_length=LONGEST_SUBJECT)
    email: str = Field(max_length=254)
    email_verified: bool
    name: str = Field(max_length=LONGEST_NAME)
    groups: Groups


@operation("sso.sign_in", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.SESSION_STARTED)
def sign_in(work: Work, command: SignOn) -> SessionGranted:
    """Lets somebody in whom the provider vouches for, as what their groups make them."""
    _only_sign_on(work)
    provider = _enabled(work)
    if (provider.issuer, provider.client_id) != (command.issuer, command.client_id):
        raise SignOnRefused(Reason.WRONG_ISSUER)
    try:
        rules.check_email(command.email, verified=command.email_verified, domains=provider.domains)
        rights = rules.rights(command.groups, provider.mapping)
        found = people.found(work, provider, command.subject, command.email, command.name)
    except NotLetIn as no:
        raise SignOnRefused(no.reason) from None
    personas = people.bring_to(work, found.person, rights)
    work.note(method="oidc", added=found.added, linked=found.linked)
    return begin_session(work, found.person, personas)
