"""From counted signals to tasks, analyses and proposals. Everything that decides is in the pure modules beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import tenant_settings
from workreef_app.services.operation import Work
from workreef_app.services.recommend.gate import Outcome, Thresholds, place, recommend
from workreef_app.services.recommend.heuristics import draft
from workreef_app.services.recommend.measures import Counts, Measures, measure
from workreef_app.services.recommend.models import Analysis, AnalysisKind, Decision, Proposal, ProposalStatus, Task
from workreef_app.services.recommend.words import health, trouble
from workreef_app.services.signals.likeness import ANY
from workreef_app.services.signals.miner import text
from workreef_app.services.signals.models import Signal, Source
from workreef_app.services.signals.state import decode

TITLE = 160
#: A proposal that a person has settled keeps the analysis that they saw.
UNSETTLED = frozenset({ProposalStatus.OPEN, ProposalStatus.RETURNED})


def title_of(signal: Signal) -> str:
    """What the task is called: its signal's template with its variables left out, cut to a line."""
    words = text(decode(signal.template_id, signal.template)).replace(ANY, "…")
    return words if len(words) <= TITLE else f"{words[: TITLE - 1]}…"


def thresholds(settings: dict[str, int]) -> Thresholds:
    """The gate's thresholds as the tenant has set them."""
    return Thresholds(
        settings["recommend.min_days"], settings["recommend.min_uniformity"], settings["recommend.min_handling"]
    )


def counts(signal: Signal) -> Counts:
    return Counts(signal.times, signal.days, signal.hours, signal.constant_tokens, signal.total_tokens)


def measures_of(session: Session, task_ids: Iterable[UUID], window_days: int) -> dict[UUID, Measures]:
    """The measures of tasks, from the stored counts of their signals, which may have been made over another window
    than the one set now. `window_days` counts for what has none."""
    signals: dict[UUID, list[Counts]] = defaultdict(list)
    windows: dict[UUID, int] = {}
    for signal in session.scalars(select(Signal).where(col(Signal.task_id).in_(list(task_ids)))):
        if signal.task_id is not None:
            signals[signal.task_id].append(counts(signal))
            if signal.window_from and signal.window_to:
                windows[signal.task_id] = (signal.window_to - signal.window_from).days
    return {task_id: measure(found, windows.get(task_id, window_days)) for task_id, found in signals.items()}


def refresh(work: Work, source: Source) -> int:
    """Makes a task of every signal that now recurs, and renews unsettled proposals. Returns how many tasks are new."""
    settings = tenant_settings.read(work.session)
    new = _make_tasks(work, source, settings["signals.min_times"])
    by_task: dict[UUID, list[Signal]] = defaultdict(list)
    for signal in work.session.scalars(
        select(Signal).where(col(Signal.source_id) == source.id, col(Signal.task_id).is_not(None))
    ):
        if signal.task_id is not None:
            by_task[signal.task_id].append(signal)
    ids = list(by_task)
    tasks = {t.id: t for t in work.session.scalars(select(Task).where(col(Task.id).in_(ids)))}
    proposals = {p.task_id: p for p in work.session.scalars(select(Proposal).where(col(Proposal.task_id).in_(ids)))}
    for task_id, signals in by_task.items():
        proposal = proposals.get(task_id)
        if proposal is None or proposal.status in UNSETTLED:
            # Its template may have become more general since the task was found.
            tasks[task_id].title = title_of(max(signals, key=lambda signal: signal.times))
            _propose(work, settings, task_id, source.department_id, signals, proposal)
    work.session.flush()
    _drop_orphans(work.session)
    return new


def _make_tasks(work: Work, source: Source, min_times: int) -> int:
    new = list(work.session.scalars(select(Signal).where(
        col(Signal.source_id) == source.id, col(Signal.times) >= min_times, col(Signal.task_id).is_(None)
    )))
    for signal in new:
        task = Task(id=uuid7(), department_id=source.department_id, title=title_of(signal), created_at=work.now)
        work.session.add(task)
        signal.task_id = task.id
    work.session.flush()
    return len(new)


def _drop_orphans(session: Session) -> None:
    """Removes undecided tasks that no signal points at: their signal turned out to be part of another's."""
    has_signal = select(col(Signal.id)).where(col(Signal.task_id) == col(Task.id)).exists()
    decided = (
        select(col(Decision.id)).join(Proposal, col(Proposal.id) == col(Decision.proposal_id))
        .where(col(Proposal.task_id) == col(Task.id)).exists()
    )
    orphans = list(session.scalars(select(col(Task.id)).where(~has_signal, ~decided)))
    for table, column in ((Proposal, Proposal.task_id), (Analysis, Analysis.task_id), (Task, Task.id)):
        session.execute(delete(table).where(col(column).in_(orphans)))


def _propose(
    work: Work, settings: dict[str, int], task_id: UUID, department_id: UUID | None, signals: list[Signal],
    proposal: Proposal | None,
) -> None:
    limits = thresholds(settings)
    measures = measure(map(counts, signals), settings["signals.window_days"])
    words = " ".join(title_of(signal) for signal in signals)
    outcome = recommend(
        measures, limits, asks_for_work=bool(trouble(words)), health_data=bool(health(words)), panel=None
    )
    body = asdict(draft(measures, limits, outcome, trouble(words), health(words)))
    analysis = _analysis(work.session, task_id, proposal, body, work.now)
    if proposal is None:
        proposal = Proposal(
            id=uuid7(), task_id=task_id, analysis_id=analysis.id, department_id=department_id,
            recommendation=outcome.recommendation, before_gate=outcome.before_gate, reason=outcome.reason.value,
            score=place(outcome.recommendation, measures), status=ProposalStatus.OPEN, created_at=work.now,
            updated_at=work.now,
        )
        work.session.add(proposal)
        return
    _renew(proposal, outcome, measures, analysis.id, work.now)


def _renew(proposal: Proposal, outcome: Outcome, measures: Measures, analysis_id: UUID, now: datetime) -> None:
    proposal.analysis_id = analysis_id
    proposal.recommendation = outcome.recommendation
    proposal.before_gate = outcome.before_gate
    proposal.reason = outcome.reason.value
    proposal.score = place(outcome.recommendation, measures)
    proposal.updated_at = now


def _analysis(
    session: Session, task_id: UUID, proposal: Proposal | None, body: dict[str, object], now: datetime
) -> Analysis:
    """The analysis with this body: the proposal's own when nothing changed, else a new one."""
    if proposal is not None:
        current = session.get(Analysis, proposal.analysis_id)
        if current is not None and current.body == _plain(body):
            return current
    analysis = Analysis(id=uuid7(), task_id=task_id, kind=AnalysisKind.HEURISTIC, body=_plain(body), created_at=now)
    session.add(analysis)
    session.flush()
    return analysis


def _plain(body: dict[str, object]) -> dict[str, object]:
    """The body as JSON gives it back: tuples are lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in body.items()}
