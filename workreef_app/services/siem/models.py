"""The table of the feed to a SIEM."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, DateTime, Text

from workreef_app.services.siem.formats import Format
from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear, one_of, sealed

INTERNAL, SECRET = Sensitivity.INTERNAL, Sensitivity.SECRET
TIME = DateTime(timezone=True)


class FeedKind(StrEnum):
    """How events are pushed."""

    WEBHOOK = "webhook"
    SYSLOG = "syslog"


class SiemFeed(TenantTable, table=True):
    """Where events are pushed, in one row. `sent_seq` is the last entry that was taken."""

    __tablename__ = "siem_feed"

    only: bool = clear(INTERNAL, Boolean, primary_key=True)
    kind: FeedKind = clear(INTERNAL, Text, pattern=one_of(FeedKind))
    format: Format = clear(INTERNAL, Text, pattern=one_of(Format))
    target: str = sealed(INTERNAL, limit=500)
    secret: str | None = sealed(SECRET, limit=80, nullable=True)
    sent_seq: int = clear(INTERNAL, BigInteger)
    taken_at: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    failing_since: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    failure: str | None = clear(INTERNAL, Text, pattern="^[a-z_]{1,40}$", nullable=True, value=None)
