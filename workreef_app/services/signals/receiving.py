"""Operations of whoever sends a file: open an import, hand over its bytes, close it, look at it."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import zones
from workreef_app.services.access.models import Department
from workreef_app.services.jobs.queue import enqueue
from workreef_app.services.operation import Command, Conflict, Event, Invalid, Work, operation
from workreef_app.services.signals import spool
from workreef_app.services.signals.models import CHUNK_BYTES, ImportRun, RunStatus, Source, SourceKind
from workreef_app.services.signals.runs import IMPORTERS, Import, found, import_result, locked

JOB = "import"


class StartImport(Command):
    """`timezone` and `year` count for lines that name none; `gzip` says that the bytes are gzip data."""

    kind: SourceKind
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    department: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] | None = None
    timezone: Annotated[str, StringConstraints(pattern=zones.PATTERN)] = zones.DEFAULT
    year: Annotated[int, Field(ge=1970, le=9999)] | None = None
    gzip: bool = False


@operation("imports.start", by=IMPORTERS, limit="60/minute", audit=Event.IMPORT_STARTED)
def start_import(work: Work, command: StartImport) -> Import:
    """Opens an import into the source of a kind and a department."""
    if not zones.exists(command.timezone):
        raise Invalid("There is no such time zone.", fields={"timezone": "use a name such as Europe/Berlin"})
    department = _department(work, command.department)
    source = _source(work, command.kind, department)
    run = ImportRun(
        id=uuid7(), source_id=source.id, department_id=source.department_id, file_name=command.file_name,
        status=RunStatus.RECEIVING, time_zone=command.timezone, year=command.year, gzip=command.gzip, whole=False,
        chunks=0, bytes_received=0, bytes_counted=0, batches=0, lines=0, added=0, repeated=0, skipped={}, signals=0,
        new_tasks=0, started_at=work.now, received_at=work.now,
    )
    work.session.add(run)
    work.note(target=f"import:{run.id}", department=source.department_id, source=str(source.id))
    return import_result(run)


def _department(work: Work, slug: str | None) -> Department | None:
    if slug is None:
        return None
    row = work.session.scalars(select(Department).where(col(Department.slug) == slug)).first()
    if row is None:
        known = ", ".join(work.session.scalars(select(col(Department.slug)).order_by(col(Department.slug))))
        raise Invalid(f"There is no department {slug}.", fields={"department": f"known departments: {known or 'none'}"})
    return row


def _source(work: Work, kind: SourceKind, department: Department | None) -> Source:
    department_id = department.id if department else None
    known = work.session.scalars(
        select(Source).where(col(Source.kind) == kind, col(Source.department_id).is_not_distinct_from(department_id))
    ).first()
    if known is not None:
        return known
    name = f"Log files, {department.name}" if department else "Log files, no department"
    source = Source(
        id=uuid7(), kind=kind, department_id=department_id, name=name, revision=0, created_at=work.now
    )
    work.session.add(source)
    work.session.flush()
    return source


def _bytes(value: Any) -> Any:
    """Bytes as they are, or from base64, as JSON and forms carry them."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


class AddChunk(Command):
    import_id: UUID
    number: int = Field(ge=0, le=2**31 - 1)
    content: Annotated[
        bytes, Field(strict=True, min_length=1, max_length=CHUNK_BYTES), BeforeValidator(_bytes),
        WithJsonSchema({"type": "string", "contentEncoding": "base64", "maxLength": 4 * CHUNK_BYTES // 3 + 4}),
    ]


@operation("imports.add_chunk", by=IMPORTERS, limit="6000/minute", audit=Event.IMPORT_RECEIVED)
def add_chunk(work: Work, command: AddChunk) -> Import:
    """Keeps the next bytes of the file, sealed, until they are counted; chunks come in order, each once."""
    run = _receiving(work, command.import_id)
    if command.number != run.chunks:
        raise Conflict(f"Chunk {command.number} was sent, chunk {run.chunks} is next. Nothing was kept twice.")
    spool.add(work.session, run, command.content)
    run.received_at = work.now
    work.note(target=f"import:{run.id}", department=run.department_id, chunk=command.number,
              bytes=len(command.content))
    return import_result(run)


def _receiving(work: Work, run_id: UUID) -> ImportRun:
    run = locked(work, run_id)
    if run.status != RunStatus.RECEIVING:
        raise Conflict("This import takes no more of its file. Start another one.")
    return run


class CloseImport(Command):
    """`whole` is False when the sender was cut off: what came is counted up to its last whole line."""

    import_id: UUID
    whole: bool


@operation("imports.close", by=IMPORTERS, limit="60/minute", audit=Event.IMPORT_RECEIVED)
def close_import(work: Work, command: CloseImport) -> Import:
    """Says that no more of the file comes, and has what came counted."""
    run = _receiving(work, command.import_id)
    run.status, run.whole, run.received_at = RunStatus.QUEUED, command.whole, work.now
    run.job_id = enqueue(work, JOB, subject=run.id, department=run.department_id)
    work.note(target=f"import:{run.id}", department=run.department_id, whole=command.whole, bytes=run.bytes_received)
    return import_result(run)


class ReadImport(Command):
    import_id: UUID


@operation("imports.read", by=IMPORTERS, limit="600/minute", audit=None)
def read_import(work: Work, command: ReadImport) -> Import:
    """Reads how far an import is, and its account so far."""
    return import_result(found(work, command.import_id))
