"""Whether somebody whom the provider vouches for may come in, and as what. Plain functions on plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workreef_app.services.operation import Persona
from workreef_app.services.sso.reasons import Reason

EMAIL: Final = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,189}")
MOST_GROUPS: Final = 1000
LONGEST_GROUP: Final = 200
LONGEST_NAME: Final = 120


class NotLetIn(Exception):
    """The person may not come in."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Profile:
    """Who the provider says it is. `verified` is that the email is theirs, by the provider's word."""

    subject: str
    email: str
    verified: bool
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rights:
    """What the mapping gives: personas, and departments by their slugs."""

    personas: frozenset[Persona]
    departments: frozenset[str]


def profile(claims: Mapping[str, Any], group_claim: str) -> Profile:
    """The person of a set of claims. What is not of the expected form is as if it were not there."""
    email, name, groups = claims.get("email"), claims.get("name"), claims.get(group_claim)
    found = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    return Profile(
        subject=str(claims["sub"]),
        email=email if isinstance(email, str) and email.isprintable() and EMAIL.fullmatch(email) else "",
        # The word "true", as some say, is not taken: the claim is a JSON boolean (OpenID Connect Core 5.1).
        verified=claims.get("email_verified") is True,
        name=_line(name)[:LONGEST_NAME].strip() if isinstance(name, str) else "",
        groups=tuple(filter(_is_group, found))[:MOST_GROUPS],
    )


def told_beside(claims: Mapping[str, Any], beside: Mapping[str, Any]) -> Mapping[str, Any]:
    """An ID token's claims with what the provider tells beside it; the token stands above.

    An email and whether it is verified are of one place: a word about one email says nothing of another.
    """
    pair = ("email", "email_verified")
    source = claims if all(name in claims for name in pair) else beside
    both = {**beside, **claims}
    return {name: value for name, value in both.items() if name not in pair} | {
        name: source[name] for name in pair if name in source
    }


def _is_group(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_GROUP and value.isprintable()


def _line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def check_email(email: str, *, verified: bool, domains: Sequence[str]) -> None:
    """Raises NotLetIn unless there is an email that the provider has verified, of one of the domains, if any."""
    if not email:
        raise NotLetIn(Reason.NO_EMAIL)
    if not verified:
        raise NotLetIn(Reason.EMAIL_NOT_VERIFIED)
    if domains and email.rpartition("@")[2].lower() not in domains:
        raise NotLetIn(Reason.WRONG_DOMAIN)


def rights(groups: Iterable[str], mapping: Iterable[Mapping[str, Any]]) -> Rights:
    """What all of somebody's groups give together; names are compared exactly. Raises NotLetIn if they give nothing."""
    mine = set(groups)
    rows = [row for row in mapping if row["group"] in mine]
    personas = frozenset(Persona(persona) for row in rows for persona in row["personas"])
    if not personas:
        raise NotLetIn(Reason.NO_GROUP)
    return Rights(personas, frozenset(slug for row in rows for slug in row["departments"]))
