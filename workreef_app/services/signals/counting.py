"""Signals' counts over their windows, and the observations behind each count.

A signal's window ends at its own newest line, not at today and not at another log's: a log that ended last year
still shows its last month, whatever was imported before or after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, distinct, func, select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.paging import Query
from workreef_app.services.signals.models import Observation, Signal, Source


@dataclass(frozen=True, slots=True)
class Behind:
    """How many observations a number stands on, and how many lines they hold."""

    count: int
    lines: int


def recount(session: Session, source: Source, window_days: int) -> int:
    """Counts every signal of the source over the window up to its newest line. Returns how many signals it has."""
    session.flush()
    newest = (
        select(col(Observation.signal_id), func.max(col(Observation.last_at)).label("at"))
        .where(col(Observation.source_id) == source.id).group_by(col(Observation.signal_id)).subquery()
    )
    start = newest.c.at - timedelta(days=window_days)
    day = func.date_trunc("day", func.timezone("UTC", col(Observation.hour)))
    counts = (
        select(
            newest.c.signal_id,
            start.label("window_from"),
            newest.c.at.label("window_to"),
            func.sum(col(Observation.lines)).label("times"),
            func.count(distinct(day)).label("days"),
            func.count().label("hours"),
            func.sum(col(Observation.constant_tokens)).label("constant_tokens"),
            func.sum(col(Observation.total_tokens)).label("total_tokens"),
        )
        .join(newest, and_(newest.c.signal_id == col(Observation.signal_id), col(Observation.hour) > start))
        .group_by(newest.c.signal_id, newest.c.at)
        .subquery()
    )
    counted = {name: counts.c[name] for name in counts.c.keys() if name != "signal_id"}  # noqa: SIM118
    session.execute(
        update(Signal).where(col(Signal.id) == counts.c.signal_id).values(counted)
        .execution_options(synchronize_session=False)
    )
    return signals_of(session, source.id)


def signals_of(session: Session, source_id: UUID) -> int:
    """How many signals a source has."""
    return session.scalar(select(func.count()).select_from(Signal).where(col(Signal.source_id) == source_id)) or 0


def in_window(query: Query, task_id: UUID) -> Query:
    """Limits a query on observations to those that the task's numbers were counted from."""
    return query.join(
        Signal, and_(col(Signal.id) == col(Observation.signal_id), col(Observation.hour) > col(Signal.window_from))
    ).where(col(Signal.task_id) == task_id)


def behind(session: Session, task_id: UUID) -> Behind | None:
    """The observations behind a task's numbers; None when there is no such task in scope."""
    if session.scalar(text("SELECT 1 FROM task WHERE id = :id"), {"id": task_id}) is None:
        return None
    row = session.execute(in_window(select(func.count(), func.sum(col(Observation.lines))), task_id)).one()
    return Behind(row[0], int(row[1] or 0))
