"""Operations on the audit log: list and read. They work with a dead key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import func, select
from sqlmodel import col

from workreef_app.services.access import people
from workreef_app.services.audit.chain import genesis
from workreef_app.services.audit.models import AuditCheckpoint, AuditEntry
from workreef_app.services.audit_review import finding
from workreef_app.services.audit_review.finding import PAGE, Filters
from workreef_app.services.audit_review.reading import WholeLog
from workreef_app.services.operation import (
    ANYONE,
    Command,
    Event,
    NotFound,
    Result,
    Work,
    operation,
)

READERS = ANYONE
#: Entries that a live tail brings at a time; of more it shows the newest.
TAIL = 50


class ListEntries(Filters):
    before: int | None = Field(None, ge=1)
    limit: int = Field(PAGE, ge=1, le=500)


class EntryRow(Result):
    """An entry as a list shows it. `actor_name` is empty where the reader may not see it or the key is dead.

    The hashes are hex; `previous_hash` is that of the entry before, whether or not the reader may see that one.
    """

    seq: int
    at: str
    actor: str
    actor_name: str
    event: str
    target: str
    previous_hash: str
    chain_hash: str


class Entries(Result):
    """A page of entries, newest first. `next_before` is None on the last page.

    `count` is exact for the whole log and up to 2,000 entries; `more` tells that there are more than it says.
    """

    rows: list[EntryRow]
    count: int
    more: bool
    next_before: int | None


@operation("audit.list", by=READERS, limit="240/minute", audit=Event.DATA_READ, keyless=True)
def list_entries(work: Work, command: ListEntries) -> Entries:
    """Lists audit entries in the reader's scope, newest first."""
    found = finding.newest(work, command, limit=command.limit + 1, before=command.before)
    page = found[: command.limit]
    count, more = finding.total(work, command)
    work.note(target="audit", rows=len(page), **_told(work, command))
    return Entries(
        rows=_rows(work, page), count=count, more=more,
        next_before=page[-1].seq if len(found) > command.limit else None,
    )


def _told(work: Work, asked: Filters) -> dict[str, Any]:
    """The filter as the entry of this read holds it: events and times as they are, free text as its keyed hash."""
    plain = {name: str(value) for name in ("event", "since", "until") if (value := getattr(asked, name))}
    free = {name: value for name in ("actor", "target", "id") if (value := getattr(asked, name))}
    hashed = {name: work.keyed(value) if work.unlocked else "given" for name, value in free.items()}
    return {f"filter_{name}": value for name, value in (plain | hashed).items()}


class TailEntries(Filters):
    after: int = Field(ge=0, description="The number of the newest entry that is known.")


class Tail(Result):
    """The newest entries after the one that was named, newest first. `more` tells that there were more of them."""

    rows: list[EntryRow]
    more: bool


@operation("audit.tail", by=READERS, limit="600/minute", audit=None, keyless=True)
def tail_entries(work: Work, command: TailEntries) -> Tail:
    """Looks for entries that were added since; leaves none itself."""
    found = finding.added(work, command, after=command.after, limit=TAIL + 1)
    return Tail(rows=_rows(work, found[:TAIL]), more=len(found) > TAIL)


def _rows(work: Work, page: list[AuditEntry]) -> list[EntryRow]:
    names = people.names(work, filter(None, (_person_id(entry.actor) for entry in page)))
    before = _previous_hashes(work, [entry.seq for entry in page])
    return [_row(entry, names, before) for entry in page]


def _previous_hashes(work: Work, numbers: list[int]) -> dict[int, bytes]:
    """The hash before each of these entries. Hashes tell nothing of what they are of."""
    with WholeLog(work):
        query = select(col(AuditEntry.seq), col(AuditEntry.chain_hash))
        rows = work.session.execute(query.where(col(AuditEntry.seq).in_([number - 1 for number in numbers])))
        return {1: genesis(work.tenant.id)} | {row.seq + 1: bytes(row.chain_hash) for row in rows}


def _person_id(actor: str) -> UUID | None:
    kind, _, value = actor.partition(":")
    return UUID(value) if kind == "person" else None


def _row(entry: AuditEntry, names: dict[UUID, str], before: dict[int, bytes]) -> EntryRow:
    person = _person_id(entry.actor)
    return EntryRow(
        seq=entry.seq, at=entry.at, actor=entry.actor, actor_name=names.get(person, "") if person else "",
        event=entry.event, target=entry.target or "", previous_hash=before.get(entry.seq, b"").hex(),
        chain_hash=entry.chain_hash.hex(),
    )


class ReadEntry(Command):
    seq: int = Field(ge=1)


class EntryDetail(Result):
    """One entry, and its canonical content.

    `checkpoint` is the size of the first checkpoint that covers it; None until there is one.
    """

    row: EntryRow
    content: str
    checkpoint: int | None


@operation("audit.read", by=READERS, limit="240/minute", audit=Event.DATA_READ, keyless=True)
def read_entry(work: Work, command: ReadEntry) -> EntryDetail:
    """Reads one audit entry."""
    entry = work.session.get(AuditEntry, command.seq)
    if entry is None:
        raise NotFound("entry", str(command.seq))
    work.note(target="audit", rows=1, seq=command.seq)
    return EntryDetail(
        row=_rows(work, [entry])[0], content=entry.content,
        checkpoint=work.session.scalar(
            select(func.min(col(AuditCheckpoint.size))).where(col(AuditCheckpoint.size) >= command.seq)
        ),
    )
