"""Tenant tables of people and their sessions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, Text, Uuid

from workreef_app.services.access import zones
from workreef_app.services.operation import Persona
from workreef_app.services.vault.columns import (
    Sensitivity,
    TenantTable,
    clear,
    lookup,
    one_of,
    sealed,
    sealed_json,
)

SLUG_PATTERN = "^[a-z0-9][a-z0-9-]{0,39}$"
SETTING_PATTERN = "^[a-z_]{1,40}([.][a-z_]{1,40})?$"
INTERNAL, PERSONAL, SECRET = Sensitivity.INTERNAL, Sensitivity.PERSONAL, Sensitivity.SECRET


class PersonStatus(StrEnum):
    """Whether a person may sign in."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    INVITATION = "invitation"
    RESET = "reset"


class Department(TenantTable, table=True):
    """A department: the unit of scope."""

    __tablename__ = "department"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    slug: str = clear(INTERNAL, Text, pattern=SLUG_PATTERN, unique=True)
    name: str = sealed(INTERNAL, limit=80)


class Person(TenantTable, table=True):
    """Somebody who can sign in."""

    __tablename__ = "person"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    email: str = sealed(PERSONAL, limit=254)
    email_index: bytes = lookup(unique=True)
    name: str = sealed(PERSONAL, limit=120)
    password_hash: str | None = sealed(SECRET, limit=256, nullable=True)
    status: PersonStatus = clear(INTERNAL, Text, pattern=one_of(PersonStatus))
    created_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    #: The zone in which times are shown to them; the tenant's where there is none.
    time_zone: str | None = clear(INTERNAL, Text, pattern=zones.PATTERN, nullable=True, value=None)


class PersonVisit(TenantTable, table=True):
    """When a person was last active, and when their visit before this one ended."""

    __tablename__ = "person_visit"

    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    last_seen: datetime = clear(INTERNAL, DateTime(timezone=True))
    previous_visit_end: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)


class PersonPersona(TenantTable, table=True):
    """A persona that a person has; until `expires_at`, where that is set."""

    __tablename__ = "person_persona"

    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    persona: Persona = clear(INTERNAL, Text, pattern=one_of(Persona), primary_key=True)
    expires_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)


class Membership(TenantTable, table=True):
    """A department whose rows a person may see."""

    __tablename__ = "membership"

    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    department_id: UUID = clear(INTERNAL, Uuid, ForeignKey("department.id"), primary_key=True)


class SessionRow(TenantTable, table=True):
    """A signed-in browser. The token itself is only in its cookie."""

    __tablename__ = "session"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), index=True)
    token_hash: bytes = lookup(unique=True)
    host: str = clear(INTERNAL, Text, limit=255)
    created_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    expires_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    last_active_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    revoked_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)
    #: When the person last proved who they are.
    authenticated_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    device: str | None = sealed(PERSONAL, limit=80, nullable=True)
    address: str | None = sealed(PERSONAL, limit=64, nullable=True)


class Factor(TenantTable, table=True):
    """A person's second factor: a secret for time-based codes (RFC 6238), in force once it is confirmed.

    `last_step` is the time step of the newest code that was accepted; no code of it or before it is accepted again.
    `failures` counts wrong codes since the last right one, and until `blocked_until` no code is looked at.
    """

    __tablename__ = "factor"

    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    secret: str = sealed(SECRET, limit=64)
    created_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    confirmed_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)
    last_step: int = clear(INTERNAL, BigInteger)
    failures: int = clear(INTERNAL, Integer)
    blocked_until: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)


class RecoveryCode(TenantTable, table=True):
    """A code that stands in for the second factor, once."""

    __tablename__ = "recovery_code"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), index=True)
    code_hash: bytes = lookup(unique=True)
    used_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)


class LinkRequest(TenantTable, table=True):
    """A one-time link that is to be mailed to whoever has this email, if anybody has."""

    __tablename__ = "link_request"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    purpose: LinkPurpose = clear(INTERNAL, Text, pattern=one_of(LinkPurpose))
    email: str = sealed(PERSONAL, limit=254)
    created_at: datetime = clear(INTERNAL, DateTime(timezone=True))


class Invitation(TenantTable, table=True):
    """A one-time link by which a person sets a password."""

    __tablename__ = "invitation"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"))
    token_hash: bytes = lookup(unique=True)
    created_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    expires_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    used_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)
    revoked_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)
    purpose: LinkPurpose = clear(INTERNAL, Text, pattern=one_of(LinkPurpose))


class Setting(TenantTable, table=True):
    """A tenant's own value for a setting; without a row the default holds. Numbers and names stay in clear."""

    __tablename__ = "setting"

    name: str = clear(INTERNAL, Text, pattern=SETTING_PATTERN, primary_key=True)
    number: int | None = clear(INTERNAL, BigInteger, nullable=True, value=None)
    word: str | None = clear(INTERNAL, Text, pattern=zones.PATTERN, nullable=True, value=None)
    #: Counts the changes, so that nobody overwrites one that they have not seen; without a row it is 0.
    version: int = clear(INTERNAL, BigInteger)
    updated_at: datetime = clear(INTERNAL, DateTime(timezone=True))


class SettingChange(TenantTable, table=True):
    """One change of a setting: from what to what, by whom, when."""

    __tablename__ = "setting_change"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    name: str = clear(INTERNAL, Text, pattern=SETTING_PATTERN, index=True)
    before: Any = sealed_json(INTERNAL, limit=200)
    after: Any = sealed_json(INTERNAL, limit=200)
    person_id: UUID | None = clear(
        INTERNAL, Uuid, ForeignKey("person.id", ondelete="SET NULL"), nullable=True, value=None
    )
    actor: str = clear(INTERNAL, Text, limit=120)
    at: datetime = clear(INTERNAL, DateTime(timezone=True))
