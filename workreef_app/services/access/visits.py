"""A person's visits: when one ends, and since when something is new to them.

A visit is activity without a break of half an hour. Polls and open sockets are no activity, so a page that is left
open does not keep a visit going.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.access.models import PersonVisit, SessionRow

BREAK = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Visit:
    """The visit that goes on: its newest activity, and when the one before it ended; None on the first."""

    last_seen: datetime
    previous_end: datetime | None


def decide(last_seen: datetime | None, previous_end: datetime | None, now: datetime) -> Visit:
    """The visit to which an activity at `now` belongs, given what was known before it.

    A visit ends with its last activity, not when the break after it is over: what came in the break was not seen. A
    clock that ran backwards neither ends a visit nor takes anything back.
    """
    if last_seen is None:
        return Visit(now, None)
    if now - last_seen < BREAK:
        return Visit(max(last_seen, now), previous_end)
    return Visit(now, last_seen)


def current(session: Session, person_id: UUID, now: datetime) -> Visit:
    """The visit that a person is on now, whether it is recorded already or not."""
    row = session.get(PersonVisit, person_id)
    return decide(row.last_seen, row.previous_visit_end, now) if row else decide(None, None, now)


def seen(session: Session, person_id: UUID, now: datetime) -> None:
    """Records activity of a person."""
    first = insert(PersonVisit).values(person_id=person_id, last_seen=now).on_conflict_do_nothing()
    session.execute(first)
    row = session.scalars(
        select(PersonVisit).where(col(PersonVisit.person_id) == person_id).with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    visit = decide(row.last_seen, row.previous_visit_end, now)
    row.last_seen, row.previous_visit_end = visit.last_seen, visit.previous_end


def seen_in(session: Session, session_id: UUID, now: datetime) -> None:
    """Records activity of the person whose signed-in browser this is."""
    person_id = session.scalars(select(col(SessionRow.person_id)).where(col(SessionRow.id) == session_id)).first()
    if person_id is not None:
        seen(session, person_id, now)
