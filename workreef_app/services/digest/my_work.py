"""A contributor's own screen: one calm sentence, whom to ask, and what they did. Never a score (P25)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.access.models import Department
from workreef_app.services.access.wording import listed
from workreef_app.services.audit.models import AuditEntry
from workreef_app.services.operation import Command, Event, Persona, Result, Work, operation

#: What an entry of one's own says in a sentence. Reads are left out: they change nothing.
WORDS: Mapping[str, str] = MappingProxyType({
    Event.SESSION_STARTED: "You signed in.",
    Event.SESSION_ENDED: "You signed out.",
    Event.SESSION_EXTENDED: "You stayed signed in.",
    Event.INVITATION_ACCEPTED: "You set your password and signed in.",
    Event.PERSON_CHANGED: "You changed your account.",
    Event.NOTE_ADDED: "You added a note.",
    Event.NOTE_WITHDRAWN: "You took a note back.",
    Event.AUDIT_VERIFIED: "You verified the audit log.",
    Event.SCOPE_DENIED: "You asked for something that is not open to you.",
})


class ReadMyWork(Command):
    before: int | None = Field(None, ge=1)
    limit: int = Field(20, ge=1, le=200)


class TimelineRow(Result):
    """Something that the reader did: the number of its audit entry, when, and what in words."""

    entry: int
    at: datetime
    text: str


class MyDepartment(Result):
    """A department that the reader belongs to."""

    slug: str
    name: str


class MyWork(Result):
    """A contributor's own status, in words. Never a score, a saving or a percentage.

    `next_before` goes on with the timeline, newest first; None at its end.
    """

    status: str
    changes: str
    ask: str
    departments: list[MyDepartment]
    timeline: list[TimelineRow]
    next_before: int | None


@operation("my_work.read", by=frozenset({Persona.CONTRIBUTOR}), limit="240/minute", audit=Event.DATA_READ)
def read_my_work(work: Work, command: ReadMyWork) -> MyWork:
    """Says in one sentence what is changing about a contributor's work, and what they did here."""
    mine = list(work.session.scalars(
        select(Department).where(col(Department.id).in_(work.actor.departments)).order_by(col(Department.slug))
    ))
    query = select(AuditEntry).where(
        col(AuditEntry.actor) == work.actor.id, col(AuditEntry.event) != Event.DATA_READ.value
    )
    if command.before is not None:
        query = query.where(col(AuditEntry.seq) < command.before)
    found = list(work.session.scalars(query.order_by(col(AuditEntry.seq).desc()).limit(command.limit + 1)))
    page = found[: command.limit]
    work.note(target="my_work", rows=len(page))
    lead = f"a lead of {listed(d.name for d in mine)}" if mine else "your department's lead"
    return MyWork(
        status="Nothing about how you work has changed.",
        changes="No part of your work is handed to an agent. You will read it here before any part is.",
        ask=f"Ask {lead} or an admin of {work.tenant.name}.",
        departments=[MyDepartment(slug=d.slug, name=d.name) for d in mine],
        timeline=[TimelineRow(entry=e.seq, at=datetime.fromisoformat(e.at), text=_words(e.event)) for e in page],
        next_before=page[-1].seq if len(found) > command.limit else None,
    )


def _words(event: str) -> str:
    """An event in a sentence; one that has none of its own by its name."""
    return WORDS.get(event, f"You did this: {event.replace('.', ' ')}.")
