"""The table of witnesses."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text, Uuid

from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear, one_of, sealed, sealed_json

INTERNAL, SECRET = Sensitivity.INTERNAL, Sensitivity.SECRET
TIME = DateTime(timezone=True)


class WitnessKind(StrEnum):
    """How a witness is reached."""

    FOLDER = "folder"
    WEBHOOK = "webhook"
    S3 = "s3"


class Witness(TenantTable, table=True):
    """One place. `sent_size` is the last checkpoint that it took; `failing_since` and `failure` tell of another.

    `target` is the folder's name, the webhook's address, or the bucket; `secret` what proves who we are there.
    """

    __tablename__ = "witness"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    kind: WitnessKind = clear(INTERNAL, Text, pattern=one_of(WitnessKind))
    target: str = sealed(INTERNAL, limit=500)
    secret: dict[str, Any] = sealed_json(SECRET, limit=2048)
    sent_size: int = clear(INTERNAL, BigInteger)
    created_at: datetime = clear(INTERNAL, TIME)
    taken_at: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    failing_since: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    failure: str | None = clear(INTERNAL, Text, pattern="^[a-z_]{1,40}$", nullable=True, value=None)
