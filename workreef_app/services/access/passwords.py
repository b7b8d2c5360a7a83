"""Passwords: argon2id with the library's defaults (RFC 9106's second recommended option), slow by choice."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

MINIMUM = 12
MAXIMUM = 200
_hasher = PasswordHasher()
#: Verified when there is no such person, so that an unknown email costs the same work.
_nobody = _hasher.hash("no person has this password")


def hash_password(password: str) -> str:
    """Encoded argon2id hash."""
    return _hasher.hash(password)


def verify_password(encoded: str | None, password: str) -> bool:
    """Whether the password is right. Takes the same work when there is no hash to compare with."""
    try:
        _hasher.verify(encoded or _nobody, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return encoded is not None
