"""Tenant tables of the audit chain. The app role may read them; only `audit_append` writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Computed, DateTime, Index, LargeBinary, SmallInteger, Text

from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear

INTERNAL = Sensitivity.INTERNAL


def _from_content(name: str) -> Computed:
    return Computed(f"((content)::json ->> '{name}')", persisted=True)


class AuditEntry(TenantTable, table=True):
    """One entry. What filters and scope need is computed from `content`, so it cannot differ from what was hashed."""

    __tablename__ = "audit_entry"

    seq: int = clear(INTERNAL, BigInteger, primary_key=True, autoincrement=False)
    content: str = clear(INTERNAL, Text, limit=8192)
    chain_hash: bytes = clear(INTERNAL, LargeBinary, octets=32)
    at: str = clear(INTERNAL, Text, _from_content("at"), nullable=True)
    actor: str = clear(INTERNAL, Text, _from_content("actor"), nullable=True)
    event: str = clear(INTERNAL, Text, _from_content("event"), nullable=True)
    target: str | None = clear(INTERNAL, Text, _from_content("target"), nullable=True)
    department: str | None = clear(INTERNAL, Text, _from_content("department"), nullable=True)


class AuditLookup(TenantTable, table=True):
    """Where an entry is looked up. Filled by `audit_index` at each checkpoint: no append pays for these indexes."""

    __tablename__ = "audit_lookup"
    __table_args__ = (
        # Each filter of the list, with the number behind it: the newest entries come off the index in their order.
        Index("audit_lookup_target", "target", "seq"),
        Index("audit_lookup_actor", "actor", "seq"),
        Index("audit_lookup_event", "event", "seq"),
        Index("audit_lookup_department", "department", "seq"),
        Index("audit_lookup_at", "at", "seq"),
    )

    seq: int = clear(INTERNAL, BigInteger, primary_key=True, autoincrement=False)
    at: str = clear(INTERNAL, Text, limit=8192, nullable=True)
    actor: str = clear(INTERNAL, Text, limit=8192, nullable=True)
    event: str = clear(INTERNAL, Text, limit=8192, nullable=True)
    target: str | None = clear(INTERNAL, Text, limit=8192, nullable=True)
    department: str | None = clear(INTERNAL, Text, limit=8192, nullable=True)


class AuditHead(TenantTable, table=True):
    """The one row that says where the chain stands; locked while an entry is appended."""

    __tablename__ = "audit_head"

    only: bool = clear(INTERNAL, Boolean, primary_key=True)
    seq: int = clear(INTERNAL, BigInteger)
    chain_hash: bytes = clear(INTERNAL, LargeBinary, octets=32)


class AuditNode(TenantTable, table=True):
    """A node of the tree over the log: level 8 has one for every 256 entries, level 16 for 65,536 (`merkle.py`)."""

    __tablename__ = "audit_node"

    level: int = clear(INTERNAL, SmallInteger, primary_key=True, autoincrement=False)
    number: int = clear(INTERNAL, BigInteger, primary_key=True, autoincrement=False)
    hash: bytes = clear(INTERNAL, LargeBinary, octets=32)


class AuditCheckpoint(TenantTable, table=True):
    """What was signed of the log when it had `size` entries."""

    __tablename__ = "audit_checkpoint"

    size: int = clear(INTERNAL, BigInteger, primary_key=True, autoincrement=False)
    root: bytes = clear(INTERNAL, LargeBinary, octets=32)
    note: str = clear(INTERNAL, Text, limit=4096)
    made_at: datetime = clear(INTERNAL, DateTime(timezone=True))
