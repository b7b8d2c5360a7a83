"""A source's miner between batches: restored from the signals' sealed templates, kept while nothing else changed it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.signals.miner import Miner, Template
from workreef_app.services.signals.models import Signal, Source

CAPACITY = 8


@dataclass(slots=True)
class MinerState:
    """A miner, the signal that each of its templates is, and the source's revision that both belong to."""

    revision: int
    miner: Miner
    signals: dict[int, UUID]


_kept: OrderedDict[tuple[UUID, UUID], MinerState] = OrderedDict()
_lock = threading.Lock()


def encode(template: Template) -> list[object]:
    """A template as it is sealed."""
    return [list(template.tokens), template.size, template.issued]


def decode(template_id: int, stored: list[object]) -> Template:
    """A template as the miner restores it."""
    tokens, size, issued = stored
    return Template(template_id, tuple(tokens), int(size), int(issued))  # type: ignore[call-overload,arg-type]


def take(session: Session, tenant_id: UUID, source: Source) -> MinerState:
    """The source's miner, for the caller alone until it is put back. Rolled-back work never puts it back."""
    with _lock:
        kept = _kept.pop((tenant_id, source.id), None)
    if kept is not None and kept.revision == source.revision:
        return kept
    rows = session.execute(
        select(col(Signal.template_id), col(Signal.id), col(Signal.template)).where(col(Signal.source_id) == source.id)
    ).all()
    miner = Miner(decode(row.template_id, row.template) for row in rows)
    return MinerState(source.revision, miner, {row.template_id: row.id for row in rows})


def put(session: Session, tenant_id: UUID, source: Source, state: MinerState) -> None:
    """Keeps the miner for the next batch, once this one is committed; it is believed only at the same revision."""
    state.revision = source.revision
    key = (tenant_id, source.id)
    event.listen(session, "after_commit", lambda _: _keep(key, state), once=True)


def _keep(key: tuple[UUID, UUID], state: MinerState) -> None:
    with _lock:
        _kept[key] = state
        while len(_kept) > CAPACITY:
            _kept.popitem(last=False)
