"""Sessions: a random token in a signed cookie, its hash in the database, locked to one host."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, Signer
from sqlalchemy import text, update
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import visits
from workreef_app.services.access.models import PersonStatus, SessionRow
from workreef_app.services.operation import Actor, Persona, Reach

LIFETIME = timedelta(days=14)
#: `last_active_at` is written at most this often.
ACTIVITY_STEP = timedelta(minutes=1)

_RESOLVE = text("""
SELECT s.id, s.person_id, s.host, s.expires_at, s.last_active_at, s.revoked_at, p.status,
  ARRAY(SELECT persona FROM person_persona WHERE person_id = p.id) AS personas,
  ARRAY(SELECT department_id FROM membership WHERE person_id = p.id) AS departments,
  COALESCE((SELECT number FROM setting WHERE name = 'session.idle_minutes'), 0) AS idle_minutes
FROM session s JOIN person p ON p.id = s.person_id WHERE s.token_hash = :hash
""")

#: Looks sessions and people up before anybody is known; sees no other table's rows.
GATEKEEPER = Actor(id="public", extra_reach=frozenset({Reach.PEOPLE}))


def token_hash(token: str) -> bytes:
    """What is stored of a random token. Plain SHA-256, since the token has 256 bits of its own."""
    return hashlib.sha256(token.encode()).digest()


def sign(token: str, host: str, secret: str) -> str:
    """Cookie value: the token, signed together with the host it is for."""
    return Signer(secret, salt=f"workreef.session|{host}").sign(token).decode()


def unsign(value: str, host: str, secret: str) -> str | None:
    """The token of a cookie value; None for a changed one, and for another host's."""
    try:
        return Signer(secret, salt=f"workreef.session|{host}").unsign(value).decode()
    except (BadSignature, UnicodeError):
        return None


def start(session: Session, person_id: UUID, host: str, now: datetime) -> tuple[SessionRow, str]:
    """A new session and its token, which is not stored and is shown only here."""
    token = secrets.token_urlsafe(32)
    row = SessionRow(
        id=uuid7(), person_id=person_id, token_hash=token_hash(token), host=host,
        created_at=now, expires_at=now + LIFETIME, last_active_at=now,
    )
    session.add(row)
    session.flush()
    return row, token


def resolve(session: Session, token: str, host: str, now: datetime) -> tuple[Actor, datetime] | None:
    """Who a token belongs to, and when they were last active; None unless the session holds now, at this host."""
    row = session.execute(_RESOLVE, {"hash": token_hash(token)}).one_or_none()
    if row is None or row.revoked_at is not None or row.host != host or now >= row.expires_at:
        return None
    if row.status != PersonStatus.ACTIVE:
        return None
    if row.idle_minutes and now - row.last_active_at >= timedelta(minutes=row.idle_minutes):
        return None
    actor = Actor(
        id=f"person:{row.person_id}", personas=frozenset(Persona(p) for p in row.personas), person_id=row.person_id,
        departments=frozenset(row.departments), session_id=row.id,
    )
    return actor, row.last_active_at


def touch(session: Session, session_id: UUID, last_active: datetime, now: datetime) -> None:
    """Records activity, at most once a minute: of the session, and of the visit that its person is on."""
    if now - last_active >= ACTIVITY_STEP:
        session.execute(update(SessionRow).where(col(SessionRow.id) == session_id).values(last_active_at=now))
        visits.seen_in(session, session_id, now)


def revoke(session: Session, session_id: UUID, now: datetime) -> None:
    """Ends a session at once."""
    session.execute(
        update(SessionRow).where(col(SessionRow.id) == session_id, col(SessionRow.revoked_at).is_(None))
        .values(revoked_at=now)
    )
