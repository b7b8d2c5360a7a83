"""Operations on the audit log: list, read, verify, export. All of them work with a dead key."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.access import people
from workreef_app.services.audit.chain import genesis, walk
from workreef_app.services.audit.export import write_export
from workreef_app.services.audit.models import AuditEntry, AuditHead
from workreef_app.services.operation import (
    ANYONE,
    AUDITORS,
    Command,
    Event,
    FileResult,
    NotFound,
    Persona,
    Reach,
    Result,
    Work,
    operation,
)
from workreef_app.services.paging import Query
from workreef_app.services.tenancy.scope import set_scope

READERS = ANYONE - {Persona.CONTRIBUTOR}
PAGE = 50
FETCH = 2000
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
    """One entry: its canonical content, and the hashes that chain it. `previous_hash` is hex."""

    row: EntryRow
    content: str
    previous_hash: str


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
    )


class WholeLog:
    """Widens the unit of work to every entry, for what reveals no entry's content; narrows it again at the end."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __enter__(self) -> None:
        actor = self._work.actor
        set_scope(self._work.session, replace(actor, extra_reach=actor.extra_reach | {Reach.ALL_AUDIT}))

    def __exit__(self, *_: object) -> None:
        set_scope(self._work.session, self._work.actor)


class VerifyChain(Command):
    pass


class Verdict(Result):
    """One finding: its kind and the entry it names."""

    kind: str
    seq: int


class Verification(Result):
    """What a verification proved and what it did not."""

    ok: bool
    count: int
    head: str
    anchored: int
    verdicts: list[Verdict]
    why: list[str]
    not_proven: list[str]


@operation("audit.verify", by=ANYONE, limit="30/minute", audit=Event.AUDIT_VERIFIED, keyless=True)
def verify_chain(work: Work, command: VerifyChain) -> Verification:
    """Verifies the whole chain with the code of the customer's own verifier."""
    with WholeLog(work):
        head = work.session.scalars(select(AuditHead)).one()
        entries = _entries(work.session, head.seq)
        report = next(
            step.report for step in walk(entries, work.tenant.id, count=head.seq, head=head.chain_hash) if step.report
        )
    work.note(target="audit", ok=bool(report["ok"]), entries=int(report["count"]))
    return Verification(**{name: report[name] for name in Verification.model_fields})


def _entries(session: Session, upto: int) -> Iterator[tuple[int, str, bytes]]:
    """The entries up to `upto`, in order, without holding all of them."""
    query = (
        select(col(AuditEntry.seq), col(AuditEntry.content), col(AuditEntry.chain_hash))
        .where(col(AuditEntry.seq) <= upto).order_by(col(AuditEntry.seq))
    )
    for row in session.execute(query.execution_options(yield_per=FETCH)):
        yield row.seq, row.content, bytes(row.chain_hash)


class ExportLog(Command):
    pass


@operation("audit.export", by=AUDITORS, limit="12/minute", audit=Event.AUDIT_EXPORTED, keyless=True)
def export_log(work: Work, command: ExportLog) -> FileResult:
    """Exports the whole log as a zip with its verifier."""
    head = work.session.scalars(select(AuditHead)).one()
    handle, path = tempfile.mkstemp(prefix="workreef-audit-", suffix=".zip")
    try:
        with os.fdopen(handle, "wb") as out:
            summary = write_export(out, tenant_id=work.tenant.id, entries=_entries(work.session, head.seq))
    except BaseException:
        Path(path).unlink()
        raise
    work.note(target="audit", entries=summary.count)
    return FileResult(Path(path), f"audit-{work.tenant.slug}-{summary.count}.zip", "application/zip")
