"""Tables of a tenant's redaction profile and its changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, DateTime, ForeignKey, Integer, Text, Uuid

from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear, sealed_json

INTERNAL, PERSONAL = Sensitivity.INTERNAL, Sensitivity.PERSONAL
NAME_PATTERN = "^(off|standard|aggressive|custom)$"
BODY_LIMIT = 262144


class RedactionProfile(TenantTable, table=True):
    """The one profile of a tenant; `standard` while there is no row. Lists may name people, so they are sealed."""

    __tablename__ = "redaction_profile"
    __table_args__ = (CheckConstraint('"only"', name="redaction_profile_only_one"),)

    only: bool = clear(INTERNAL, Boolean, primary_key=True)
    name: str = clear(INTERNAL, Text, pattern=NAME_PATTERN)
    body: Any = sealed_json(PERSONAL, limit=BODY_LIMIT)
    version: int = clear(INTERNAL, Integer)
    updated_at: datetime = clear(INTERNAL, DateTime(timezone=True))


class RedactionChange(TenantTable, table=True):
    """One change of the profile: from what to what, by whom, when."""

    __tablename__ = "redaction_change"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    before: Any = sealed_json(PERSONAL, limit=BODY_LIMIT)
    after: Any = sealed_json(PERSONAL, limit=BODY_LIMIT)
    person_id: UUID | None = clear(
        INTERNAL, Uuid, ForeignKey("person.id", ondelete="SET NULL"), nullable=True, value=None
    )
    actor: str = clear(INTERNAL, Text, limit=120)
    at: datetime = clear(INTERNAL, DateTime(timezone=True))
