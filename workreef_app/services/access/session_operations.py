"""Operations on sessions: which there are, ending them, proving anew who one is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field, SecretStr
from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.access import factors, sessions
from workreef_app.services.access.models import SessionRow
from workreef_app.services.access.operations import ADMINS
from workreef_app.services.access.password_operations import person_with
from workreef_app.services.access.passwords import MAXIMUM
from workreef_app.services.access.people_operations import locked
from workreef_app.services.operation import (
    ANYONE,
    Command,
    Event,
    Invalid,
    NotFound,
    Result,
    Work,
    operation,
)


class ListSessions(Command):
    pass


class OwnSession(Result):
    """A signed-in browser of the person who asks. `device` and `address` are empty where they are not known."""

    id: UUID
    current: bool
    device: str
    address: str
    created_at: datetime
    last_active_at: datetime
    ends_at: datetime


class OwnSessions(Result):
    """Sessions that hold, the one that asks first, then by activity."""

    rows: list[OwnSession]


@operation("sessions.list", by=ANYONE, limit="120/minute", audit=Event.DATA_READ)
def list_sessions(work: Work, command: ListSessions) -> OwnSessions:
    """Lists the sessions of the person who asks."""
    rows = list(work.session.scalars(
        select(SessionRow).where(
            col(SessionRow.person_id) == work.actor.person_id, col(SessionRow.revoked_at).is_(None),
            col(SessionRow.expires_at) > work.now,
        ).order_by(col(SessionRow.last_active_at).desc(), col(SessionRow.id)).limit(200)
    ))
    work.note(target="session", rows=len(rows))
    mine = work.actor.session_id
    return OwnSessions(rows=[
        OwnSession(
            id=row.id, current=row.id == mine, device=row.device or "", address=row.address or "",
            created_at=row.created_at, last_active_at=row.last_active_at, ends_at=row.expires_at,
        )
        for row in sorted(rows, key=lambda row: row.id != mine)
    ])


class RevokeSessions(Command):
    session_id: UUID | None = Field(None, description="Which one; null for all but the one that asks.")


class Revoked(Result):
    """So many sessions have ended."""

    ended: int


@operation("sessions.revoke", by=ANYONE, limit="60/minute", audit=Event.SESSION_REVOKED)
def revoke_sessions(work: Work, command: RevokeSessions) -> Revoked:
    """Ends one session of the person who asks, or all others of theirs. Their open pages close at once."""
    person_id = work.actor.person_id
    if person_id is None:
        raise Invalid("Only a person has sessions.")
    if command.session_id is None:
        ended = sessions.revoke_all(work, person_id, but=work.actor.session_id)
        work.note(target=f"person:{person_id}", sessions=ended)
        return Revoked(ended=ended)
    row = work.session.get(SessionRow, command.session_id)
    if row is None or row.person_id != person_id or not sessions.revoke(work, row.id):
        raise NotFound("session", command.session_id)
    work.note(target=f"session:{row.id}", sessions=1)
    return Revoked(ended=1)


class EndPersonsSessions(Command):
    person_id: UUID


@operation("people.end_sessions", by=ADMINS, limit="60/minute", audit=Event.SESSION_REVOKED)
def end_sessions(work: Work, command: EndPersonsSessions) -> Revoked:
    """Ends all sessions of a person. Their open pages close at once."""
    person = locked(work, command.person_id)
    ended = sessions.revoke_all(work, person.id)
    work.note(target=f"person:{person.id}", sessions=ended)
    return Revoked(ended=ended)


class RefreshSession(Command):
    password: SecretStr = Field(max_length=MAXIMUM)
    code: SecretStr = Field(SecretStr(""), max_length=40)


class Refreshed(Result):
    """Until when what is dangerous may be done without another proof."""

    fresh_until: datetime


@operation("sessions.refresh", by=ANYONE, limit="10/minute", audit=Event.SESSION_REFRESHED, enrolling=True)
def refresh(work: Work, command: RefreshSession) -> Refreshed:
    """Proves anew who one is: by the password, and by a code where there is a second factor."""
    person = person_with(work, command.password)
    factor = factors.locked_row(work, person.id)
    if factor is not None and factor.confirmed_at is not None:
        if not command.code.get_secret_value():
            raise Invalid("Give the code of your second factor too.", fields={"code": "is needed"})
        factors.prove(work, factor, command.code.get_secret_value())
    row = work.session.get(SessionRow, work.actor.session_id)
    if row is None:
        raise Invalid("Only a signed-in browser has a session.")
    row.authenticated_at = work.now
    work.note(target=f"session:{row.id}")
    return Refreshed(fresh_until=work.now + sessions.FRESH)
