"""Operations on tasks and proposals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints
from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import people, tenant_settings
from workreef_app.services.operation import (
    DECIDERS,
    WORK_READERS,
    Command,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Result,
    Work,
    operation,
)
from workreef_app.services.recommend import reading
from workreef_app.services.recommend.decisions import allowed, decide
from workreef_app.services.recommend.models import (
    Analysis,
    AnalysisKind,
    Choice,
    Decision,
    Proposal,
    ProposalStatus,
    Recommendation,
    Task,
)
from workreef_app.services.recommend.reading import TaskPage, TaskRow
from workreef_app.services.signals.models import Observation, Signal, Source

PAGE = 25
SAMPLES = 3
DepartmentSlug = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")]


class ListTasks(Command):
    department: DepartmentSlug = ""
    recommendation: Recommendation | None = None
    status: ProposalStatus | None = None
    since: AwareDatetime | None = None
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


@operation("tasks.list", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def list_tasks(work: Work, command: ListTasks) -> TaskPage:
    """Lists tasks in scope, best first."""
    return _list(work, command, "task")


def _list(work: Work, command: ListTasks, kind: str) -> TaskPage:
    decided_since = command.decided_since if isinstance(command, ListProposals) else None
    query = reading.filtered(
        reading.task_query(), department=command.department, recommendation=command.recommendation,
        status=command.status, since=command.since,
        decided=reading.decided_by_others(work, decided_since) if decided_since else None,
    )
    found = reading.page(work, query, command.after, command.limit)
    work.note(target=kind, rows=len(found.rows))
    return found


class ListProposals(ListTasks):
    #: Limits the list to proposals about which others than the reader have decided since then.
    decided_since: AwareDatetime | None = None


@operation("proposals.list", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def list_proposals(work: Work, command: ListProposals) -> TaskPage:
    """Lists proposals in scope, best first."""
    return _list(work, command, "proposal")


class ReadTask(Command):
    task_id: UUID


class Evidence(Result):
    """What one source shows of a task: its counts, the span they cover, and samples."""

    source_id: UUID
    source: str
    kind: str
    times: int
    days: int
    hours: int
    window_from: datetime | None
    window_to: datetime | None
    samples: list[str]


class TaskDetail(Result):
    """A task with its evidence."""

    row: TaskRow
    evidence: list[Evidence]


@operation("tasks.read", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def read_task(work: Work, command: ReadTask) -> TaskDetail:
    """Reads one task with the evidence of its sources."""
    found = work.session.execute(reading.task_query().where(col(Task.id) == command.task_id)).one_or_none()
    if found is None:
        raise NotFound("task", command.task_id)
    work.note(target=f"task:{command.task_id}", department=found.Task.department_id)
    return TaskDetail(
        row=reading.rows(work, [(found.Task, found.Proposal)])[0], evidence=_evidence(work, command.task_id)
    )


def _evidence(work: Work, task_id: UUID) -> list[Evidence]:
    pairs = work.session.execute(
        select(Signal, Source).join(Source, col(Source.id) == col(Signal.source_id))
        .where(col(Signal.task_id) == task_id).order_by(col(Signal.times).desc())
    )
    return [
        Evidence(
            source_id=source.id, source=source.name, kind=source.kind, times=signal.times, days=signal.days,
            hours=signal.hours, window_from=signal.window_from, window_to=signal.window_to,
            samples=_samples(work, signal),
        )
        for signal, source in pairs
    ]


def _samples(work: Work, signal: Signal) -> list[str]:
    newest = (
        select(col(Observation.summary)).where(col(Observation.signal_id) == signal.id)
        .order_by(col(Observation.hour).desc()).limit(20)
    )
    return list(dict.fromkeys(work.session.scalars(newest)))[:SAMPLES]


class ReadProposal(Command):
    proposal_id: UUID


class AnalysisBody(Result):
    """An analysis in sentences, and how it was made."""

    kind: AnalysisKind
    summary: str
    points: list[str]
    unknown: list[str]
    created_at: datetime


class DecisionRow(Result):
    """One decision: who, what, why, when."""

    person: str
    choice: Choice
    reason: str
    at: datetime


class Threshold(Result):
    """From what on a pilot is proposed. Uniformity and handling in thousandths."""

    min_days: int
    min_uniformity: int
    min_handling: int


class ProposalDetail(Result):
    """A proposal with all that a person needs to decide it."""

    row: TaskRow
    evidence: list[Evidence]
    thresholds: Threshold
    analysis: AnalysisBody
    decisions: list[DecisionRow]
    choices: list[Choice]
    updated_at: datetime


@operation("proposals.read", by=WORK_READERS, limit="240/minute", audit=Event.DATA_READ)
def read_proposal(work: Work, command: ReadProposal) -> ProposalDetail:
    """Reads one proposal with its evidence, analysis and decisions."""
    found = work.session.execute(reading.task_query().where(col(Proposal.id) == command.proposal_id)).one_or_none()
    if found is None:
        raise NotFound("proposal", command.proposal_id)
    proposal: Proposal = found.Proposal
    work.note(target=f"proposal:{proposal.id}", department=proposal.department_id)
    settings = tenant_settings.read(work.session)
    may_decide = bool(work.actor.personas & DECIDERS)
    return ProposalDetail(
        row=reading.rows(work, [(found.Task, proposal)])[0],
        evidence=_evidence(work, proposal.task_id),
        thresholds=Threshold(
            min_days=settings["recommend.min_days"], min_uniformity=settings["recommend.min_uniformity"],
            min_handling=settings["recommend.min_handling"],
        ),
        analysis=_analysis(work, proposal),
        decisions=_decisions(work, proposal.id),
        choices=[c for c in Choice if may_decide and c in allowed(ProposalStatus(proposal.status))],
        updated_at=proposal.updated_at,
    )


def _analysis(work: Work, proposal: Proposal) -> AnalysisBody:
    analysis = work.session.get_one(Analysis, proposal.analysis_id)
    body: dict[str, Any] = analysis.body
    return AnalysisBody(kind=AnalysisKind(analysis.kind), created_at=analysis.created_at, **body)


def _decisions(work: Work, proposal_id: UUID) -> list[DecisionRow]:
    found = list(work.session.scalars(
        select(Decision).where(col(Decision.proposal_id) == proposal_id).order_by(col(Decision.id))
    ))
    names = people.names(work, (d.person_id for d in found))
    return [
        DecisionRow(person=names.get(d.person_id, "A colleague"), choice=Choice(d.choice), reason=d.reason, at=d.at)
        for d in found
    ]


class DecideProposal(Command):
    proposal_id: UUID
    choice: Choice
    reason: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""


class ProposalDecided(Result):
    """Where the proposal stands after the decision."""

    proposal_id: UUID
    status: ProposalStatus


@operation("proposals.decide", by=DECIDERS, limit="60/minute", audit=Event.PROPOSAL_DECIDED)
def decide_proposal(work: Work, command: DecideProposal) -> ProposalDecided:
    """Accepts, returns or declines a proposal; returning and declining need a reason."""
    if command.choice is not Choice.ACCEPT and not command.reason:
        raise Invalid("Say why.", fields={"reason": "is needed to return or decline"})
    proposal = work.session.scalars(
        select(Proposal).where(col(Proposal.id) == command.proposal_id).with_for_update()
    ).first()
    if proposal is None:
        raise NotFound("proposal", command.proposal_id)
    status = decide(ProposalStatus(proposal.status), command.choice)
    if status is None:
        raise Conflict(f"This proposal is {proposal.status} already.")
    if work.actor.person_id is None:
        raise Conflict("Only a person decides a proposal.")
    work.session.add(Decision(
        id=uuid7(), proposal_id=proposal.id, department_id=proposal.department_id, person_id=work.actor.person_id,
        choice=command.choice, reason=command.reason, at=work.now,
    ))
    before, proposal.status = proposal.status, status
    proposal.updated_at = work.now
    work.note(target=f"proposal:{proposal.id}", department=proposal.department_id, choice=command.choice.value,
              before=str(before), after=status.value, reason=bool(command.reason))
    return ProposalDecided(proposal_id=proposal.id, status=status)

