"""Notes: what people add about their own work. Read by their author and the operators and leads of one department."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import func, select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services import paging
from workreef_app.services.access import people
from workreef_app.services.access.models import Department
from workreef_app.services.operation import Command, Event, Invalid, NotFound, Persona, Result, Work, operation
from workreef_app.services.signals.models import PersonNote

AUTHORS = frozenset({Persona.CONTRIBUTOR})
READERS = frozenset({Persona.CONTRIBUTOR, Persona.OPERATOR, Persona.DEPT_LEAD})
MAXIMUM = 2000


class AddNote(Command):
    """`department` may be empty for somebody who belongs to exactly one."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAXIMUM, strip_whitespace=True)]
    department: str = Field("", pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")


class NoteRow(Result):
    """A note. `mine` says that the reader wrote it, and so may take it back."""

    id: UUID
    text: str
    author: str
    department: str
    at: datetime
    mine: bool


@operation("notes.add", by=AUTHORS, limit="30/minute", audit=Event.NOTE_ADDED)
def add_note(work: Work, command: AddNote) -> NoteRow:
    """Adds context about one's own work, for the operators and leads of one's department."""
    mine = list(work.session.scalars(
        select(Department).where(col(Department.id).in_(work.actor.departments)).order_by(col(Department.slug))
    ))
    chosen = [d for d in mine if command.department in {"", d.slug}]
    if not mine or work.actor.person_id is None:
        raise Invalid(f"You belong to no department yet. Ask {people.contact(work)}.")
    if len(chosen) != 1:
        raise Invalid("Say for which of your departments this is.", fields={"department": "is not one of yours"})
    note = PersonNote(
        id=uuid7(), person_id=work.actor.person_id, department_id=chosen[0].id, body=command.text, created_at=work.now
    )
    work.session.add(note)
    work.session.flush()
    work.note(target=f"note:{note.id}", department=note.department_id)
    return _rows(work, [note])[0]


class ListNotes(Command):
    after: str = Field("", max_length=100)
    limit: int = Field(50, ge=1, le=200)


class Notes(Result):
    """A page of notes, newest first. `next` is empty on the last page."""

    rows: list[NoteRow]
    count: int
    next: str


@operation("notes.list", by=READERS, limit="240/minute", audit=Event.DATA_READ)
def list_notes(work: Work, command: ListNotes) -> Notes:
    """Lists the notes that one wrote, and those that were told to one's departments, newest first."""
    count = work.session.scalar(select(func.count()).select_from(PersonNote)) or 0
    ordered = paging.newest_first(
        select(PersonNote), col(PersonNote.created_at), col(PersonNote.id), command.after
    )
    found = list(work.session.scalars(ordered.limit(command.limit + 1)))
    page = found[: command.limit]
    work.note(target="note", rows=len(page))
    return Notes(
        rows=_rows(work, page), count=count,
        next=paging.encode(page[-1].created_at, page[-1].id) if len(found) > command.limit else "",
    )


class WithdrawNote(Command):
    note_id: UUID


class Withdrawn(Result):
    """The note is gone; what was audited about it stays, and holds nothing of its text."""

    id: UUID


@operation("notes.withdraw", by=AUTHORS, limit="60/minute", audit=Event.NOTE_WITHDRAWN)
def withdraw_note(work: Work, command: WithdrawNote) -> Withdrawn:
    """Takes a note of one's own back, and erases it."""
    note = work.session.get(PersonNote, command.note_id)
    if note is None:
        raise NotFound("note", command.note_id)
    if note.person_id != work.actor.person_id:
        raise Invalid("Only its author takes a note back.")
    work.note(target=f"note:{note.id}", department=note.department_id)
    work.session.delete(note)
    return Withdrawn(id=note.id)


def _rows(work: Work, notes: list[PersonNote]) -> list[NoteRow]:
    authors = people.names(work, (note.person_id for note in notes))
    departments = {
        d.id: d.name
        for d in work.session.scalars(
            select(Department).where(col(Department.id).in_({note.department_id for note in notes}))
        )
    }
    return [
        NoteRow(
            id=note.id, text=note.body, author=authors.get(note.person_id, ""),
            department=departments.get(note.department_id, ""), at=note.created_at,
            mine=note.person_id == work.actor.person_id,
        )
        for note in notes
    ]
