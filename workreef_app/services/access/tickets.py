"""The ticket between password and second factor: who has proven their password here, for five minutes.

It is signed, not stored, and bound to the host, the person and the very password: no session exists before the factor
is proven, and a password that was changed makes it void.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from itsdangerous import BadSignature, Signer

LIFETIME: Final = timedelta(minutes=5)


def _signer(host: str, secret: str) -> Signer:
    return Signer(secret, salt=f"workreef.ticket|{host}", digest_method=hashlib.sha256)


def mark(password_hash: str, secret: str) -> str:
    """Tells one password's hash from another's, and nothing about it to whoever lacks the secret."""
    return hmac.new(secret.encode(), f"workreef.ticket|{password_hash}".encode(), hashlib.sha256).hexdigest()[:32]


def issue(person_id: UUID, password_hash: str, host: str, secret: str, now: datetime) -> str:
    """A ticket for somebody whose password was right."""
    return _signer(host, secret).sign(f"{person_id}|{int(now.timestamp())}|{mark(password_hash, secret)}").decode()


def read(ticket: str, host: str, secret: str, now: datetime) -> tuple[UUID, str] | None:
    """The person of a ticket and the mark of their password; None for one that is changed, old or another host's."""
    try:
        person, issued, password = _signer(host, secret).unsign(ticket).decode().split("|")
        person_id, at = UUID(person), int(issued)
    except (BadSignature, UnicodeError, ValueError):
        return None
    age = now.timestamp() - at
    return (person_id, password) if -1 <= age < LIFETIME.total_seconds() else None


def holds(password: str, password_hash: str | None, secret: str) -> bool:
    """Whether the mark of a ticket is that of the password that the person has now."""
    return password_hash is not None and hmac.compare_digest(password, mark(password_hash, secret))
