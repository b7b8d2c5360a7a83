"""Operations on the feed to a SIEM, and the log as a file in its formats."""

from __future__ import annotations

import os
import secrets
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.access.operations import ADMINS
from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.alarms.raising import clear_alarm, raise_alarm
from workreef_app.services.alarms.routes import check_url
from workreef_app.services.alarms.sending import settings_of
from workreef_app.services.audit.models import AuditEntry
from workreef_app.services.audit_review.checkpointing import OWN_EVENTS
from workreef_app.services.audit_review.reading import WholeLog, entries, head
from workreef_app.services.operation import (
    AUDITORS,
    NOBODY,
    Command,
    Event,
    FileResult,
    Invalid,
    Result,
    Work,
    operation,
)
from workreef_app.services.outbound.policy import Failure
from workreef_app.services.siem import formats
from workreef_app.services.siem.formats import Entry, Format
from workreef_app.services.siem.models import FeedKind, SiemFeed
from workreef_app.services.siem.sending import Feed

#: Entries of one batch.
BATCH = 500
SECRET_BYTES = 32
SUBJECT = "siem"
Target = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]


class ExportEvents(Command):
    format: Format = Format.OCSF
    first: int = Field(1, ge=1)
    last: int | None = Field(None, ge=1, description="The last entry; null for all that there are.")


@operation("audit.export_events", by=AUDITORS, limit="12/minute", audit=Event.AUDIT_EXPORTED, keyless=True)
def export_events(work: Work, command: ExportEvents) -> FileResult:
    """Exports the log, or a range of it, as OCSF events (a JSON object a line) or as lines of CEF."""
    end = head(work.session).seq
    last = end if command.last is None else min(command.last, end)
    tenant, count = str(work.tenant.id), 0
    ending = "ndjson" if command.format is Format.OCSF else "cef"
    handle, path = tempfile.mkstemp(prefix="workreef-events-", suffix=f".{ending}")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            for seq, content, chain_hash in entries(work.session, command.first, last):
                out.write(f"{formats.line(Entry(tenant, seq, content, chain_hash), command.format)}\n")
                count += 1
    except BaseException:
        Path(path).unlink()
        raise
    work.note(target="audit", entries=count, first=command.first, format=command.format.value)
    kind = "application/x-ndjson" if command.format is Format.OCSF else "text/plain"
    return FileResult(Path(path), f"audit-{work.tenant.slug}-{command.first}-to-{last}.{ending}", kind)


class ReadFeed(Command):
    pass


class FeedState(Result):
    """Where events are pushed, and how far that is; `kind` is None where none are. A webhook's secret is told once."""

    model_config = ConfigDict(frozen=True)

    kind: FeedKind | None = None
    format: Format = Format.OCSF
    target: str = ""
    sent_seq: int = 0
    waiting: int = 0
    taken_at: datetime | None = None
    failing_since: datetime | None = None
    failure: Failure | None = None
    new_secret: str | None = Field(default=None, repr=False)


def _state(work: Work, row: SiemFeed | None, new_secret: str | None = None) -> FeedState:
    if row is None:
        return FeedState()
    return FeedState(
        kind=FeedKind(row.kind), format=Format(row.format), target=row.target, sent_seq=row.sent_seq,
        waiting=head(work.session).seq - row.sent_seq, taken_at=row.taken_at, failing_since=row.failing_since,
        failure=Failure(row.failure) if row.failure else None, new_secret=new_secret,
    )


@operation("siem.read", by=AUDITORS, limit="240/minute", audit=Event.DATA_READ)
def read_feed(work: Work, command: ReadFeed) -> FeedState:
    """Reads where the log's events are pushed, and how far that is."""
    work.note(target="siem")
    return _state(work, work.session.get(SiemFeed, True))


class ChangeFeed(Command):
    kind: FeedKind | None = Field(None, description="Null pushes nothing more.")
    format: Format = Format.OCSF
    target: Target = Field("", description="https:// for a webhook, tls://host:port for syslog.")
    from_start: bool = Field(False, description="Whether the whole log is pushed, or what is added from now on.")


@operation("siem.change", by=ADMINS, limit="30/minute", audit=Event.SIEM_CHANGED)
def change_feed(work: Work, command: ChangeFeed) -> FeedState:
    """Changes where the log's events are pushed. The cursor stays, unless the whole log is asked for."""
    row = work.session.get(SiemFeed, True, with_for_update=True)
    work.note(target="siem", kind=command.kind.value if command.kind else None, format=command.format.value)
    clear_alarm(work, AlarmKind.SIEM_BEHIND, subject=SUBJECT)
    if command.kind is None:
        if row is not None:
            work.session.delete(row)
        return FeedState()
    _check(command, production=settings_of(work).production)
    new_secret = None
    if command.kind is FeedKind.WEBHOOK and (row is None or row.secret is None or row.target != command.target):
        new_secret = secrets.token_hex(SECRET_BYTES)
    start = 0 if command.from_start else (row.sent_seq if row else head(work.session).seq)
    row = row or SiemFeed(only=True, kind=command.kind, format=command.format, target="", sent_seq=start)
    row.secret = new_secret or (row.secret if command.kind is FeedKind.WEBHOOK else None)
    row.kind, row.format, row.target, row.sent_seq = command.kind, command.format, command.target, start
    row.failing_since = row.failure = None
    work.session.add(row)
    work.session.flush()
    work.note(start=start)
    return _state(work, row, new_secret)


def _check(command: ChangeFeed, *, production: bool) -> None:
    """Refuses what is no address of a collector."""
    if command.kind is FeedKind.WEBHOOK:
        check_url(command.target, production=production, field="target")
        return
    try:
        parts = urlsplit(command.target)
        sound = parts.scheme == "tls" and bool(parts.hostname) and parts.port != 0 and not parts.path
        sound = sound and parts.username is None and not parts.query and command.target.isascii()
    except ValueError:
        sound = False
    if not sound:
        raise Invalid("This is no address of a collector.", fields={"target": "must be such as tls://host:6514"})


class NextBatch(Command):
    pass


class Batch(Result):
    """The entries that are to be pushed next, and where; none where nothing waits but what tells of pushing."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    upto: int
    feed: Feed | None = Field(exclude=True, repr=False)
    entries: list[Entry] = Field(exclude=True, repr=False)


@operation("siem.next_batch", by=NOBODY, limit="600/minute", audit=None, jobs=True)
def next_batch(work: Work, command: NextBatch) -> Batch:
    """Gives the entries after the cursor, in their order."""
    row = work.session.get(SiemFeed, True)
    if row is None:
        return Batch(upto=0, feed=None, entries=[])
    tenant = str(work.tenant.id)
    with WholeLog(work):
        due = select(col(AuditEntry.seq)).where(
            col(AuditEntry.seq) > row.sent_seq, col(AuditEntry.event).not_in(OWN_EVENTS)
        )
        if work.session.scalar(due.limit(1)) is None:
            return Batch(upto=row.sent_seq, feed=None, entries=[])
        found = [Entry(tenant, *each) for each in entries(work.session, row.sent_seq + 1, row.sent_seq + BATCH)]
    feed = Feed(
        FeedKind(row.kind), Format(row.format), row.target, row.secret or "", work.tenant.slug,
        settings_of(work).production,
    )
    return Batch(upto=found[-1].seq, feed=feed, entries=found)


class RecordBatch(Command):
    upto: int = Field(ge=1)
    failure: Failure | None = None


class Recorded(Result):
    """It is known now."""


@operation("siem.record", by=NOBODY, limit="600/minute", audit=Event.SIEM_PUSHED, jobs=True)
def record_batch(work: Work, command: RecordBatch) -> Recorded:
    """Moves the cursor after what was taken; raises an alarm for what was not, and clears it."""
    row = work.session.get(SiemFeed, True, with_for_update=True)
    work.note(target="siem", upto=command.upto, outcome=command.failure.value if command.failure else "taken")
    if row is None:
        return Recorded()
    if command.failure is None:
        row.sent_seq, row.taken_at = max(row.sent_seq, command.upto), work.now
        row.failing_since = row.failure = None
        clear_alarm(work, AlarmKind.SIEM_BEHIND, subject=SUBJECT)
    else:
        row.failing_since, row.failure = row.failing_since or work.now, command.failure.value
        raise_alarm(work, AlarmKind.SIEM_BEHIND, subject=SUBJECT, detail={"failure": command.failure.value})
    return Recorded()
