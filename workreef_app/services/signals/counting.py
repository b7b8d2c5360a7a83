"""Signals' counts over their windows, and the observations behind each count.

A signal's window ends at its own newest line, not at today and not at another log's: a log that ended last year
still shows its last month, whatever was imported before or after it.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, func, select, text
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.paging import Query
from workreef_app.services.signals.models import Observation, Signal, Source

# Hours begin at whole hours, so the newest line is in the newest hour. Days are added up from hours in two steps:
# counting distinct days in one would sort every hour.
_RECOUNT = text("""
WITH newest AS MATERIALIZED (
  SELECT s.id, n.last_at AS at FROM signal s CROSS JOIN LATERAL (
    SELECT o.last_at FROM observation o WHERE o.signal_id = s.id ORDER BY o.hour DESC LIMIT 1) n
  WHERE s.source_id = :source_id AND (CAST(:ids AS uuid[]) IS NULL OR s.id = ANY (CAST(:ids AS uuid[])))
), daily AS (
  SELECT n.id, n.at, sum(o.lines) AS times, count(*) AS hours,
    sum(o.constant_tokens) AS constant_tokens, sum(o.total_tokens) AS total_tokens
  FROM newest n JOIN observation o ON o.signal_id = n.id AND o.hour > n.at - make_interval(hours => 24 * :days)
  GROUP BY n.id, n.at, CAST(o.hour AT TIME ZONE 'UTC' AS date)
), counted AS (
  SELECT id, at, sum(times) AS times, count(*) AS days, sum(hours) AS hours,
    sum(constant_tokens) AS constant_tokens, sum(total_tokens) AS total_tokens
  FROM daily GROUP BY id, at
)
UPDATE signal s SET window_from = c.at - make_interval(hours => 24 * :days), window_to = c.at, times = c.times,
  days = c.days, hours = c.hours, constant_tokens = c.constant_tokens, total_tokens = c.total_tokens
FROM counted c WHERE c.id = s.id
""")


def recount(session: Session, source: Source, window_days: int, *, only: Collection[UUID] | None = None) -> int:
    """Counts the source's signals, or `only` those, over the window up to each one's newest line.

    Returns how many signals the source has.
    """
    session.flush()
    ids = None if only is None else list(only)
    session.execute(_RECOUNT, {"source_id": source.id, "ids": ids, "days": window_days})
    return signals_of(session, source.id)


def signals_of(session: Session, source_id: UUID) -> int:
    """How many signals a source has."""
    return session.scalar(select(func.count()).select_from(Signal).where(col(Signal.source_id) == source_id)) or 0


def in_window(query: Query, task_id: UUID) -> Query:
    """Limits a query on observations to those that the task's numbers were counted from."""
    return query.join(
        Signal, and_(col(Signal.id) == col(Observation.signal_id), col(Observation.hour) > col(Signal.window_from))
    ).where(col(Signal.task_id) == task_id)


def behind(task_id: UUID) -> Query:
    """How many observations the task's numbers stand on (`count`), and how many `lines` they hold."""
    return in_window(select(func.count().label("count"), func.sum(col(Observation.lines)).label("lines")), task_id)


def task_exists(session: Session, task_id: UUID) -> bool:
    """Whether there is such a task in scope."""
    return session.scalar(text("SELECT 1 FROM task WHERE id = :id"), {"id": task_id}) is not None
