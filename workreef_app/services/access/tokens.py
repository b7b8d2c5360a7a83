"""API tokens: how one is written, what one may ever do, and whose it is.

A token is `wrk_`, 32 random bytes in base 62, and their CRC-32, so that a scanner for leaked secrets recognises one
and a mistyped one is refused without a look into the database.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.access.models import PersonStatus
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.access.token_models import ApiToken
from workreef_app.services.operation import Actor, Operation, Persona

PREFIX: Final = "wrk_"
FORM: Final = re.compile(r"wrk_[0-9A-Za-z]{49}", re.ASCII)
#: `last_used_at` is written at most this often.
USE_STEP: Final = timedelta(minutes=1)
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BYTES, _LENGTH, _CHECK = 32, 43, 6

#: No token may call what decides who somebody is: operations on these subjects are for signed-in people alone.
SUBJECTS: Final = frozenset({
    "factors", "invitations", "oidc", "passwords", "people", "second_factor", "sessions", "sign_on", "signup", "tokens",
})
#: Nor what a named person decides.
DECISIONS: Final = frozenset({"approvals.decide", "proposals.decide"})

_RESOLVE = text("""
SELECT t.id, t.person_id, t.expires_at, t.last_used_at, t.created_at, t.revoked_at, p.status,
  ARRAY(SELECT operation FROM api_token_operation WHERE token_id = t.id) AS operations,
  ARRAY(SELECT persona FROM person_persona WHERE person_id = p.id) AS personas,
  ARRAY(SELECT department_id FROM membership WHERE person_id = p.id) AS departments
FROM api_token t JOIN person p ON p.id = t.person_id WHERE t.token_hash = :hash
""")


def base62(number: int, length: int) -> str:
    """A number in base 62, with zeros before it."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def checksum(body: str) -> str:
    """The CRC-32 of a token's random part."""
    return base62(zlib.crc32(body.encode()), _CHECK)


def new() -> str:
    """A new token."""
    body = base62(int.from_bytes(secrets.token_bytes(_BYTES)), _LENGTH)
    return PREFIX + body + checksum(body)


def well_formed(token: str) -> bool:
    """Whether a text is written as a token is, its checksum included."""
    body = token[len(PREFIX):-_CHECK]
    return FORM.fullmatch(token) is not None and secrets.compare_digest(checksum(body), token[-_CHECK:])


def grantable(spec: Operation) -> bool:
    """Whether a token may ever call an operation: of people, not public, and none of the exclusions."""
    subject = spec.name.partition(".")[0]
    return bool(spec.by) and subject not in SUBJECTS and spec.name not in DECISIONS


def resolve(session: Session, token: str, now: datetime) -> tuple[Actor, datetime] | None:
    """Who a token acts as, and when it was last used; None unless it holds now and its owner is active.

    What the owner may do counts as of now; of that, the token may do what it lists.
    """
    row = session.execute(_RESOLVE, {"hash": token_hash(token)}).one_or_none()
    if row is None or row.revoked_at is not None or now >= row.expires_at or row.status != PersonStatus.ACTIVE:
        return None
    actor = Actor(
        id=f"token:{row.id}", personas=frozenset(Persona(p) for p in row.personas), person_id=row.person_id,
        departments=frozenset(row.departments), token_id=row.id, operations=frozenset(row.operations),
    )
    return actor, row.last_used_at or row.created_at - USE_STEP


def touch(session: Session, token_id: UUID, last_used: datetime, now: datetime) -> None:
    """Records a use, at most once a minute."""
    if now - last_used >= USE_STEP:
        session.execute(update(ApiToken).where(col(ApiToken.id) == token_id).values(last_used_at=now))
