"""How a one-time link reaches its person: by mail where mail is set up, else by whoever made it.

Asking for a mail puts the email as it was typed into a row, and a job into the queue. Whether anybody has that email is
looked up by the job: so asking takes the same work, and gets the same answer, whoever asks for whatever.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from uuid_utils.compat import uuid7

from workreef_app.services.access import invitations
from workreef_app.services.access.models import LinkPurpose, LinkRequest, Person
from workreef_app.services.jobs.queue import enqueue
from workreef_app.services.operation import Work
from workreef_app.services.outbound.mail import Mail
from workreef_app.services.tenancy.platform import SETTINGS
from workreef_app.settings import Settings

MAIL_LINK: Final = "mail_link"


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A link: its token, where whoever made it is to pass it on; None where it is mailed."""

    token: str | None = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that brings somebody a link."""

    purpose: LinkPurpose
    recipient: str = field(repr=False)
    url: str = field(repr=False)
    tenant: str
    message_id: str


def settings_of(work: Work) -> Settings:
    """The settings of the process that a unit of work runs in."""
    found: Settings = work.session.info[SETTINGS]
    return found


def mail_works(work: Work) -> bool:
    """Whether this installation can send mail."""
    settings = settings_of(work)
    return bool(settings.smtp_url.get_secret_value() and settings.mail_from)


def hand_out(work: Work, person: Person, purpose: LinkPurpose) -> HandedOut:
    """A link for a person, made at the wish of an admin: mailed where that works, else shown this once.

    The command line is shown it always: who holds the data directory's secrets needs no mail to be believed.
    """
    if mail_works(work) and work.actor.person_id is not None:
        ask(work, person.email, purpose)
        return HandedOut(None, work.now + invitations.LIFETIMES[purpose])
    token, row = invitations.create(work, person.id, purpose)
    return HandedOut(token, row.expires_at)


def ask(work: Work, email: str, purpose: LinkPurpose) -> None:
    """Has a link mailed to whoever has this email, if they are one whom it is for."""
    row = LinkRequest(id=uuid7(), purpose=purpose, email=email, created_at=work.now)
    work.session.add(row)
    enqueue(work, MAIL_LINK, subject=row.id)


SUBJECTS: Final = {
    LinkPurpose.INVITATION: "WorkReef: you are invited to {tenant}", LinkPurpose.RESET: "WorkReef: a new password",
}
TEXTS: Final = {
    LinkPurpose.INVITATION: (
        "An admin of {tenant} has invited you to WorkReef.\n\nSet your password within 72 hours:\n{url}\n\n"
        "The link works once. If you did not expect it, do nothing.\n"
    ),
    LinkPurpose.RESET: (
        "Somebody asked for a new password of yours at {tenant}.\n\nSet it within one hour:\n{url}\n\n"
        "The link works once. If it was not you, do nothing: your password stays as it is.\n"
    ),
}


def mail(letter: Letter, sender: str) -> Mail:
    """The letter as it is sent. It names the tenant by the slug of its address, and holds nothing of a customer."""
    said = {"tenant": letter.tenant, "url": letter.url}
    return Mail(
        sender, (letter.recipient,), SUBJECTS[letter.purpose].format(**said), TEXTS[letter.purpose].format(**said),
        f"<{letter.message_id}@{sender.rpartition('@')[2]}>",
    )
