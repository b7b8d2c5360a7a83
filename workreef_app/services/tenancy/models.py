"""Tables of the control plane. No customer content, ever."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, LargeBinary, Text, Uuid
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class ControlTable(SQLModel, registry=registry()):
    """Base of every table in the control plane's database."""


class TenantStatus(StrEnum):
    """Where a tenant stands. `provisioning` left behind by a crash is begun again under the same slug."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"


class PlatformKey(ControlTable, table=True):
    """The platform's own data key, wrapped by the key of WORKREEF_PLATFORM_KEY."""

    __tablename__ = "platform_key"

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    reference: str = Field(sa_column=Column(Text, nullable=False))
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Cluster(ControlTable, table=True):
    """A Postgres server in a region, on which tenant databases live."""

    __tablename__ = "cluster"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    region: str = Field(sa_column=Column(Text, nullable=False))


class TenantRow(ControlTable, table=True):
    """A customer: its database, roles and wrapped data key. Passwords are sealed under the platform's key."""

    __tablename__ = "tenant"

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    slug: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    hipaa: bool = Field(sa_column=Column(Boolean, nullable=False))
    demo: bool = Field(sa_column=Column(Boolean, nullable=False))
    cluster: str = Field(sa_column=Column(Text, ForeignKey("cluster.name"), nullable=False))
    database: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    owner_password: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    app_password: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key_reference: str = Field(sa_column=Column(Text, nullable=False))
    key_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    wrapped_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class SigningKey(ControlTable, table=True):
    """A key that signs checkpoints; the one that is not retired signs. `private` is sealed under the platform's key."""

    __tablename__ = "signing_key"

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    public: bytes = Field(sa_column=Column(LargeBinary, unique=True, nullable=False))
    private: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    retired_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True), default=None)


class CheckpointCopy(ControlTable, table=True):
    """A checkpoint as a tenant's log had it: what a restored or rewritten tenant database cannot take back."""

    __tablename__ = "checkpoint"

    log_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    size: int = Field(sa_column=Column(BigInteger, primary_key=True))
    note: str = Field(sa_column=Column(Text, nullable=False))
    kept_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class PlatformEntry(ControlTable, table=True):
    """An entry of the platform's own audit chain; `platform_append` alone adds any."""

    __tablename__ = "platform_entry"

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    content: str = Field(sa_column=Column(Text, nullable=False))
    chain_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PlatformHead(ControlTable, table=True):
    """The one row that says where the platform's chain stands; locked while an entry is appended."""

    __tablename__ = "platform_head"

    only: bool = Field(sa_column=Column(Boolean, primary_key=True))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    chain_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SignUpRow(ControlTable, table=True):
    """A sign-up that waits for its link. `asked` is sealed under the platform's key, and gone once it is used."""

    __tablename__ = "signup"

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    token_hash: bytes = Field(sa_column=Column(LargeBinary, unique=True, nullable=False))
    asked: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True), default=None)
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    used_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True), default=None)
