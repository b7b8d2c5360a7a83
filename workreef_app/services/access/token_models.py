"""Tenant tables of API tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Text, Uuid

from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear, lookup, sealed

OPERATION_PATTERN = "^[a-z_]{1,40}[.][a-z_]{1,40}$"
#: The longest life of a token.
DAYS = 366
INTERNAL = Sensitivity.INTERNAL


class ApiToken(TenantTable, table=True):
    """A token by which a program acts for its owner. The token itself is shown once, and only its hash is kept."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint(
            f"expires_at > created_at AND expires_at <= created_at + INTERVAL '{24 * DAYS} hours'",
            name="api_token_lifetime",
        ),
    )

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: str = sealed(INTERNAL, limit=80)
    token_hash: bytes = lookup(unique=True)
    created_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    expires_at: datetime = clear(INTERNAL, DateTime(timezone=True))
    last_used_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)
    revoked_at: datetime | None = clear(INTERNAL, DateTime(timezone=True), nullable=True, value=None)


class ApiTokenOperation(TenantTable, table=True):
    """An operation that a token may call."""

    __tablename__ = "api_token_operation"

    token_id: UUID = clear(INTERNAL, Uuid, ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True)
    operation: str = clear(INTERNAL, Text, pattern=OPERATION_PATTERN, primary_key=True)
