"""Reading tasks with their proposal and measures, as rows for lists and pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.access import tenant_settings
from workreef_app.services.access.models import Department
from workreef_app.services.operation import Result, Work
from workreef_app.services.paging import Query
from workreef_app.services.recommend.gate import Reason
from workreef_app.services.recommend.heuristics import REASONS
from workreef_app.services.recommend.measures import Measures
from workreef_app.services.recommend.models import Decision, Proposal, ProposalStatus, Recommendation, Task
from workreef_app.services.recommend.tasks import measures_of
from workreef_app.services.signals.models import Signal, Source


class TaskRow(Result):
    """A task with its measures and its proposal. `uniformity` and `handling` in thousandths; None is unknown."""

    task_id: UUID
    proposal_id: UUID
    title: str
    department: str
    recommendation: Recommendation
    before_gate: Recommendation
    reason: str
    reason_text: str
    status: ProposalStatus
    score: int
    times: int
    days: int
    window_days: int
    uniformity: int | None
    handling: int | None
    sources: list[str]
    as_of: datetime | None


class DepartmentChoice(Result):
    """A department that a list can be limited to."""

    slug: str
    name: str


class TaskPage(Result):
    """A page of tasks, best first, with the departments to choose from. `next` is empty on the last page."""

    rows: list[TaskRow]
    count: int
    next: str
    departments: list[DepartmentChoice]


def task_query() -> Query:
    """Tasks with their proposals, in the actor's scope."""
    return select(Task, Proposal).join(Proposal, col(Proposal.task_id) == col(Task.id))


def filtered(
    query: Query, *, department: str = "", recommendation: Recommendation | None = None,
    status: ProposalStatus | None = None, since: datetime | None = None, decided: Query | None = None,
) -> Query:
    """The query limited to what the filters name; `decided` gives the proposals that somebody decided about."""
    if department:
        query = query.join(Department, col(Department.id) == col(Task.department_id))
        query = query.where(col(Department.slug) == department)
    if recommendation is not None:
        query = query.where(col(Proposal.recommendation) == recommendation)
    if status is not None:
        query = query.where(col(Proposal.status) == status)
    if since is not None:
        query = query.where(col(Task.created_at) >= since)
    if decided is not None:
        query = query.where(col(Proposal.id).in_(decided))
    return query


def decided_by_others(work: Work, since: datetime) -> Query:
    """The proposals about which somebody but the reader has decided since then."""
    query = select(col(Decision.proposal_id)).where(col(Decision.at) >= since)
    return query.where(col(Decision.person_id) != work.actor.person_id) if work.actor.person_id else query


def page(work: Work, query: Query, after: str, limit: int) -> TaskPage:
    """One page of a task query, highest score first."""
    total = paging.total(work.session, query)
    if after:
        query = query.where(tuple_(col(Proposal.score), col(Proposal.id)) < tuple_(*paging.decode_number(after)))
    ordered = query.order_by(col(Proposal.score).desc(), col(Proposal.id).desc()).limit(limit + 1)
    found = work.session.execute(ordered).all()
    shown = found[:limit]
    cursor = paging.encode(shown[-1].Proposal.score, shown[-1].Proposal.id) if len(found) > limit else ""
    return TaskPage(
        rows=rows(work, [(r.Task, r.Proposal) for r in shown]), count=total, next=cursor,
        departments=departments_of(work),
    )


def departments_of(work: Work) -> list[DepartmentChoice]:
    """The departments of the sources in the actor's scope, by slug."""
    query = select(Department).where(
        col(Department.id).in_(select(col(Source.department_id)).where(col(Source.department_id).is_not(None)))
    ).order_by(col(Department.slug))
    return [DepartmentChoice(slug=d.slug, name=d.name) for d in work.session.scalars(query)]


@dataclass(slots=True)
class Shown:
    """Which sources show a task, and the newest line that its numbers were counted up to."""

    sources: set[str] = field(default_factory=set)
    as_of: datetime | None = None


def rows(work: Work, pairs: Sequence[tuple[Task, Proposal]]) -> list[TaskRow]:
    """Rows of tasks, with their measures, departments and sources."""
    window = tenant_settings.read(work.session)["signals.window_days"]
    ids = [task.id for task, _ in pairs]
    measures = measures_of(work.session, ids, window)
    shown = _shown(work, ids)
    departments = {d.id: d.name for d in work.session.scalars(select(Department))}
    return [
        _row(task, proposal, measures.get(task.id, Measures(0, 0, window, None, None)), shown[task.id], departments)
        for task, proposal in pairs
    ]


def _shown(work: Work, task_ids: Sequence[UUID]) -> dict[UUID, Shown]:
    found: dict[UUID, Shown] = defaultdict(Shown)
    query = (
        select(Signal, Source).join(Source, col(Source.id) == col(Signal.source_id))
        .where(col(Signal.task_id).in_(task_ids))
    )
    for signal, source in work.session.execute(query):
        if signal.task_id is not None:
            of_task = found[signal.task_id]
            of_task.sources.add(source.name)
            of_task.as_of = max(filter(None, (of_task.as_of, signal.window_to)), default=None)
    return found


def _row(
    task: Task, proposal: Proposal, measures: Measures, shown: Shown, departments: dict[UUID, str]
) -> TaskRow:
    return TaskRow(
        task_id=task.id, proposal_id=proposal.id, title=task.title,
        department=departments.get(task.department_id, "") if task.department_id else "",
        recommendation=proposal.recommendation, before_gate=proposal.before_gate, reason=proposal.reason,
        reason_text=REASONS[Reason(proposal.reason)], status=proposal.status, score=proposal.score,
        times=measures.times, days=measures.days, window_days=measures.window_days,
        uniformity=measures.uniformity, handling=measures.handling, sources=sorted(shown.sources),
        as_of=shown.as_of,
    )
