"""Since when something does not work as it should: kept in the control plane, so that it is true over restarts.

Whoever looks says what it found; the first look that finds a component degraded notes the time, the first that finds
it well removes the note. `decide` is the rule, on plain values; `observe` keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, Select, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.jobs.control_models import Degradation

#: What concerns all tenants is noted under this one.
EVERYBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a degraded component: when it began, and when it was last seen so."""

    since: datetime
    seen_at: datetime

    @property
    def lasted(self) -> timedelta:
        return self.seen_at - self.since


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a component showed. `well_at` is the last moment at which it is known to have been well."""

    degraded: bool
    well_at: datetime | None = None


WELL: Final = Look(degraded=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """The notes to keep, by component, and the notes that go; `before` are the notes that there were."""

    notes: dict[str, Note] = field(default_factory=dict)
    over: dict[str, Note] = field(default_factory=dict)
    before: Mapping[str, Note] = field(default_factory=dict)

    @property
    def since(self) -> dict[str, datetime]:
        """Since when, for each component that is degraded."""
        return {component: note.since for component, note in self.notes.items()}

    def lasting(self, limit: timedelta) -> frozenset[str]:
        """What was degraded for less than `limit` at the look before, if at all, and is by now for as long."""
        return frozenset(
            component for component, note in self.notes.items()
            if note.lasted >= limit and not (
                (last := self.before.get(component)) is not None and last.since == note.since and last.lasted >= limit
            )
        )

    def lasted(self, limit: timedelta) -> frozenset[str]:
        """What is well again after it was seen degraded for `limit` or longer."""
        return frozenset(component for component, note in self.over.items() if note.lasted >= limit)


def decide(known: Mapping[str, Note], looks: Mapping[str, Look], now: datetime) -> Decision:
    """What becomes of the notes after these looks at `now`.

    A component is degraded since it was last known to be well, or since the first look that found it so. One that
    was well after it was last seen degraded has failed anew.
    """
    notes = {}
    for component, look in looks.items():
        before = known.get(component)
        if not look.degraded:
            continue
        anew = before is None or (look.well_at is not None and look.well_at > before.seen_at)
        since = min(look.well_at or now, now) if before is None or anew else before.since
        notes[component] = Note(since, now)
    over = {component: note for component, note in known.items() if component in looks and component not in notes}
    return Decision(notes, over, known)


def observe(
    control: Engine, looks: Mapping[str, Look], now: datetime, tenant_id: UUID = EVERYBODY
) -> Decision:
    """Notes what was seen, as `decide` says; of several that look at once each goes by the notes of the one before.

    Raises OperationalError when the control plane does not answer.
    """
    with Session(control) as session, session.begin():
        decision = decide(_notes(session, _of(looks, tenant_id).with_for_update()), looks, now)
        if decision.notes:
            _keep(session, decision.notes, tenant_id)
        if decision.over:
            session.execute(delete(Degradation).where(
                col(Degradation.tenant_id) == tenant_id, col(Degradation.component).in_(list(decision.over))
            ))
    return decision


def glance(control: Engine, looks: Mapping[str, Look], now: datetime, tenant_id: UUID = EVERYBODY) -> Decision:
    """What `observe` would decide, with nothing kept: whoever watches must not miss a change."""
    with Session(control) as session:
        return decide(_notes(session, _of(looks, tenant_id)), looks, now)


def _of(components: Iterable[str], tenant_id: UUID) -> Select[Degradation]:
    return select(Degradation).where(
        col(Degradation.tenant_id) == tenant_id, col(Degradation.component).in_(list(components))
    ).order_by(col(Degradation.component))


def _notes(session: Session, query: Select[Degradation]) -> dict[str, Note]:
    return {row.component: Note(row.since, row.seen_at) for row in session.scalars(query)}


def _keep(session: Session, notes: Mapping[str, Note], tenant_id: UUID) -> None:
    rows = [
        {"component": component, "tenant_id": tenant_id, "since": note.since, "seen_at": note.seen_at}
        for component, note in sorted(notes.items())
    ]
    added = insert(Degradation).values(rows)
    session.execute(added.on_conflict_do_update(
        index_elements=["component", "tenant_id"],
        set_={"since": added.excluded.since, "seen_at": added.excluded.seen_at},
    ))


def known(control: Engine, components: frozenset[str], tenant_id: UUID = EVERYBODY) -> dict[str, datetime]:
    """Since when each of the components is degraded, as it was noted; nothing for those that are well."""
    with Session(control) as session:
        return {component: note.since for component, note in _notes(session, _of(components, tenant_id)).items()}
