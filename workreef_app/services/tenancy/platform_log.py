"""The platform's own audit chain, in the control plane: the format and the verifier of a tenant's log.

It tells of tenants and of the platform's keys. The control plane has one database role, which owns this log as well:
what shows that an entry was changed are its hashes, and the checkpoints that were taken out of the house.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.audit import log
from workreef_app.services.operation import Event
from workreef_app.services.tenancy.models import PlatformEntry, PlatformHead

#: Stands for the platform where a tenant's id stands otherwise.
PLATFORM_ID: Final = UUID(int=0)
#: The actor of what the platform does by itself.
ITSELF: Final = "system:platform"
#: Rows that are asked for at a time.
FETCH = 2000


def append(
    session: Session, event: Event, *, actor: str, target: str, **detail: str | int | bool
) -> int:
    """Adds an entry in the transaction of what it tells of; returns its number. Holds the chain's lock until commit."""
    content = log.content(
        at=datetime.now(UTC), actor=actor, persona=None, event=event, target=target, department=None, detail=detail,
        request=uuid4().hex,
    )
    number: int = session.execute(select(func.platform_append(content))).scalar_one()
    return number


def head(session: Session) -> PlatformHead:
    """Where the chain stands."""
    return session.scalars(select(PlatformHead)).one()


def entries(session: Session, last: int) -> Iterator[tuple[int, str, bytes]]:
    """The entries up to `last` (number, content, chain hash), in order, without holding all of them."""
    query = select(col(PlatformEntry.seq), col(PlatformEntry.content), col(PlatformEntry.chain_hash))
    query = query.where(col(PlatformEntry.seq) <= last).order_by(col(PlatformEntry.seq))
    for row in session.execute(query.execution_options(yield_per=FETCH)):
        yield row.seq, row.content, bytes(row.chain_hash)
