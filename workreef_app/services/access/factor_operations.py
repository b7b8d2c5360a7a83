"""Operations on the second factor: proving it, setting one up, taking one away."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import pyotp
from pydantic import Field, SecretStr

from workreef_app.services.access import factors, people, sessions, tickets
from workreef_app.services.access.links import settings_of
from workreef_app.services.access.models import Factor, Person, PersonStatus
from workreef_app.services.access.operations import ADMINS, Done, SessionGranted, grant, signing_secret
from workreef_app.services.access.people_operations import locked
from workreef_app.services.operation import (
    ANYONE,
    PUBLIC,
    Command,
    Conflict,
    Event,
    Invalid,
    Persona,
    Result,
    SignInRefused,
    Work,
    operation,
)

#: So long a secret that was shown waits for its first code.
PENDING: Final = timedelta(minutes=30)


class Prove(Command):
    ticket: SecretStr = Field(max_length=400)
    code: SecretStr = Field(max_length=40)


@operation("sessions.prove", by=PUBLIC, limit="20/minute", audit=Event.SESSION_STARTED, account="ticket")
def prove(work: Work, command: Prove) -> SessionGranted:
    """Signs in somebody whose password was right, by the code of their second factor or a recovery code."""
    secret, again = signing_secret(work), SignInRefused("That took too long. Sign in once more.")
    ticket = tickets.read(command.ticket.get_secret_value(), work.host, secret, work.now)
    if ticket is None:
        raise again
    person = people.held(work, ticket[0])
    factor = factors.locked_row(work, ticket[0])
    if person is None or person.status != PersonStatus.ACTIVE or factor is None or factor.confirmed_at is None:
        raise again
    if not tickets.holds(ticket[1], person.password_hash, secret):
        raise again
    used = factors.prove(work, factor, command.code.get_secret_value())
    granted = grant(work, person)
    work.note(factor=used)
    return granted


class ReadFactor(Command):
    pass


class FactorStanding(Result):
    """Whether the person has a second factor, how many recovery codes are left, and whether they must have one."""

    enrolled: bool
    codes_left: int
    required: bool


@operation("factors.read", by=ANYONE, limit="240/minute", audit=None, enrolling=True)
def read_factor(work: Work, command: ReadFactor) -> FactorStanding:
    """Says whether the person who asks has a second factor."""
    person_id = work.actor.person_id
    enrolled = person_id is not None and factors.confirmed(work, person_id)
    left = factors.codes_left(work, person_id) if enrolled and person_id is not None else 0
    return FactorStanding(enrolled=enrolled, codes_left=left, required=_required(work))


def _required(work: Work) -> bool:
    return settings_of(work).production and Persona.ADMIN in work.actor.personas


class BeginFactor(Command):
    pass


class FactorSecret(Result):
    """What an authenticator is told: the secret, and the same as an address that it reads from a picture."""

    secret: str = Field(repr=False)
    uri: str = Field(repr=False)


@operation(
    "factors.begin", by=ANYONE, limit="30/minute", audit=Event.FACTOR_BEGUN, fresh=True, enrolling=True
)
def begin(work: Work, command: BeginFactor) -> FactorSecret:
    """Makes the secret of a second factor, in force once a code of it was given. Asked again, it is the same."""
    person = _self(work)
    factor = factors.locked_row(work, person.id)
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("You have a second factor. Take it away before you set up another one.")
    if factor is None:
        factor = Factor(person_id=person.id, secret=pyotp.random_base32(), created_at=work.now, last_step=0, failures=0)
        work.session.add(factor)
    elif work.now - factor.created_at > PENDING:
        factor.secret, factor.created_at, factor.failures = pyotp.random_base32(), work.now, 0
        factor.blocked_until = None
    work.note(target=f"person:{person.id}")
    name = f"{work.tenant.slug}:{person.email}"
    return FactorSecret(
        secret=factor.secret, uri=pyotp.TOTP(factor.secret).provisioning_uri(name=name, issuer_name="WorkReef")
    )


def _self(work: Work) -> Person:
    person = work.session.get(Person, work.actor.person_id) if work.actor.session_id else None
    if person is None:
        raise Invalid("Only a signed-in person has a second factor.")
    return person


def _enrolled(work: Work) -> tuple[Person, Factor]:
    """Who asks, and their second factor in force, held until the transaction ends. Raises Conflict without one."""
    person = _self(work)
    factor = factors.locked_row(work, person.id)
    if factor is None or factor.confirmed_at is None:
        raise Conflict("You have no second factor.")
    return person, factor


class ConfirmFactor(Command):
    code: SecretStr = Field(max_length=40)


class FactorEnrolled(SessionGranted):
    """The factor is in force. The recovery codes are shown here, and nowhere else. The session goes on as a new one."""

    recovery_codes: list[str] = Field(repr=False)


@operation("factors.confirm", by=ANYONE, limit="20/minute", audit=Event.FACTOR_ENROLLED, fresh=True, enrolling=True)
def confirm(work: Work, command: ConfirmFactor) -> FactorEnrolled:
    """Puts a second factor in force by its first code. Other sessions of the person end."""
    person = _self(work)
    factor = factors.locked_row(work, person.id)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("There is no second factor that waits for its first code.")
    factors.prove(work, factor, command.code.get_secret_value())
    factor.confirmed_at = work.now
    codes = factors.new_recovery_codes(work, person.id)
    sessions.revoke_all(work, person.id)
    granted = grant(work, person)
    return FactorEnrolled(**granted.model_dump(), token=granted.token, recovery_codes=codes)


class RenewCodes(Command):
    pass


class RecoveryCodes(Result):
    """New recovery codes, shown here and nowhere else; those before are void."""

    recovery_codes: list[str] = Field(repr=False)


@operation("factors.renew_codes", by=ANYONE, limit="10/minute", audit=Event.FACTOR_CODES_RENEWED, fresh=True)
def renew_codes(work: Work, command: RenewCodes) -> RecoveryCodes:
    """Makes new recovery codes for the person who asks."""
    person, _ = _enrolled(work)
    work.note(target=f"person:{person.id}")
    return RecoveryCodes(recovery_codes=factors.new_recovery_codes(work, person.id))


class RemoveFactor(Command):
    code: SecretStr = Field(max_length=40)


@operation("factors.remove", by=ANYONE, limit="10/minute", audit=Event.FACTOR_REMOVED, fresh=True)
def remove(work: Work, command: RemoveFactor) -> SessionGranted:
    """Takes one's own second factor away, by a code of it. Other sessions end; this one goes on as a new one."""
    person, factor = _enrolled(work)
    if _required(work):
        raise Conflict("Here, admins must have a second factor.")
    factors.prove(work, factor, command.code.get_secret_value())
    work.session.expunge(factor)
    factors.remove(work, person.id)
    sessions.revoke_all(work, person.id)
    return grant(work, person)


class ResetFactor(Command):
    person_id: UUID


@operation("people.reset_factor", by=ADMINS, limit="20/minute", audit=Event.FACTOR_REMOVED, fresh=True)
def reset_factor(work: Work, command: ResetFactor) -> Done:
    """Takes away the second factor of somebody who has lost it. Their sessions end."""
    person = locked(work, command.person_id)
    if not factors.remove(work, person.id):
        raise Conflict("This person has no second factor.")
    ended = sessions.revoke_all(work, person.id)
    work.note(target=f"person:{person.id}", sessions=ended)
    return Done()
