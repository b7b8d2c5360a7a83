"""The profile that a tenant has, and the redactor of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.access.models import Person
from workreef_app.services.redaction import profiles
from workreef_app.services.redaction.engine import Redactor
from workreef_app.services.redaction.models import RedactionProfile
from workreef_app.services.redaction.profiles import Pattern, Profile

DEFAULT = profiles.STANDARD.name
#: What a custom profile is before anybody made one.
FIRST_BODY: Mapping[str, Any] = {
    "classes": sorted(profiles.STANDARD_CLASSES), "deny": [], "allow": [], "patterns": [], "response": False,
}


def profile_of(name: str, body: Mapping[str, Any]) -> Profile:
    """The profile of a stored row. Raises ProfileError."""
    if name != "custom":
        return profiles.BUILT_IN[name]
    return profiles.custom(
        classes=frozenset(body["classes"]), deny=tuple(body["deny"]), allow=tuple(body["allow"]),
        patterns=tuple(Pattern(each["name"], each["expression"]) for each in body["patterns"]),
        response=bool(body["response"]),
    )


def current(session: Session) -> Profile:
    """What holds for the tenant now; `standard` while nobody changed it."""
    row = session.get(RedactionProfile, True)
    return profile_of(row.name, row.body) if row else profiles.STANDARD


def directory(session: Session) -> list[str]:
    """The names of the tenant's own people that this unit of work may see."""
    return list(session.scalars(select(col(Person.name))))


def redactor_of(session: Session, profile: Profile | None = None) -> Redactor:
    """The redactor of the tenant's profile, or of another one, with the tenant's own people."""
    return Redactor(profile or current(session), directory(session))
