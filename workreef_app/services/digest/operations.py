"""The digest of a person's scope."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.digest.since import Since, since
from workreef_app.services.operation import WORK_READERS, Command, Event, Result, Work, operation
from workreef_app.services.recommend import reading
from workreef_app.services.recommend.models import Proposal, ProposalStatus, Recommendation, Task
from workreef_app.services.recommend.operations import DepartmentSlug
from workreef_app.services.recommend.reading import DepartmentChoice, TaskRow
from workreef_app.services.signals.models import ImportRun, Source

OPPORTUNITIES = 10
RECENT = timedelta(days=7)


class ReadDigest(Command):
    department: DepartmentSlug = ""


class LatestImport(Result):
    """The import that ended last in scope, and how many tasks have been found since it began."""

    file_name: str
    source: str
    started_at: datetime
    finished_at: datetime
    added: int
    new_tasks: int


class Digest(Result):
    """What needs the reader, what is new, and the best opportunities in scope."""

    to_review: int
    to_pilot: int
    new_tasks: int
    new_since: datetime
    since: Since
    tasks: int
    opportunities: list[TaskRow]
    sources: int
    as_of: datetime | None
    latest: LatestImport | None
    departments: list[DepartmentChoice]


@operation("digest.read", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def read_digest(work: Work, command: ReadDigest) -> Digest:
    """Reads the digest of the reader's scope."""
    recently = work.now - RECENT
    query = reading.filtered(reading.task_query(), department=command.department)
    waiting = query.where(col(Proposal.status).in_([ProposalStatus.OPEN, ProposalStatus.RETURNED]))
    best = work.session.execute(
        waiting.order_by(col(Proposal.score).desc(), col(Proposal.id).desc()).limit(OPPORTUNITIES)
    ).all()
    opportunities = reading.rows(work, [(r.Task, r.Proposal) for r in best])
    work.note(target="digest", rows=len(opportunities))
    still_open = query.where(col(Proposal.status) == ProposalStatus.OPEN)
    return Digest(
        to_review=paging.total(work.session, still_open),
        to_pilot=paging.total(work.session, still_open.where(col(Proposal.recommendation) == Recommendation.PILOT)),
        new_tasks=paging.total(work.session, query.where(col(Task.created_at) >= recently)),
        new_since=recently, since=since(work, query), tasks=paging.total(work.session, query),
        opportunities=opportunities,
        sources=work.session.scalar(select(func.count()).select_from(Source)) or 0,
        as_of=work.session.scalar(select(func.max(col(Source.as_of)))),
        latest=_latest(work),
        departments=reading.departments_of(work),
    )


def _latest(work: Work) -> LatestImport | None:
    found = work.session.execute(
        select(ImportRun, Source).join(Source, col(Source.id) == col(ImportRun.source_id))
        .where(col(ImportRun.finished_at).is_not(None)).order_by(col(ImportRun.finished_at).desc()).limit(1)
    ).one_or_none()
    if found is None:
        return None
    run: ImportRun = found.ImportRun
    found_since = reading.task_query().where(col(Task.created_at) >= run.started_at)
    return LatestImport(
        file_name=run.file_name, source=found.Source.name, started_at=run.started_at,
        finished_at=run.finished_at or run.started_at, added=run.added,
        new_tasks=paging.total(work.session, found_since),
    )
