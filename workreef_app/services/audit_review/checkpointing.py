"""Checkpoints of the log: making one, reading one, and receipts of single entries. All of it works with a dead key.

A checkpoint leaves the house only after the commit that keeps it has reached the disk, and the server's log is
written in order: so no crash loses an entry that a published checkpoint covers.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from functools import partial

from pydantic import Field
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.audit import notes
from workreef_app.services.audit.models import AuditCheckpoint, AuditEntry
from workreef_app.services.audit.verify import Key, parse_note
from workreef_app.services.audit_review.reading import WholeLog, grow, head, tiles
from workreef_app.services.operation import (
    ANYONE,
    AUDITORS,
    NOBODY,
    Command,
    Conflict,
    Event,
    NotFound,
    Result,
    Work,
    operation,
)
from workreef_app.services.tenancy.platform import SIGNER
from workreef_app.services.tenancy.signing import Signer

log = logging.getLogger("workreef.audit")

#: What tells of checkpoints themselves: such entries alone are no cause for another.
OWN_EVENTS = (Event.CHECKPOINT_MADE.value, Event.WITNESS_PUSHED.value, Event.SIEM_PUSHED.value)
#: Checkpoints of one tenant are made one after the other.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('workreef.checkpoint'))")


def signer(work: Work) -> Signer:
    """What signs for the platform of this unit of work."""
    found: Signer = work.session.info[SIGNER]
    return found


def latest(session: Session) -> AuditCheckpoint | None:
    """The tenant's last checkpoint."""
    return session.scalars(select(AuditCheckpoint).order_by(col(AuditCheckpoint.size).desc()).limit(1)).first()


def make(work: Work) -> AuditCheckpoint:
    """A checkpoint over all entries that there are; the last one where it covers them.

    Raises KeyUnavailable when the platform's key does not answer, and Conflict where the log is shorter than what was
    signed of it: to sign that would make an older copy, or a cut log, as good as the true one.
    """
    signing = signer(work)
    work.session.execute(_ONE_AT_A_TIME)
    last, kept = latest(work.session), signing.kept(work.tenant.id)
    with WholeLog(work):
        at = head(work.session)
        if at.seq < max(kept, last.size if last else 0):
            raise Conflict("The log is shorter than a checkpoint that was signed of it. Verify it; nothing is signed.")
        if last is not None and last.size == at.seq:
            return last
        grow(work.session, last.size if last else 0, at.seq)
        root = tiles(work.session, at.seq).root()
    made = AuditCheckpoint(
        size=at.seq, root=root, note=signing.sign(work.tenant.id, at.seq, root, at.chain_hash), made_at=work.now
    )
    work.session.add(made)
    work.session.flush()
    work.after_commit(partial(_copy, signing, work, _missing(work.session, kept)))
    return made


def _missing(session: Session, kept: int) -> list[tuple[int, str]]:
    """The checkpoints beyond the last copy, those that a crash kept from being copied among them."""
    query = select(AuditCheckpoint).where(col(AuditCheckpoint.size) > kept).order_by(col(AuditCheckpoint.size))
    return [(row.size, row.note) for row in session.scalars(query)]


def _copy(signing: Signer, work: Work, made: list[tuple[int, str]]) -> None:
    try:
        signing.keep(work.tenant.id, made)
    except Exception as error:  # the next checkpoint brings these too
        log.warning("a checkpoint waits to be copied", extra={"error": type(error).__name__})


class MakeCheckpoint(Command):
    pass


class Checkpoint(Result):
    """A checkpoint: how many entries it covers, and the signed note. `keys` are those that sign here, newest first."""

    size: int
    made_at: datetime
    note: str
    keys: list[str]
    keys_json: str


@operation("audit.checkpoint", by=AUDITORS, limit="30/minute", audit=Event.CHECKPOINT_MADE, keyless=True, jobs=True)
def make_checkpoint(work: Work, command: MakeCheckpoint) -> Checkpoint:
    """Makes a signed checkpoint of the log as it is now."""
    made = make(work)
    work.note(target="audit", size=made.size)
    return _told(work, made)


def _told(work: Work, made: AuditCheckpoint) -> Checkpoint:
    keys = signer(work).keys(work.tenant.id)
    return Checkpoint(
        size=made.size, made_at=made.made_at, note=made.note, keys=[notes.verifier_key(key) for key in keys],
        keys_json=notes.keys_json(keys),
    )


class CheckpointDue(Command):
    pass


class Due(Result):
    """Whether entries of more than checkpoints were added after the last one."""

    due: bool


@operation("audit.checkpoint_due", by=NOBODY, limit="60/minute", audit=None, keyless=True, jobs=True)
def checkpoint_due(work: Work, command: CheckpointDue) -> Due:
    """Tells whether the log wants a checkpoint."""
    last = latest(work.session)
    with WholeLog(work):
        found = work.session.scalar(
            select(col(AuditEntry.seq))
            .where(col(AuditEntry.seq) > (last.size if last else 0), col(AuditEntry.event).not_in(OWN_EVENTS)).limit(1)
        )
    return Due(due=found is not None)


class ReadCheckpoint(Command):
    size: int | None = Field(None, ge=1, description="How many entries it covers; null for the last one.")


@operation("audit.read_checkpoint", by=ANYONE, limit="240/minute", audit=Event.DATA_READ, keyless=True)
def read_checkpoint(work: Work, command: ReadCheckpoint) -> Checkpoint:
    """Reads a checkpoint, and the public keys that checkpoints are signed with."""
    row = latest(work.session) if command.size is None else work.session.get(AuditCheckpoint, command.size)
    if row is None:
        raise NotFound("checkpoint", str(command.size or "last"))
    work.note(target="checkpoint", rows=1, size=row.size)
    return _told(work, row)


class MakeReceipt(Command):
    seq: int = Field(ge=1)


class Receipt(Result):
    """A receipt: a small file that `verify.py receipt` checks alone."""

    seq: int
    size: int
    receipt: str


@operation("audit.receipt", by=ANYONE, limit="120/minute", audit=Event.RECEIPT_MADE, keyless=True)
def make_receipt(work: Work, command: MakeReceipt) -> Receipt:
    """Makes the receipt of an entry in the reader's scope: the entry, and the proof that a checkpoint covers it."""
    entry = work.session.get(AuditEntry, command.seq)
    if entry is None:
        raise NotFound("entry", str(command.seq))
    last = latest(work.session)
    if last is None or last.size < entry.seq:
        raise Conflict("No checkpoint covers this entry yet. One is made every minute; try again then.")
    with WholeLog(work):
        proof = tiles(work.session, last.size).inclusion(entry.seq - 1)
    keys = signer(work).keys(work.tenant.id)
    named = {signature[:4] for _, signature in parse_note(last.note).signatures}
    signed = [key for key in keys if key.id in named]
    work.note(target=f"entry:{entry.seq}", size=last.size)
    return Receipt(seq=entry.seq, size=last.size, receipt=_receipt(work, entry, last, proof, signed))


def _receipt(
    work: Work, entry: AuditEntry, last: AuditCheckpoint, proof: list[bytes], keys: list[Key]
) -> str:
    return json.dumps({
        "seq": entry.seq, "tenant": str(work.tenant.id), "content": entry.content,
        "proof": [each.hex() for each in proof], "checkpoint": last.note, "keys": json.loads(notes.keys_json(keys)),
    }, indent=1, ensure_ascii=False) + "\n"


def count(session: Session) -> int:
    """How many checkpoints there are."""
    return session.scalar(select(func.count()).select_from(AuditCheckpoint)) or 0
