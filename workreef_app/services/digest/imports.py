"""The list of imports that ended, which the digest counts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.digest.since import ended
from workreef_app.services.operation import WORK_READERS, Command, Event, Result, Work, operation
from workreef_app.services.signals.models import ImportRun, RunStatus, StopReason

PAGE = 25


class ListImports(Command):
    since: AwareDatetime | None = None
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


class EndedImport(Result):
    """An import that ended: what it read, how that went, and why it stopped before its end if it did."""

    id: UUID
    file_name: str
    source: str
    status: RunStatus
    reason: StopReason | None
    lines: int
    added: int
    repeated: int
    new_tasks: int
    started_at: datetime
    finished_at: datetime


class ImportPage(Result):
    """A page of imports, the one that ended last first. `next` is empty on the last page."""

    rows: list[EndedImport]
    count: int
    next: str


@operation("imports.list", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def list_imports(work: Work, command: ListImports) -> ImportPage:
    """Lists the imports in scope that ended, newest first."""
    query = ended(command.since)
    count = paging.total(work.session, query)
    ordered = paging.newest_first(query, col(ImportRun.finished_at), col(ImportRun.id), command.after)
    found = work.session.execute(ordered.limit(command.limit + 1)).all()
    page = found[: command.limit]
    work.note(target="import", rows=len(page))
    last = page[-1].ImportRun if len(found) > command.limit else None
    return ImportPage(
        rows=[_row(row.ImportRun, row.Source.name) for row in page], count=count,
        next=paging.encode(last.finished_at, last.id) if last else "",
    )


def _row(run: ImportRun, source: str) -> EndedImport:
    return EndedImport(
        id=run.id, file_name=run.file_name, source=source, status=RunStatus(run.status),
        reason=StopReason(run.reason) if run.reason else None, lines=run.lines, added=run.added, repeated=run.repeated,
        new_tasks=run.new_tasks, started_at=run.started_at, finished_at=run.finished_at or run.started_at,
    )
