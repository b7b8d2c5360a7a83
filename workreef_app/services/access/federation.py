"""Tenant tables of single sign-on: the provider, who is known by it, and which sign-ins came back already."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, LargeBinary, UniqueConstraint, Uuid, select
from sqlmodel import col

from workreef_app.services.operation import Persona, SignInRefused, Work
from workreef_app.services.vault.columns import (
    Sensitivity,
    TenantTable,
    clear,
    lookup,
    sealed,
    sealed_json,
)

INTERNAL, SECRET = Sensitivity.INTERNAL, Sensitivity.SECRET
TIME = DateTime(timezone=True)
#: What a wrong sign-in with a password is told where single sign-on is the way in: the same for everybody.
WRONG = "Email or password is wrong."
WRONG_HERE = f"{WRONG} Passwords are for admins here; everybody else uses single sign-on."


class IdentityProvider(TenantTable, table=True):
    """The OpenID provider that a tenant's people sign in by, in one row.

    `mapping` is a list of {"group", "personas", "departments"}, `domains` a list of email domains; an empty one allows
    all. `link_by_email` lets a person without a password, who was added before, be the one with the same email there.
    """

    __tablename__ = "identity_provider"

    only: bool = clear(INTERNAL, Boolean, primary_key=True)
    issuer: str = sealed(INTERNAL, limit=500)
    client_id: str = sealed(INTERNAL, limit=200)
    client_secret: str | None = sealed(SECRET, limit=500, nullable=True)
    group_claim: str = sealed(INTERNAL, limit=100)
    mapping: list[dict[str, Any]] = sealed_json(INTERNAL, limit=131072)
    domains: list[str] = sealed_json(INTERNAL, limit=16384)
    link_by_email: bool = clear(INTERNAL, Boolean)
    enabled: bool = clear(INTERNAL, Boolean)
    passwords_for_admins_only: bool = clear(INTERNAL, Boolean)
    created_at: datetime = clear(INTERNAL, TIME)
    updated_at: datetime = clear(INTERNAL, TIME)


class FederatedIdentity(TenantTable, table=True):
    """Who a person is at a provider. Both look-ups are keyed: of the issuer, and of issuer and subject together."""

    __tablename__ = "federated_identity"
    __table_args__ = (UniqueConstraint("person_id", "issuer_index", name="federated_identity_once"),)

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"))
    issuer_index: bytes = lookup()
    subject_index: bytes = lookup(unique=True)
    created_at: datetime = clear(INTERNAL, TIME)
    last_at: datetime = clear(INTERNAL, TIME)


class UsedSignOn(TenantTable, table=True):
    """A sign-in that came back from the provider, by the hash of its state, until it would have expired anyway."""

    __tablename__ = "used_sign_on"

    state_hash: bytes = clear(INTERNAL, LargeBinary, octets=32, primary_key=True)
    expires_at: datetime = clear(INTERNAL, TIME, index=True)


def passwords_for_admins_only(work: Work) -> bool:
    """Whether single sign-on is the only way in for everybody but admins."""
    query = select(col(IdentityProvider.enabled), col(IdentityProvider.passwords_for_admins_only))
    row = work.session.execute(query).one_or_none()
    return row is not None and row.enabled and row.passwords_for_admins_only


def wrong_password(work: Work, **facts: Any) -> SignInRefused:
    """A sign-in with a password that is refused: told in the same words whatever the reason, and whoever it is."""
    return SignInRefused(WRONG_HERE if passwords_for_admins_only(work) else WRONG, **facts)


def may_use_password(work: Work, personas: frozenset[Persona]) -> bool:
    """Whether a person with these personas may sign in with a password. Admins always may, should the provider fail."""
    return Persona.ADMIN in personas or not passwords_for_admins_only(work)
