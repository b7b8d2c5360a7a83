"""Verifying the log a piece at a time, so that a page shows how far it is and can stop. With a dead key too.

Each piece goes on from the recorded hash of the entry before it, and from the nodes of the tree so far, which whoever
asks brings along: a wrong node deceives nobody but them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.audit.chain import genesis
from workreef_app.services.audit.models import AuditCheckpoint, AuditEntry
from workreef_app.services.audit.verify import (
    Anchors,
    Check,
    Note,
    Trailer,
    Tree,
    canonical_fault,
    cover,
    parse_note,
)
from workreef_app.services.audit_review import checkpointing
from workreef_app.services.audit_review.proving import Notes, Verdict, kept_outside, parse_known
from workreef_app.services.audit_review.reading import WholeLog, entries, head
from workreef_app.services.operation import ANYONE, Command, Event, Invalid, Result, Work, operation

PIECE = 20_000
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BeginVerification(Command):
    known: Notes = Field("", description="Checkpoints that you kept, a blank line between.")


class Begun(Result):
    """What is to be verified: so many entries, up to this hash, against so many checkpoints.

    `size` and `made_at` are of the log's last checkpoint; None where there is none.
    """

    count: int
    head: str
    checkpoints: int
    size: int | None
    made_at: datetime | None


@operation("audit.begin_verification", by=ANYONE, limit="60/minute", audit=Event.AUDIT_VERIFIED, keyless=True)
def begin(work: Work, command: BeginVerification) -> Begun:
    """Begins a verification that goes on piece by piece."""
    known = parse_known(command.known)
    at, last = head(work.session), checkpointing.latest(work.session)
    work.note(target="audit", entries=at.seq, stepwise=True, known=len(known))
    return Begun(
        count=at.seq, head=at.chain_hash.hex(), checkpoints=checkpointing.count(work.session),
        size=last.size if last else None, made_at=last.made_at if last else None,
    )


class VerifyPiece(Command):
    after: int = Field(ge=0, description="The last entry of the piece before; 0 at first.")
    count: int = Field(ge=1, description="How many entries are to be verified in all.")
    head: Hash
    nodes: list[Hash] = Field(default_factory=list, max_length=64)
    known: Notes = ""


class Piece(Result):
    """What a piece proved: up to entry `upto`, anchored to the checkpoint of `anchored` entries, or what it found."""

    upto: int
    nodes: list[str]
    anchored: int
    checkpoints: int
    verdicts: list[Verdict]
    why: list[str]


@operation("audit.verify_piece", by=ANYONE, limit="1200/minute", audit=None, keyless=True)
def verify_piece(work: Work, command: VerifyPiece) -> Piece:
    """Verifies the next entries of a verification that was begun."""
    upto = min(command.after + PIECE, command.count)
    if upto <= command.after or len(command.nodes) != len(list(cover(0, command.after))):
        raise Invalid("This is no place to go on from.", fields={"after": "does not fit the nodes and the count"})
    given = [*parse_known(command.known), *kept_outside(work)]
    known = [note for note in given if note.size > command.after]
    whole = upto == command.count
    with WholeLog(work):
        before = _hash(work.session, command.after) if command.after else genesis(work.tenant.id)
        own = iter(_notes(work.session, command.after, None if whole else upto))
        here = known if whole else [note for note in known if note.size <= upto]
        anchors = Anchors(own, here, checkpointing.signer(work).keys(work.tenant.id))
        anchors.tree = Tree(0, [bytes.fromhex(each) for each in command.nodes], command.after)
        check = Check(before, anchors)
        check.next = check.also = command.after + 1
        for seq, content, chain_hash in entries(work.session, command.after + 1, upto):
            check.entry(seq, content.encode(), chain_hash, canonical_fault(content))
        ends = command.head if whole else _hash(work.session, upto).hex()
    check.finish(Trailer(str(work.tenant.id), upto, ends))
    return Piece(
        upto=upto, nodes=[each.hex() for each in anchors.tree.nodes], anchored=anchors.anchored,
        checkpoints=anchors.compared, verdicts=[Verdict(kind=f.kind, seq=f.seq) for f in check.findings],
        why=check.why(),
    )


def _hash(session: Session, seq: int) -> bytes:
    """The recorded hash of an entry; nothing where it is gone."""
    return bytes(session.scalar(select(col(AuditEntry.chain_hash)).where(col(AuditEntry.seq) == seq)) or b"")


def _notes(session: Session, after: int, upto: int | None) -> list[Note]:
    query = select(col(AuditCheckpoint.note)).where(col(AuditCheckpoint.size) > after)
    if upto is not None:
        query = query.where(col(AuditCheckpoint.size) <= upto)
    return [parse_note(note) for note in session.scalars(query.order_by(col(AuditCheckpoint.size)))]
