"""Operations that prove the log: verifying the chain against its checkpoints, and the export. With a dead key too."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.audit import export
from workreef_app.services.audit.chain import genesis, walk
from workreef_app.services.audit.models import AuditCheckpoint, AuditEntry
from workreef_app.services.audit.verify import Anchors, Note, parse_note, read_notes
from workreef_app.services.audit_review import checkpointing
from workreef_app.services.audit_review.reading import FETCH, WholeLog, entries, head, tiles
from workreef_app.services.operation import (
    ANYONE,
    AUDITORS,
    Command,
    Conflict,
    Event,
    FileResult,
    Invalid,
    Result,
    Work,
    operation,
)

#: One or more signed notes, as they come from a file.
Notes = Annotated[str, StringConstraints(max_length=16_384)]


class VerifyChain(Command):
    known: Notes = Field("", description="Checkpoints that you kept, a blank line between.")


class Verdict(Result):
    """One finding: its kind and the entry it names."""

    kind: str
    seq: int


class Verification(Result):
    """What a verification proved and what it did not. `anchored_at` is when the checkpoint was made up to which it is
    proven; None where there is none."""

    ok: bool
    count: int
    head: str
    anchored: int
    anchored_at: datetime | None
    checkpoints: int
    verdicts: list[Verdict]
    why: list[str]
    not_proven: list[str]


@operation("audit.verify", by=ANYONE, limit="30/minute", audit=Event.AUDIT_VERIFIED, keyless=True)
def verify_chain(work: Work, command: VerifyChain) -> Verification:
    """Verifies the whole chain and its checkpoints with the code of the customer's own verifier."""
    known = [*parse_known(command.known), *kept_outside(work)]
    keys = checkpointing.signer(work).keys(work.tenant.id)
    with WholeLog(work):
        at = head(work.session)
        anchors = Anchors(own_notes(work.session), known, keys)
        steps = walk(
            entries(work.session, 1, at.seq), work.tenant.id, count=at.seq, head=at.chain_hash, anchors=anchors
        )
        report = next(step.report for step in steps if step.report)
    proven = work.session.get(AuditCheckpoint, report["anchored"])
    work.note(target="audit", ok=bool(report["ok"]), entries=int(report["count"]), anchored=int(report["anchored"]))
    return Verification(
        anchored_at=proven.made_at if proven else None,
        **{name: report[name] for name in Verification.model_fields if name != "anchored_at"},
    )


def parse_known(known: str) -> list[Note]:
    """Checkpoints as somebody gave them. Raises Invalid."""
    try:
        return list(read_notes(io.BytesIO(known.replace("\r\n", "\n").strip().encode())))
    except ValueError as error:
        raise Invalid(f"This is no checkpoint: {error}.", fields={"known": "is not a signed checkpoint"}) from None


def kept_outside(work: Work) -> list[Note]:
    """The last checkpoint whose copy is outside of the tenant's database: an older copy of that database lacks it."""
    note = checkpointing.signer(work).last_copy(work.tenant.id)
    return [parse_note(note)] if note else []


def own_notes(session: Session) -> Iterator[Note]:
    """The log's own checkpoints, by size. Raises ValueError for one that was spoilt."""
    yield from map(parse_note, _notes_of(session))


class ExportLog(Command):
    first: int = Field(1, ge=1, description="The first entry; 1 for the whole log.")
    last: int | None = Field(None, ge=1, description="The last entry; null for all that there are.")


@operation("audit.export", by=AUDITORS, limit="12/minute", audit=Event.AUDIT_EXPORTED, keyless=True)
def export_log(work: Work, command: ExportLog) -> FileResult:
    """Exports the log, or a range of it, as a zip with its checkpoints and its verifier. Makes a checkpoint first."""
    made = _anchor(work)
    last = made.size if command.last is None else command.last
    if not command.first <= last <= made.size:
        raise Invalid("There are no such entries.", fields={"last": f"from first to {made.size}"})
    whole = (command.first, last) == (1, made.size)
    handle, path = tempfile.mkstemp(prefix="workreef-audit-", suffix=".zip")
    try:
        with os.fdopen(handle, "wb") as out:
            summary = export.write_export(
                out, tenant_id=work.tenant.id, entries=entries(work.session, command.first, last),
                keys=checkpointing.signer(work).keys(work.tenant.id),
                checkpoints=_notes_of(work.session) if whole else [made.note],
                part=None if whole else _part(work, command.first, last, made.size),
            )
    except BaseException:
        Path(path).unlink()
        raise
    work.note(target="audit", entries=summary.count, first=command.first, checkpoint=made.size)
    name = f"{summary.count}" if whole else f"{command.first}-to-{last}"
    return FileResult(Path(path), f"audit-{work.tenant.slug}-{name}.zip", "application/zip")


def _anchor(work: Work) -> AuditCheckpoint:
    """The checkpoint that an export ends with; the last one where none may be made, so that a cut log shows as one."""
    try:
        return checkpointing.make(work)
    except Conflict:
        last = checkpointing.latest(work.session)
        if last is None:
            raise
        return last


def _notes_of(session: Session) -> Iterator[str]:
    query = select(col(AuditCheckpoint.note)).order_by(col(AuditCheckpoint.size))
    yield from session.scalars(query.execution_options(yield_per=FETCH))


def _part(work: Work, first: int, last: int, size: int) -> export.Part:
    """What the export of a range tells of the rest of the log."""
    before = select(col(AuditEntry.chain_hash)).where(col(AuditEntry.seq) == first - 1)
    tree = tiles(work.session, size)
    return export.Part(
        first, bytes(work.session.scalar(before) or genesis(work.tenant.id)), tree.before(first - 1), tree.after(last)
    )
