"""A source's counts over its window, and the observations behind each count.

The window ends at the source's newest line, not at today: a log that ended last year still shows its last month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Text, and_, cast, distinct, func, select, update
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
    if source.as_of is None:
        return 0
    session.flush()
    start = source.as_of - timedelta(days=window_days)
    day = cast(func.date_trunc("day", func.timezone("UTC", col(Observation.hour))), Text)
    counts = (
        select(
            col(Observation.signal_id),
            func.sum(col(Observation.lines)).label("times"),
            func.count(distinct(day)).label("days"),
            func.count().label("hours"),
            func.sum(col(Observation.constant_tokens)).label("constant_tokens"),
            func.sum(col(Observation.total_tokens)).label("total_tokens"),
        )
        .where(col(Observation.source_id) == source.id, col(Observation.hour) > start)
        .group_by(col(Observation.signal_id))
        .subquery()
    )
    of_source = col(Signal.source_id) == source.id
    session.execute(update(Signal).where(of_source).values(
        times=0, days=0, hours=0, constant_tokens=0, total_tokens=0, window_from=start, window_to=source.as_of,
    ).execution_options(synchronize_session=False))
    names = ("times", "days", "hours", "constant_tokens", "total_tokens")
    session.execute(
        update(Signal).where(of_source, col(Signal.id) == counts.c.signal_id).values({n: counts.c[n] for n in names})
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
    """The observations behind a task's numbers; None when no signal in scope points at it."""
    if session.scalar(select(func.count()).select_from(Signal).where(col(Signal.task_id) == task_id)) == 0:
        return None
    row = session.execute(in_window(select(func.count(), func.sum(col(Observation.lines))), task_id)).one()
    return Behind(row[0], int(row[1] or 0))
