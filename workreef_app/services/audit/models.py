"""Tenant tables of the audit chain. The app role may read them; only `audit_append` writes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Computed, LargeBinary, Text

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
    target: str | None = clear(INTERNAL, Text, _from_content("target"), nullable=True, index=True)
    department: str | None = clear(INTERNAL, Text, _from_content("department"), nullable=True)


class AuditHead(TenantTable, table=True):
    """The one row that says where the chain stands; locked while an entry is appended."""

    __tablename__ = "audit_head"

    only: bool = clear(INTERNAL, Boolean, primary_key=True)
    seq: int = clear(INTERNAL, BigInteger)
    chain_hash: bytes = clear(INTERNAL, LargeBinary, octets=32)
