"""The job that mails one-time links, its operations, and those by which admins make, renew and void links."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import delete
from sqlmodel import col

from workreef_app.services.access import invitations, links, people
from workreef_app.services.access.models import LinkPurpose, LinkRequest, Person, PersonStatus
from workreef_app.services.access.operations import ADMINS, Done
from workreef_app.services.access.people_operations import Invited, invited, locked
from workreef_app.services.jobs.fate import ATTEMPTS
from workreef_app.services.jobs.kinds import JobFailed, JobRun, Queue, kind
from workreef_app.services.jobs.ledger import held
from workreef_app.services.jobs.models import Job, JobStatus
from workreef_app.services.operation import NOBODY, Command, Conflict, Event, Result, Work, operation
from workreef_app.services.outbound import mail
from workreef_app.services.outbound.policy import Client, Failure
from workreef_app.services.outbound.smtp import MailServer

LIMIT: Final = "600000/minute"


class PrepareLink(Command):
    pass


class Prepared(Result):
    """The letter that is to be sent, and the way; None where there is nobody to send it to."""

    letter: links.Letter | None = Field(repr=False, exclude=True)
    server: str = Field(repr=False, exclude=True)
    sender: str
    last: bool


@operation("links.prepare", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.LINK_PREPARED)
def prepare(work: Work, command: PrepareLink) -> Prepared:
    """Makes the link of the job's letter, if anybody has the email that was given and the link is for them."""
    job = held(work)
    settings = links.settings_of(work)
    letter = _letter(work, job)
    work.note(letter=letter is not None)
    return Prepared(
        letter=letter, server=settings.smtp_url.get_secret_value(), sender=settings.mail_from,
        last=job.attempts >= ATTEMPTS - 1,
    )


def _letter(work: Work, job: Job) -> links.Letter | None:
    """The letter with a new link; the one of an attempt before is void."""
    request = work.session.get(LinkRequest, job.subject) if job.subject else None
    if request is None or not links.mail_works(work):
        return None
    purpose = LinkPurpose(request.purpose)
    person: Person | None = people.by_email(work, request.email)
    if person is None or person.status != invitations.EXPECTED[purpose]:
        return None
    token, _ = invitations.create(work, person.id, purpose)
    work.note(target=f"person:{person.id}", purpose=purpose.value)
    address = f"{links.settings_of(work).tenant_url(work.tenant.slug)}{invitations.PATHS[purpose]}{token}"
    # To the email that is kept, never to the one that was typed, which may only look like it.
    return links.Letter(purpose, person.email, address, work.tenant.slug, f"link-{job.id}-{job.claim}")


class RecordMailed(Command):
    failure: Failure | None = None
    answer: int | None = Field(None, ge=0, lt=1000)
    attempts: int = Field(0, ge=0, le=3)
    last: bool = True


@operation("links.mailed", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.LINK_MAILED)
def mailed(work: Work, command: RecordMailed) -> Done:
    """Records what came of mailing a link, and forgets the email that was given once nothing more is to come."""
    job = held(work)
    if command.last:
        _forget(work, job)
    work.note(
        target=f"job:{job.id}", failure=command.failure.value if command.failure else None, answer=command.answer,
        attempts=command.attempts,
    )
    return Done()


def _forget(work: Work, job: Job) -> None:
    work.session.execute(delete(LinkRequest).where(col(LinkRequest.id) == job.subject))


class NotMailed(Exception):
    """The mail server did not take the letter, and may do so later."""


def ended(work: Work, job: Job, status: JobStatus) -> None:
    """However the job ended, the email that was given is not kept."""
    _forget(work, job)


@kind(links.MAIL_LINK, queue=Queue.INTERACTIVE, ended=ended)
def mail_link(run: JobRun) -> None:
    """Mails a link. Raises NotMailed while another run may mend it, JobFailed when none will."""
    mail_link_by(run, None)


def mail_link_by(run: JobRun, client: Client | None) -> None:
    """`mail_link`, by the given client."""
    plan: Prepared = run.perform("links.prepare", {})
    if plan.letter is None:
        run.perform("links.mailed", {})
        return
    outcome = mail.send(links.mail(plan.letter, plan.sender), MailServer.of(plan.server), client=client)
    # Where it is uncertain whether the letter arrived it is sent again: with a new link, which voids the other.
    over = outcome.ok or plan.last or not (outcome.passing or outcome.uncertain)
    run.perform("links.mailed", RecordMailed(
        failure=outcome.failure, answer=outcome.status, attempts=outcome.attempts, last=over,
    ))
    if not outcome.ok:
        raise JobFailed("not_mailed") if over else NotMailed


class RenewInvitation(Command):
    person_id: UUID


@operation("invitations.renew", by=ADMINS, limit="60/minute", audit=Event.INVITATION_RENEWED)
def renew_invitation(work: Work, command: RenewInvitation) -> Invited:
    """Makes a new invitation of somebody who has not accepted one; those before are void."""
    person = locked(work, command.person_id)
    if person.status != PersonStatus.INVITED:
        raise Conflict("This person does not wait for an invitation.")
    work.note(target=f"person:{person.id}")
    return invited(work, person)


class RevokeInvitation(Command):
    person_id: UUID


@operation("invitations.revoke", by=ADMINS, limit="60/minute", audit=Event.INVITATION_REVOKED)
def revoke_invitation(work: Work, command: RevokeInvitation) -> Done:
    """Voids a person's open invitation."""
    person = locked(work, command.person_id)
    if not invitations.revoke(work, person.id, LinkPurpose.INVITATION):
        raise Conflict("There is no open invitation of this person.")
    work.note(target=f"person:{person.id}")
    return Done()


class MakeResetLink(Command):
    person_id: UUID


class ResetLink(Result):
    """A link was made. It is mailed where mail is set up; else its token is shown here, and nowhere else."""

    token: str | None = Field(repr=False)
    mailed: bool
    expires_at: datetime


@operation("people.reset_link", by=ADMINS, limit="20/minute", audit=Event.RESET_LINK_MADE, fresh=True)
def reset_link(work: Work, command: MakeResetLink) -> ResetLink:
    """Makes a one-time link by which a person sets a new password. It does not stand in for their second factor."""
    person = locked(work, command.person_id)
    if person.status != PersonStatus.ACTIVE:
        raise Conflict("Only somebody who may sign in has a password to reset.")
    link = links.hand_out(work, person, LinkPurpose.RESET)
    work.note(target=f"person:{person.id}", mailed=link.token is None)
    return ResetLink(token=link.token, mailed=link.token is None, expires_at=link.expires_at)
