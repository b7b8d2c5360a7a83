"""Sessions: a random token in a signed cookie, its hash in the database, locked to one host."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, Signer
from sqlalchemy import ColumnElement, text, update
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import ended, visits
from workreef_app.services.access.models import PersonStatus, SessionRow
from workreef_app.services.operation import Actor, Persona, Reach, Work

LIFETIME = timedelta(days=14)
#: `last_active_at` is written at most this often.
ACTIVITY_STEP = timedelta(minutes=1)
#: For so long a proof of who somebody is holds for what is dangerous.
FRESH = timedelta(minutes=5)

_RESOLVE = text("""
SELECT s.id, s.person_id, s.host, s.expires_at, s.last_active_at, s.revoked_at, s.authenticated_at, p.status,
  ARRAY(SELECT persona FROM person_persona WHERE person_id = p.id
        AND (expires_at IS NULL OR expires_at > :now)) AS personas,
  ARRAY(SELECT department_id FROM membership WHERE person_id = p.id) AS departments,
  EXISTS (SELECT 1 FROM factor WHERE person_id = p.id AND confirmed_at IS NOT NULL) AS factor,
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


def start(
    session: Session, person_id: UUID, host: str, now: datetime, *, device: str = "", address: str = ""
) -> tuple[SessionRow, str]:
    """A new session and its token, which is not stored and is shown only here."""
    token = secrets.token_urlsafe(32)
    row = SessionRow(
        id=uuid7(), person_id=person_id, token_hash=token_hash(token), host=host,
        created_at=now, expires_at=now + LIFETIME, last_active_at=now, authenticated_at=now,
        device=device[:80] or None, address=address[:64] or None,
    )
    session.add(row)
    session.flush()
    return row, token


def resolve(session: Session, token: str, host: str, now: datetime) -> tuple[Actor, datetime] | None:
    """Who a token belongs to, and when they were last active; None unless the session holds now, at this host."""
    row = session.execute(_RESOLVE, {"hash": token_hash(token), "now": now}).one_or_none()
    if row is None or row.revoked_at is not None or row.host != host or now >= row.expires_at:
        return None
    if row.status != PersonStatus.ACTIVE:
        return None
    if row.idle_minutes and now - row.last_active_at >= timedelta(minutes=row.idle_minutes):
        return None
    actor = Actor(
        id=f"person:{row.person_id}", personas=frozenset(Persona(p) for p in row.personas), person_id=row.person_id,
        departments=frozenset(row.departments), session_id=row.id, authenticated_at=row.authenticated_at,
        factor=row.factor,
    )
    return actor, row.last_active_at


def fresh(actor: Actor, now: datetime) -> bool:
    """Whether the person behind the session proved a short while ago who they are."""
    return actor.authenticated_at is not None and now - actor.authenticated_at < FRESH


def must_enrol(actor: Actor, *, production: bool) -> bool:
    """Whether this is an admin's session that may do nothing but set up a second factor."""
    return production and actor.session_id is not None and Persona.ADMIN in actor.personas and not actor.factor


def touch(session: Session, session_id: UUID, last_active: datetime, now: datetime) -> None:
    """Records activity, at most once a minute: of the session, and of the visit that its person is on."""
    if now - last_active >= ACTIVITY_STEP:
        session.execute(update(SessionRow).where(col(SessionRow.id) == session_id).values(last_active_at=now))
        visits.seen_in(session, session_id, now)


def revoke(work: Work, session_id: UUID) -> bool:
    """Ends a session at once, and has its open pages closed after the commit; False where it had ended before."""
    return bool(_revoke(work, col(SessionRow.id) == session_id))


def revoke_all(work: Work, person_id: UUID, *, but: UUID | None = None) -> int:
    """Ends a person's sessions at once, all but the given one; how many that were."""
    others = col(SessionRow.person_id) == person_id
    return _revoke(work, others if but is None else others & (col(SessionRow.id) != but))


def _revoke(work: Work, which: ColumnElement[bool]) -> int:
    found = list(work.session.scalars(
        update(SessionRow).where(which, col(SessionRow.revoked_at).is_(None), col(SessionRow.expires_at) > work.now)
        .values(revoked_at=work.now).returning(col(SessionRow.id))
    ))
    ended.tell(work, found)
    return len(found)
