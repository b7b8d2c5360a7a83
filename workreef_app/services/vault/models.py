"""Tenant table of data keys: ids only; the wrapped key itself is in the control plane."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Uuid

from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear


class DataKey(TenantTable, table=True):
    """A data key that values of this tenant may be sealed under."""

    __tablename__ = "data_key"

    id: UUID = clear(Sensitivity.INTERNAL, Uuid, primary_key=True)
    created_at: datetime = clear(Sensitivity.INTERNAL, DateTime(timezone=True))
