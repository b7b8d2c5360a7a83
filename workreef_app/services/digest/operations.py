"""The digest of a person's scope, and a contributor's one sentence."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlmodel import col

from workreef_app.services.operation import WORK_READERS, Command, Event, Persona, Result, Work, operation
from workreef_app.services.recommend import reading
from workreef_app.services.recommend.models import Proposal, ProposalStatus, Recommendation, Task
from workreef_app.services.recommend.operations import DepartmentSlug
from workreef_app.services.recommend.reading import DepartmentChoice, TaskRow
from workreef_app.services.signals.models import Source

OPPORTUNITIES = 10
RECENT = timedelta(days=7)
_RANK = case(
    (col(Proposal.recommendation) == Recommendation.DO_NOW, 0), (col(Proposal.recommendation) == Recommendation.PILOT, 1),
    (col(Proposal.recommendation) == Recommendation.LATER, 2), else_=3,
)


class ReadDigest(Command):
    department: DepartmentSlug = ""


class Digest(Result):
    """What needs the reader, what is new, and the best opportunities in scope."""

    to_review: int
    to_pilot: int
    new_tasks: int
    new_since: datetime
    tasks: int
    opportunities: list[TaskRow]
    sources: int
    as_of: datetime | None
    departments: list[DepartmentChoice]


@operation("digest.read", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def read_digest(work: Work, command: ReadDigest) -> Digest:
    """Reads the digest of the reader's scope."""
    since = work.now - RECENT
    query = reading.filtered(reading.task_query(), department=command.department)
    waiting = query.where(col(Proposal.status).in_([ProposalStatus.OPEN, ProposalStatus.RETURNED]))
    best = work.session.execute(
        waiting.order_by(_RANK, col(Proposal.score).desc(), col(Proposal.id).desc()).limit(OPPORTUNITIES)
    ).all()
    opportunities = reading.rows(work, [(r.Task, r.Proposal) for r in best])
    work.note(target="digest", rows=len(opportunities))
    still_open = query.where(col(Proposal.status) == ProposalStatus.OPEN)
    return Digest(
        to_review=reading.count(work, still_open),
        to_pilot=reading.count(work, still_open.where(col(Proposal.recommendation) == Recommendation.PILOT)),
        new_tasks=reading.count(work, query.where(col(Task.created_at) >= since)),
        new_since=since, tasks=reading.count(work, query),
        opportunities=opportunities,
        sources=work.session.scalar(select(func.count()).select_from(Source)) or 0,
        as_of=work.session.scalar(select(func.max(col(Source.as_of)))),
        departments=reading.departments_of(work),
    )


class ReadMyWork(Command):
    pass


class MyWork(Result):
    """A contributor's own status, in words. Never a score, a saving or a percentage."""

    status: str
    changes: str
    ask: str


@operation("my_work.read", by=frozenset({Persona.CONTRIBUTOR}), limit="240/minute", audit=Event.DATA_READ)
def read_my_work(work: Work, command: ReadMyWork) -> MyWork:
    """Says in one sentence what is changing about a contributor's work."""
    work.note(target="my_work")
    return MyWork(
        status="Nothing about how you work has changed.",
        changes="No part of your work is handed to an agent. You will read it here before any part is.",
        ask=f"Ask your department's lead or an admin of {work.tenant.name}.",
    )
