"""Passwords: argon2id with the library's defaults (RFC 9106's second recommended option), slow by choice.

A new one has at least 12 characters, is none of the common ones (`common_passwords.txt`), and is not made of what is
known of its owner. Nothing else is asked of it: no kinds of characters, no change from time to time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from workreef_app.services.operation import Invalid

MINIMUM = 12
MAXIMUM = 200
#: So many characters must be left of a password when what is known of its owner is taken out of it.
OWN_MINIMUM: Final = 8
#: A shorter name is part of many words, and is not looked for.
_KNOWN_MINIMUM: Final = 4
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


@cache
def common() -> frozenset[str]:
    """The common passwords that are long enough to be tried, in lower case."""
    file = resources.files(__package__).joinpath("common_passwords.txt")
    return frozenset(line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("#"))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def known_parts(email: str, name: str, tenant: Iterable[str]) -> list[str]:
    """What is known of a person, longest first: email and its parts, name and its words, the tenant's names."""
    local, _, domain = email.partition("@")
    given = [email, local, domain, name, *re.split(r"\W+", f"{local} {domain} {name}"), *tenant]
    parts = {part for one in given for part in (_folded(one), re.sub(r"\W+", "", _folded(one)))}
    return sorted((part for part in parts if len(part) >= _KNOWN_MINIMUM), key=lambda part: (-len(part), part))


def fault(password: str, known: Iterable[str] = ()) -> str | None:
    """Why a password may not be chosen, as the end of a sentence; None when it may. `known` as `known_parts` gives."""
    if len(password) < MINIMUM:
        return f"must have at least {MINIMUM} characters"
    if len(password) > MAXIMUM:
        return f"must have at most {MAXIMUM} characters"
    folded = _folded(password)
    if folded in common() or len(set(folded)) < 4:
        return "is one of the common ones, which are tried first"
    rest = folded
    for part in known:
        rest = rest.replace(part, "")
    if len(rest) < min(OWN_MINIMUM, len(folded)):
        return "is made of your name, your email or your organisation"
    return None


def check(password: str, known: Iterable[str] = ()) -> None:
    """Raises Invalid for a password that may not be chosen."""
    wrong = fault(password, known)
    if wrong is not None:
        raise Invalid(f"The password {wrong}. Choose another one.", fields={"password": wrong})
