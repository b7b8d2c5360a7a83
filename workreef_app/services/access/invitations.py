"""One-time links by which a person sets a password: hashed, expiring, used once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access.models import Invitation, LinkPurpose, Person, PersonStatus
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.operation import Conflict, Work

LIFETIMES: Final = {LinkPurpose.INVITATION: timedelta(hours=72), LinkPurpose.RESET: timedelta(hours=1)}
PATHS: Final = {LinkPurpose.INVITATION: "/invite/", LinkPurpose.RESET: "/reset/"}


def create(work: Work, person_id: UUID, purpose: LinkPurpose) -> tuple[str, Invitation]:
    """A link's token, shown once, and its row. Links for the same purpose that were made before are void."""
    revoke(work, person_id, purpose)
    token = secrets.token_urlsafe(32)
    row = Invitation(
        id=uuid7(), person_id=person_id, token_hash=token_hash(token), created_at=work.now,
        expires_at=work.now + LIFETIMES[purpose], purpose=purpose,
    )
    work.session.add(row)
    work.session.flush()
    return token, row


def revoke(work: Work, person_id: UUID, purpose: LinkPurpose | None = None) -> int:
    """Voids the person's links that are still open; how many that were."""
    which = [col(Invitation.person_id) == person_id, col(Invitation.used_at).is_(None),
             col(Invitation.revoked_at).is_(None), col(Invitation.expires_at) > work.now]
    if purpose is not None:
        which.append(col(Invitation.purpose) == purpose)
    voided = work.session.scalars(
        update(Invitation).where(*which).values(revoked_at=work.now).returning(col(Invitation.id))
    )
    return len(list(voided))


def consume(work: Work, token: str, purpose: LinkPurpose) -> Person:
    """Uses the link up.

    Raises Conflict when it is unknown, used, revoked, expired or for something else, or when its person is not who it
    is for: one answer.
    """
    gone = Conflict("This link was used, has expired, or never was. Ask an admin for a new one.")
    row = work.session.scalars(
        select(Invitation).where(col(Invitation.token_hash) == token_hash(token)).with_for_update()
    ).first()
    if row is None or row.used_at is not None or row.revoked_at is not None or work.now >= row.expires_at:
        raise gone
    if row.purpose != purpose:
        raise gone
    row.used_at = work.now
    work.session.add(row)
    person = work.session.scalars(select(Person).where(col(Person.id) == row.person_id).with_for_update()).first()
    if person is None or person.status != EXPECTED[purpose]:
        raise gone
    return person


#: Who a link is for: somebody who never had a password, or somebody who may sign in.
EXPECTED: Final = {LinkPurpose.INVITATION: PersonStatus.INVITED, LinkPurpose.RESET: PersonStatus.ACTIVE}
