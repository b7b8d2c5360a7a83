"""Tenant tables from sources to tasks' evidence."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Computed,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)

from workreef_app.services.access import zones
from workreef_app.services.vault.columns import (
    Sensitivity,
    TenantTable,
    clear,
    lookup,
    one_of,
    sealed,
    sealed_bytes,
    sealed_json,
    sealed_summary,
)

INTERNAL, PERSONAL = Sensitivity.INTERNAL, Sensitivity.PERSONAL
TIME = DateTime(timezone=True)

CHUNK_BYTES = 1 << 20
"""The most that a chunk of a file holds as it is sent."""

SPOOLED_BYTES = CHUNK_BYTES + 4096
"""The most that it takes once packed: what cannot be packed grows by a little."""


class SourceKind(StrEnum):
    """Systems that facts are read from."""

    LOG_FILE = "log_file"


class RunStatus(StrEnum):
    """How an import stands."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"


class StopReason(StrEnum):
    """Why an import ended before all of its file was counted."""

    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The sender was cut off; what came is counted."""
    FAILED = "failed"
    """It can be taken up again."""
    DISK_FULL = "disk_full"
    """It can be taken up again once there is room."""
    UNREADABLE = "unreadable"
    """`ImportRun.fault` says why."""
    ABANDONED = "abandoned"
    """The sender went away without a word."""


class Source(TenantTable, table=True):
    """A connected system of one department, or of none (then for admins only)."""

    __tablename__ = "source"
    __table_args__ = (
        UniqueConstraint("kind", "department_id", name="source_once", postgresql_nulls_not_distinct=True),
    )

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    kind: SourceKind = clear(INTERNAL, Text, pattern=one_of(SourceKind))
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    name: str = sealed(INTERNAL, limit=120)
    revision: int = clear(INTERNAL, BigInteger)
    as_of: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    created_at: datetime = clear(INTERNAL, TIME)


class ImportRun(TenantTable, table=True):
    """One import of one file: what it is, how far it has come, and an account of every line.

    `bytes_received` and `bytes_counted` are bytes as they were sent, `reader` is where the reader stands among the
    unpacked ones, and `batches` how many steps are counted. Without `whole`, the last line may be cut off.
    """

    __tablename__ = "import_run"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    source_id: UUID = clear(INTERNAL, Uuid, ForeignKey("source.id"), index=True)
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    file_name: str = sealed(PERSONAL, limit=255)
    status: RunStatus = clear(INTERNAL, Text, pattern=one_of(RunStatus))
    reason: StopReason | None = clear(INTERNAL, Text, pattern=one_of(StopReason), nullable=True, value=None)
    fault: str | None = clear(INTERNAL, Text, pattern="^[a-z0-9_]{1,40}$", nullable=True, value=None)
    job_id: UUID | None = clear(INTERNAL, Uuid, nullable=True, value=None)
    time_zone: str = clear(INTERNAL, Text, pattern=zones.PATTERN)
    year: int | None = clear(INTERNAL, Integer, nullable=True, value=None)
    gzip: bool = clear(INTERNAL, Boolean)
    whole: bool = clear(INTERNAL, Boolean)
    chunks: int = clear(INTERNAL, Integer)
    bytes_received: int = clear(INTERNAL, BigInteger)
    bytes_counted: int = clear(INTERNAL, BigInteger)
    reader: dict[str, int] | None = sealed_json(INTERNAL, limit=256, nullable=True)
    batches: int = clear(INTERNAL, Integer)
    lines: int = clear(INTERNAL, BigInteger)
    added: int = clear(INTERNAL, BigInteger)
    repeated: int = clear(INTERNAL, BigInteger)
    skipped: dict[str, int] = sealed_json(INTERNAL, limit=1024)
    signals: int = clear(INTERNAL, BigInteger)
    new_tasks: int = clear(INTERNAL, BigInteger)
    started_at: datetime = clear(INTERNAL, TIME)
    received_at: datetime = clear(INTERNAL, TIME)
    finished_at: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)


class SpoolChunk(TenantTable, table=True):
    """A piece of a file that an import has received and not yet counted; `start` is where it begins among the bytes.

    Gone as soon as it is counted, and with it the only raw text that there is.
    """

    __tablename__ = "spool_chunk"

    run_id: UUID = clear(INTERNAL, Uuid, ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    number: int = clear(INTERNAL, Integer, primary_key=True, autoincrement=False)
    start: int = clear(INTERNAL, BigInteger)
    size: int = clear(INTERNAL, Integer)
    content: bytes = sealed_bytes(PERSONAL, limit=SPOOLED_BYTES)


class SeenLine(TenantTable, table=True):
    """How often a line has been counted, so that importing it again adds nothing."""

    __tablename__ = "seen_line"

    source_id: UUID = clear(INTERNAL, Uuid, ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    digest: bytes = clear(INTERNAL, LargeBinary, octets=16, primary_key=True)
    lines: int = clear(INTERNAL, Integer)
    run_id: UUID = clear(INTERNAL, Uuid)
    run_lines: int = clear(INTERNAL, Integer)


class Signal(TenantTable, table=True):
    """A cluster of like observations from one source, and its counts over the window that ends at `window_to`."""

    __tablename__ = "signal"
    __table_args__ = (UniqueConstraint("source_id", "template_id", name="signal_template"),)

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    source_id: UUID = clear(INTERNAL, Uuid, ForeignKey("source.id"))
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    task_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("task.id"), nullable=True, value=None, index=True)
    template_id: int = clear(INTERNAL, BigInteger)
    template: Any = sealed_json(PERSONAL, limit=65536)
    times: int = clear(INTERNAL, BigInteger)
    days: int = clear(INTERNAL, Integer)
    hours: int = clear(INTERNAL, Integer)
    constant_tokens: int = clear(INTERNAL, BigInteger)
    total_tokens: int = clear(INTERNAL, BigInteger)
    window_from: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)
    window_to: datetime | None = clear(INTERNAL, TIME, nullable=True, value=None)


class Observation(TenantTable, table=True):
    """One minimal fact: like lines of one signal within one hour, with their count."""

    __tablename__ = "observation"
    __table_args__ = (UniqueConstraint("signal_id", "hour", name="observation_hour"),)

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    source_id: UUID = clear(INTERNAL, Uuid, ForeignKey("source.id"), index=True)
    signal_id: UUID = clear(INTERNAL, Uuid, ForeignKey("signal.id"))
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    hour: datetime = clear(INTERNAL, TIME)
    lines: int = clear(INTERNAL, BigInteger)
    constant_tokens: int = clear(INTERNAL, BigInteger)
    total_tokens: int = clear(INTERNAL, BigInteger)
    first_at: datetime = clear(INTERNAL, TIME)
    last_at: datetime = clear(INTERNAL, TIME)
    handler_index: bytes | None = lookup(nullable=True)
    summary: str = sealed_summary(PERSONAL)
    summary_key: UUID | None = clear(
        INTERNAL, Uuid,
        Computed("(encode(substring(summary from 2 for 16), 'hex'))::uuid", persisted=True),
        ForeignKey("data_key.id"), nullable=True, value=None,
    )


class PersonNote(TenantTable, table=True):
    """What a person added about their own work (the source kind `note`): for them and one of their departments."""

    __tablename__ = "person_note"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id", ondelete="CASCADE"), index=True)
    department_id: UUID = clear(INTERNAL, Uuid, ForeignKey("department.id"), index=True)
    body: str = sealed(PERSONAL, limit=2000)
    created_at: datetime = clear(INTERNAL, TIME)
