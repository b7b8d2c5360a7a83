"""Operations on sources: import a file of lines, list sources, and the observations behind a number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services import paging
from workreef_app.services.access.models import Department
from workreef_app.services.operation import (
    WORK_READERS,
    Command,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Persona,
    Result,
    Work,
    operation,
)
from workreef_app.services.signals import counting
from workreef_app.services.signals.importing import RawLine, add_batch
from workreef_app.services.signals.models import ImportRun, Observation, RunStatus, Source, SourceKind
from workreef_app.services.signals.reader import Reason as SkipReason
from workreef_app.services.signals.timestamps import EARLIEST, LATEST

IMPORTERS = frozenset({Persona.ADMIN})
BATCH_LINES = 5000
MAX_MESSAGE = 65536
PAGE = 50


class StartImport(Command):
    kind: SourceKind
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    department: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] | None = None


class Import(Result):
    """An import and its account of every line."""

    id: UUID
    source_id: UUID
    status: RunStatus
    batches: int
    lines: int
    added: int
    repeated: int
    skipped: dict[str, int]


def import_result(run: ImportRun) -> Import:
    return Import(
        id=run.id, source_id=run.source_id, status=RunStatus(run.status), batches=run.batches, lines=run.lines,
        added=run.added, repeated=run.repeated, skipped=dict(run.skipped),
    )


@operation("imports.start", by=IMPORTERS, limit="60/minute", audit=Event.IMPORT_STARTED)
def start_import(work: Work, command: StartImport) -> Import:
    """Opens an import into the source of a kind and a department."""
    department = _department(work, command.department)
    source = _source(work, command.kind, department)
    run = ImportRun(
        id=uuid7(), source_id=source.id, department_id=source.department_id, file_name=command.file_name,
        status=RunStatus.RUNNING, batches=0, lines=0, added=0, repeated=0, skipped={}, started_at=work.now,
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
    found = work.session.scalars(
        select(Source).where(col(Source.kind) == kind, col(Source.department_id).is_not_distinct_from(department_id))
    ).first()
    if found is not None:
        return found
    name = f"Log files, {department.name}" if department else "Log files, no department"
    source = Source(
        id=uuid7(), kind=kind, department_id=department_id, name=name, revision=0, created_at=work.now
    )
    work.session.add(source)
    work.session.flush()
    return source


class LogLine(Command):
    at: Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]
    message: str = Field(max_length=MAX_MESSAGE)
    identity: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class AddLines(Command):
    import_id: UUID
    batch: int = Field(ge=0)
    lines: Annotated[list[LogLine], Field(max_length=BATCH_LINES)]
    skipped: dict[SkipReason, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)


@operation("imports.add_lines", by=IMPORTERS, limit="6000/minute", audit=Event.IMPORT_ADVANCED)
def add_lines(work: Work, command: AddLines) -> Import:
    """Counts one batch of lines; batches come in order, each once."""
    run = running(work, command.import_id)
    if command.batch != run.batches:
        raise Conflict(f"Batch {command.batch} was sent, batch {run.batches} is next. Nothing was counted twice.")
    source = work.session.scalars(select(Source).where(col(Source.id) == run.source_id).with_for_update()).one()
    lines = [RawLine(line.at.astimezone(UTC), line.message, bytes.fromhex(line.identity)) for line in command.lines]
    result = add_batch(work.session, work.tenant.id, source, run, lines)
    skipped = sum(command.skipped.values())
    run.batches += 1
    run.lines += len(lines) + skipped
    run.added += result.added
    run.repeated += result.repeated
    run.skipped = {**run.skipped, **{
        reason.value: run.skipped.get(reason.value, 0) + times for reason, times in command.skipped.items()
    }}
    work.note(target=f"import:{run.id}", department=run.department_id, batch=command.batch, added=result.added,
              repeated=result.repeated, skipped=skipped)
    return import_result(run)


def running(work: Work, import_id: UUID) -> ImportRun:
    run = work.session.scalars(select(ImportRun).where(col(ImportRun.id) == import_id).with_for_update()).first()
    if run is None:
        raise NotFound("import", import_id)
    if run.status != RunStatus.RUNNING:
        raise Conflict("This import has ended. Start another one.")
    return run


class ListSources(Command):
    pass


class SourceRow(Result):
    """A source, and its last import."""

    id: UUID
    kind: SourceKind
    name: str
    as_of: datetime | None
    signals: int
    last_import_at: datetime | None
    last_import: Import | None


class Sources(Result):
    """The sources in scope."""

    sources: list[SourceRow]


@operation("sources.list", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def list_sources(work: Work, command: ListSources) -> Sources:
    """Lists the sources in scope with their newest line and last import."""
    sources = work.session.scalars(select(Source).order_by(col(Source.id)))
    rows = [_source_row(work.session, source) for source in sources]
    work.note(target="source", rows=len(rows))
    return Sources(sources=rows)


def _source_row(session: Session, source: Source) -> SourceRow:
    run = session.scalars(
        select(ImportRun).where(col(ImportRun.source_id) == source.id).order_by(col(ImportRun.id).desc()).limit(1)
    ).first()
    return SourceRow(
        id=source.id, kind=SourceKind(source.kind), name=source.name, as_of=source.as_of,
        signals=counting.signals_of(session, source.id), last_import_at=run.started_at if run else None,
        last_import=import_result(run) if run else None,
    )


class ListObservations(Command):
    task_id: UUID
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


class ObservationRow(Result):
    """Like lines of one hour."""

    id: UUID
    hour: datetime
    lines: int
    summary: str
    first_at: datetime
    last_at: datetime
    source_id: UUID


class Observations(Result):
    """A page of observations, newest first. `lines` sums over all pages; `next` is empty on the last page."""

    rows: list[ObservationRow]
    count: int
    lines: int
    next: str


@operation("observations.list", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def list_observations(work: Work, command: ListObservations) -> Observations:
    """Lists the observations in a task's window: the rows behind its numbers."""
    total = counting.behind(work.session, command.task_id)
    if total is None:
        raise NotFound("task", command.task_id)
    query = counting.in_window(select(Observation), command.task_id)
    if command.after:
        last = tuple_(*paging.decode_time(command.after))
        query = query.where(tuple_(col(Observation.hour), col(Observation.id)) < last)
    newest_first = query.order_by(col(Observation.hour).desc(), col(Observation.id).desc())
    found = list(work.session.scalars(newest_first.limit(command.limit + 1)))
    page = found[: command.limit]
    work.note(target=f"task:{command.task_id}", rows=len(page))
    return Observations(
        rows=[ObservationRow(**{name: getattr(row, name) for name in ObservationRow.model_fields}) for row in page],
        count=total.count, lines=total.lines,
        next=paging.encode(page[-1].hour, page[-1].id) if len(found) > command.limit else "",
    )


