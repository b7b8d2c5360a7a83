"""Operations on the audit log: list and read. They work with a dead key."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import func, select
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.access import people
from workreef_app.services.audit.chain import genesis
from workreef_app.services.audit.models import AuditCheckpoint, AuditEntry
from workreef_app.services.audit_review.reading import WholeLog
from workreef_app.services.operation import (
    ANYONE,
    Command,
    Event,
    NotFound,
    Persona,
    Result,
    Work,
    operation,
)
from workreef_app.services.paging import Query

READERS = ANYONE - {Persona.CONTRIBUTOR}
PAGE = 50
Filter = Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)]
#: A day in UTC, or a whole second in UTC.
Moment = Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?)?$")]


class ListEntries(Command):
    actor: Filter = ""
    event: Event | None = None
    target: Filter = ""
    since: Moment = ""
    until: Moment = ""
    before: int | None = Field(None, ge=1)
    limit: int = Field(PAGE, ge=1, le=500)


class EntryRow(Result):
    """An entry as a list shows it. `actor_name` is empty where the reader may not see it or the key is dead."""

    seq: int
    at: str
    actor: str
    actor_name: str
    event: str
    target: str
    chain_hash: str


class Entries(Result):
    """A page of entries, newest first. `next_before` is None on the last page."""

    rows: list[EntryRow]
    count: int
    next_before: int | None


@operation("audit.list", by=READERS, limit="240/minute", audit=Event.DATA_READ, keyless=True)
def list_entries(work: Work, command: ListEntries) -> Entries:
    """Lists audit entries in the reader's scope, newest first."""
    query = _filtered(select(AuditEntry), command)
    count = paging.total(work.session, query)
    if command.before is not None:
        query = query.where(col(AuditEntry.seq) < command.before)
    found = list(work.session.scalars(query.order_by(col(AuditEntry.seq).desc()).limit(command.limit + 1)))
    page = found[: command.limit]
    names = people.names(work, filter(None, (_person_id(e.actor) for e in page)))
    work.note(target="audit", rows=len(page))
    return Entries(
        rows=[_row(entry, names) for entry in page], count=count,
        next_before=page[-1].seq if len(found) > command.limit else None,
    )


def _filtered(query: Query, command: ListEntries) -> Query:
    if command.actor:
        query = query.where(col(AuditEntry.actor) == command.actor)
    if command.event is not None:
        query = query.where(col(AuditEntry.event) == command.event.value)
    if command.target:
        query = query.where(col(AuditEntry.target) == command.target)
    if command.since:
        # Text order is the order of time, since every entry gives its microseconds.
        query = query.where(col(AuditEntry.at) >= command.since.replace("Z", ".000000Z"))
    if command.until.endswith("Z"):
        query = query.where(col(AuditEntry.at) < command.until.replace("Z", ".000000Z"))
    elif command.until:
        # Everything of the last day sorts before its end.
        query = query.where(col(AuditEntry.at) <= f"{command.until}T99")
    return query


def _person_id(actor: str) -> UUID | None:
    kind, _, value = actor.partition(":")
    return UUID(value) if kind == "person" else None


def _row(entry: AuditEntry, names: dict[UUID, str]) -> EntryRow:
    person = _person_id(entry.actor)
    return EntryRow(
        seq=entry.seq, at=entry.at, actor=entry.actor, actor_name=names.get(person, "") if person else "",
        event=entry.event, target=entry.target or "", chain_hash=entry.chain_hash.hex(),
    )


class ReadEntry(Command):
    seq: int = Field(ge=1)


class EntryDetail(Result):
    """One entry: its canonical content, and the hashes that chain it. `previous_hash` is hex.

    `checkpoint` is the size of the first checkpoint that covers it; None until there is one.
    """

    row: EntryRow
    content: str
    previous_hash: str
    checkpoint: int | None


@operation("audit.read", by=READERS, limit="240/minute", audit=Event.DATA_READ, keyless=True)
def read_entry(work: Work, command: ReadEntry) -> EntryDetail:
    """Reads one audit entry."""
    entry = work.session.get(AuditEntry, command.seq)
    if entry is None:
        raise NotFound("entry", str(command.seq))
    with WholeLog(work):
        previous = work.session.scalar(select(col(AuditEntry.chain_hash)).where(col(AuditEntry.seq) == command.seq - 1))
    person = _person_id(entry.actor)
    names = people.names(work, [person] if person else [])
    work.note(target="audit", rows=1, seq=command.seq)
    return EntryDetail(
        row=_row(entry, names), content=entry.content,
        previous_hash=(previous or genesis(work.tenant.id)).hex(),
        checkpoint=work.session.scalar(
            select(func.min(col(AuditCheckpoint.size))).where(col(AuditCheckpoint.size) >= command.seq)
        ),
    )
