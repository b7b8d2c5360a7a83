"""One-time links: hashed, expiring, used once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access.models import Invitation, Person, PersonStatus
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.operation import Conflict, Work


def create(work: Work, person_id: UUID, lifetime: timedelta) -> tuple[str, Invitation]:
    """A link's token, shown once, and its row."""
    token = secrets.token_urlsafe(32)
    row = Invitation(
        id=uuid7(), person_id=person_id, token_hash=token_hash(token), created_at=work.now,
        expires_at=work.now + lifetime,
    )
    work.session.add(row)
    work.session.flush()
    return token, row


def consume(work: Work, token: str) -> Person:
    """Uses the link up. Raises Conflict when it is unknown, used or expired, or its person deactivated: one answer."""
    row = work.session.scalars(
        select(Invitation).where(col(Invitation.token_hash) == token_hash(token)).with_for_update()
    ).first()
    if row is None or row.used_at is not None or work.now >= row.expires_at:
        raise Conflict("This link was used, has expired, or never was. Ask an admin for a new one.")
    row.used_at = work.now
    work.session.add(row)
    person = work.session.get(Person, row.person_id)
    if person is None or person.status == PersonStatus.DEACTIVATED:
        raise Conflict("This link was used, has expired, or never was. Ask an admin for a new one.")
    return person
