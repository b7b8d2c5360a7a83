"""Tokens by which a write shows that it comes from one of our own pages, beside its Origin. Nothing is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

from itsdangerous import BadData, TimestampSigner

#: How long a form that is shown before there is a session may stay open, in seconds.
FORM_SECONDS: Final = 2 * 3600


def of_session(token_hash: bytes, host: str, secret: str) -> str:
    """The token of a session's pages: an HMAC over the session token's hash and the host."""
    said = b"workreef.csrf\0" + token_hash + host.encode()
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), said, hashlib.sha256)).decode().rstrip("=")


def new_form(host: str, secret: str) -> str:
    """A token for a form that is shown before there is a session: kept in a cookie and in the form alike."""
    return _signer(host, secret).sign(secrets.token_urlsafe(16)).decode()


def form_holds(value: str, host: str, secret: str) -> bool:
    """Whether a form's token was made by us for this host, not long ago."""
    try:
        _signer(host, secret).unsign(value, max_age=FORM_SECONDS)
    except (BadData, UnicodeError):
        return False
    return True


def same(one: str, other: str) -> bool:
    """Whether two tokens are the same, in the same time for all."""
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())


def _signer(host: str, secret: str) -> TimestampSigner:
    return TimestampSigner(secret, salt=f"workreef.form|{host}")
