"""Operations on passwords: accepting an invitation, changing, forgetting, setting anew."""

from __future__ import annotations

from pydantic import Field, SecretStr

from workreef_app.services.access import invitations, links, passwords, people, sessions
from workreef_app.services.access.models import LinkPurpose, Person, PersonStatus
from workreef_app.services.access.operations import Done, NewPassword, SessionGranted, grant
from workreef_app.services.operation import (
    ANYONE,
    PUBLIC,
    Command,
    Event,
    Invalid,
    Result,
    Work,
    WrongPassword,
    operation,
)


class AcceptInvitation(Command):
    token: str = Field(max_length=100)
    password: NewPassword


@operation("invitations.accept", by=PUBLIC, limit="20/minute", audit=Event.INVITATION_ACCEPTED, account="token")
def accept_invitation(work: Work, command: AcceptInvitation) -> SessionGranted:
    """Sets the password of an invited person, once, and signs them in."""
    person = invitations.consume(work, command.token, LinkPurpose.INVITATION)
    choose(work, person, command.password)
    person.status = PersonStatus.ACTIVE
    return grant(work, person)


def choose(work: Work, person: Person, password: SecretStr) -> None:
    """Sets a person's password. Raises Invalid for one that may not be chosen."""
    chosen = password.get_secret_value()
    passwords.check(chosen, people.known_of(work, person))
    person.password_hash = passwords.hash_password(chosen)
    work.session.add(person)


class AskReset(Command):
    email: str = Field(max_length=254)


class ResetAsked(Result):
    """The same for every email. `mail` is False where this installation sends none, and an admin must be asked."""

    mail: bool


@operation("passwords.ask_reset", by=PUBLIC, limit="5/minute", audit=Event.RESET_ASKED)
def ask_reset(work: Work, command: AskReset) -> ResetAsked:
    """Has a one-time link mailed to whoever has this email, if anybody has; does not tell whether."""
    work.note(email=work.keyed(people.normalise(command.email)))
    if not links.mail_works(work):
        return ResetAsked(mail=False)
    links.ask(work, command.email, LinkPurpose.RESET)
    return ResetAsked(mail=True)


class ResetPassword(Command):
    token: str = Field(max_length=100)
    password: NewPassword


@operation("passwords.reset", by=PUBLIC, limit="20/minute", audit=Event.PASSWORD_RESET, account="token")
def reset(work: Work, command: ResetPassword) -> Done:
    """Sets a new password by a one-time link. It signs nobody in: a second factor is asked for as ever."""
    person = invitations.consume(work, command.token, LinkPurpose.RESET)
    choose(work, person, command.password)
    ended = sessions.revoke_all(work, person.id)
    work.note(target=f"person:{person.id}", sessions=ended)
    return Done()


class ChangePassword(Command):
    current: SecretStr = Field(max_length=passwords.MAXIMUM)
    password: NewPassword


@operation("passwords.change", by=ANYONE, limit="10/minute", audit=Event.PASSWORD_CHANGED)
def change_password(work: Work, command: ChangePassword) -> SessionGranted:
    """Changes the password of the person who asks. Their sessions end; the one that asks goes on as a new one."""
    person = person_with(work, command.current)
    if command.password.get_secret_value() == command.current.get_secret_value():
        same = {"password": "must be another one"}  # nosec B105
        raise Invalid("That is the password you have.", fields=same)
    choose(work, person, command.password)
    invitations.revoke(work, person.id, LinkPurpose.RESET)
    sessions.revoke_all(work, person.id)
    return grant(work, person)


def person_with(work: Work, password: SecretStr) -> Person:
    """The person who asks, if this is their password. Raises WrongPassword."""
    person = work.session.get(Person, work.actor.person_id) if work.actor.session_id else None
    if person is None:
        raise Invalid("Only a signed-in person has a password.")
    if not passwords.verify_password(person.password_hash, password.get_secret_value()):
        raise WrongPassword("The password is wrong.", target=f"person:{person.id}")
    return person
