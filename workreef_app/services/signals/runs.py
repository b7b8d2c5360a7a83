"""Imports as rows and as results: found, locked, and told in words."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.operation import NotFound, Persona, Result, Work
from workreef_app.services.signals.foreign import TOLD as FAULTS_TOLD
from workreef_app.services.signals.foreign import Fault
from workreef_app.services.signals.models import ImportRun, RunStatus, Source, StopReason

IMPORTERS: Final = frozenset({Persona.ADMIN})

_TOLD: Final[dict[StopReason, str]] = {
    StopReason.CANCELLED: "It was cancelled.",
    StopReason.INTERRUPTED: "The file stopped coming before its end.",
    StopReason.FAILED: "Counting failed; retry its job, and it goes on from its last step.",
    StopReason.DISK_FULL: "The disk of the database is full; free some space, then retry its job.",
    StopReason.ABANDONED: "Nothing more of the file came for an hour.",
}


class Import(Result):
    """An import and its account of every line.

    `bytes_received` and `bytes_counted` are of the file as it was sent, `chunks` is the number of the next chunk.
    `told` says why it stopped, in a sentence; empty for one that did not. `lines` is the sum of `added`, `repeated`
    (known before) and all that were `skipped`.
    """

    id: UUID
    source_id: UUID
    job_id: UUID | None
    status: RunStatus
    reason: StopReason | None
    fault: str | None
    told: str
    file_name: str
    chunks: int
    bytes_received: int
    bytes_counted: int
    lines: int
    added: int
    repeated: int
    skipped: dict[str, int]
    signals: int
    new_tasks: int
    started_at: datetime
    finished_at: datetime | None


def import_result(run: ImportRun) -> Import:
    """An import as it is shown."""
    return Import(
        id=run.id, source_id=run.source_id, job_id=run.job_id, status=RunStatus(run.status),
        reason=StopReason(run.reason) if run.reason else None, fault=run.fault, told=_told(run),
        file_name=run.file_name, chunks=run.chunks, bytes_received=run.bytes_received,
        bytes_counted=run.bytes_counted, lines=run.lines, added=run.added, repeated=run.repeated,
        skipped=dict(run.skipped), signals=run.signals, new_tasks=run.new_tasks, started_at=run.started_at,
        finished_at=run.finished_at,
    )


def _told(run: ImportRun) -> str:
    if run.reason == StopReason.UNREADABLE and run.fault in set(Fault):
        return FAULTS_TOLD[Fault(run.fault)]
    return _TOLD.get(StopReason(run.reason), "") if run.reason else ""


def found(work: Work, run_id: UUID | None) -> ImportRun:
    """The import of an id. Raises NotFound."""
    run = work.session.scalars(select(ImportRun).where(col(ImportRun.id) == run_id)).first()
    if run is None:
        raise NotFound("import", str(run_id))
    return run


def locked(work: Work, run_id: UUID | None) -> ImportRun:
    """The import of an id as it is now, locked until the transaction ends. Raises NotFound."""
    run = work.session.scalars(
        select(ImportRun).where(col(ImportRun.id) == run_id).with_for_update().execution_options(populate_existing=True)
    ).first()
    if run is None:
        raise NotFound("import", str(run_id))
    return run


def source_of(work: Work, run: ImportRun) -> Source:
    """The source that the import adds to, locked until the transaction ends."""
    return work.session.scalars(select(Source).where(col(Source.id) == run.source_id).with_for_update()).one()
