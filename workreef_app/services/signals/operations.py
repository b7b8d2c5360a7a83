"""Operations on what was imported: the list of sources, and the observations behind a number."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select, true
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.operation import WORK_READERS, Command, Event, NotFound, Result, Work, operation
from workreef_app.services.signals import counting
from workreef_app.services.signals.models import ImportRun, Observation, Source, SourceKind
from workreef_app.services.signals.runs import Import as Import
from workreef_app.services.signals.runs import import_result

PAGE = 50


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
    if not counting.task_exists(work.session, command.task_id):
        raise NotFound("task", command.task_id)
    query = counting.in_window(select(Observation), command.task_id)
    ordered = paging.newest_first(query, col(Observation.hour), col(Observation.id), command.after)
    row = aliased(Observation, ordered.limit(command.limit + 1).subquery())
    # One statement sees one moment: the totals are of the same lines as the page, whatever is imported meanwhile.
    total = counting.behind(command.task_id).subquery()
    found = work.session.execute(
        select(total.c.count, total.c.lines, row).select_from(total).outerjoin(row, true())
        .order_by(col(row.hour).desc(), col(row.id).desc())
    ).all()
    rows = [each[2] for each in found if each[2] is not None]
    page = rows[: command.limit]
    work.note(target=f"task:{command.task_id}", rows=len(page))
    return Observations(
        rows=[ObservationRow(**{name: getattr(one, name) for name in ObservationRow.model_fields}) for one in page],
        count=found[0][0], lines=int(found[0][1] or 0),
        next=paging.encode(page[-1].hour, page[-1].id) if len(rows) > command.limit else "",
    )
