"""Reading the whole log, whatever its reader may see of it: for what reveals no entry's content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.audit.merkle import TILE, Tiles, completed
from workreef_app.services.audit.models import AuditEntry, AuditHead, AuditNode
from workreef_app.services.operation import Reach, Work
from workreef_app.services.tenancy.scope import set_scope

#: Rows that are asked for at a time.
FETCH = 2000
#: Leaves as RFC 6962 has them; hashed where the contents lie, so that they need not travel.
_LEAVES = text(
    "SELECT sha256('\\x00'::bytea || convert_to(content, 'UTF8')) FROM audit_entry "
    "WHERE seq BETWEEN :first AND :last ORDER BY seq"
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


def head(session: Session) -> AuditHead:
    """Where the chain stands."""
    return session.scalars(select(AuditHead)).one()


def entries(session: Session, first: int, last: int) -> Iterator[tuple[int, str, bytes]]:
    """The entries from `first` to `last` (number, content, chain hash), in order, without holding all of them."""
    query = (
        select(col(AuditEntry.seq), col(AuditEntry.content), col(AuditEntry.chain_hash))
        .where(col(AuditEntry.seq).between(first, last)).order_by(col(AuditEntry.seq))
    )
    for row in session.execute(query.execution_options(yield_per=FETCH)):
        yield row.seq, row.content, bytes(row.chain_hash)


def _nodes(session: Session, level: int, first: int, count: int) -> list[bytes]:
    if level == 0:
        return list(session.scalars(_LEAVES, {"first": first + 1, "last": first + count}))
    query = select(col(AuditNode.hash)).where(
        col(AuditNode.level) == level, col(AuditNode.number).between(first, first + count - 1)
    )
    return [bytes(each) for each in session.scalars(query.order_by(col(AuditNode.number)))]


def tiles(session: Session, size: int) -> Tiles:
    """The tree over the first `size` entries; `grow` must have been called for as many."""
    return Tiles(size, lambda level, first, count: _nodes(session, level, first, count))


def grow(session: Session, start: int, end: int) -> None:
    """Keeps the nodes that the tree gets when it grows from `start` to `end` entries."""
    made = list[dict[str, object]]()
    for level, number, hash_ in completed(start, end, lambda *asked: _nodes(session, *asked)):
        made.append({"level": level, "number": number, "hash": hash_})
        if len(made) == TILE:
            session.execute(AuditNode.__table__.insert(), made)  # type: ignore[attr-defined]
            made = []
    if made:
        session.execute(AuditNode.__table__.insert(), made)  # type: ignore[attr-defined]
