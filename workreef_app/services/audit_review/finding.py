"""Finding entries in a log of any length: each way to an entry is a walk down one index, newest first, that stops.

Row-level security decides what is seen. It is told as a condition on every row, which no index can answer, so what it
will let through is asked for by the indexes too: one's own entries, and those of each department.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import ColumnElement, func, select, text, tuple_, union
from sqlmodel import col

from workreef_app.services.audit.log import timestamp
from workreef_app.services.audit.models import AuditEntry
from workreef_app.services.audit_review.reading import head
from workreef_app.services.operation import Command, Event, Reach, Work, departments_of, reach_of

PAGE = 50
#: From here on a list says "more than": to count on would take longer the longer the log is.
COUNTED: Final = 2000
#: What stands before an id in an entry's target, and in its actor.
TARGETS: Final = (
    "alarm", "alarm_route", "department", "entry", "import", "job", "note", "person", "proposal", "session", "setting",
    "source", "task", "tenant", "token", "witness",
)
ACTORS: Final = ("cli", "job", "person", "system", "token")

#: Which index is best depends on what is asked for: a plan for all events alike walks the log for the rare ones.
_PLANNED_ANEW = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
_EXISTING = text("""
    SELECT 'target' AS kind, name FROM unnest(CAST(:targets AS text[])) AS name
    WHERE EXISTS (SELECT 1 FROM audit_entry e WHERE e.target = name)
    UNION ALL
    SELECT 'actor', name FROM unnest(CAST(:actors AS text[])) AS name
    WHERE EXISTS (SELECT 1 FROM audit_entry e WHERE e.actor = name)
""")

Filter = Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)]


def _is_moment(given: str) -> str:
    if given:
        _moment(given)
    return given


#: A day in UTC, or a whole second in UTC.
Moment = Annotated[
    str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?)?$"), AfterValidator(_is_moment)
]


class Filters(Command):
    """Which entries. `id` is that of anything: whoever acted, what it was done to, or the department it lies in."""

    actor: Filter = ""
    event: Event | None = None
    target: Filter = ""
    id: Filter = ""
    since: Moment = ""
    until: Moment = ""


def newest(work: Work, asked: Filters, *, limit: int, before: int | None = None) -> list[AuditEntry]:
    """The newest entries that are asked for, from behind the entry `before` on where one is given.

    Newest is the highest number; where times are asked for it is the latest time, which the clocks of several hosts may
    give in another order.
    """
    conditions = _filters(work, asked)
    if before is not None:
        conditions.append(_behind(work, asked, before))
    return _walk(work, asked, conditions, _order(asked), limit)


def added(work: Work, asked: Filters, *, after: int, limit: int) -> list[AuditEntry]:
    """The newest of the entries that were added after a number, and are asked for."""
    return _walk(work, asked, [*_filters(work, asked), col(AuditEntry.seq) > after], _NEWEST, limit)


def total(work: Work, asked: Filters) -> tuple[int, bool]:
    """How many entries are asked for, and whether there are more than that: the whole log's number is always exact."""
    if Reach.ALL_AUDIT in reach_of(work.actor) and not any(getattr(asked, name) for name in Filters.model_fields):
        return head(work.session).seq, False
    found = _numbers(work, asked, _filters(work, asked), _order(asked), COUNTED + 1).limit(COUNTED + 1).subquery()
    count = work.session.scalar(select(func.count()).select_from(found)) or 0
    return min(count, COUNTED), count > COUNTED


_NEWEST = [col(AuditEntry.seq).desc()]
_LATEST = [col(AuditEntry.at).desc(), col(AuditEntry.seq).desc()]


def _order(asked: Filters) -> list[Any]:
    """What entries are ordered by: an index has it in this order."""
    return _LATEST if asked.since or asked.until else _NEWEST


def _behind(work: Work, asked: Filters, before: int) -> ColumnElement[bool]:
    at = work.session.scalar(select(col(AuditEntry.at)).where(col(AuditEntry.seq) == before))
    if at is None or not (asked.since or asked.until):
        return col(AuditEntry.seq) < before
    return tuple_(col(AuditEntry.at), col(AuditEntry.seq)) < tuple_(at, before)


def _walk(
    work: Work, asked: Filters, conditions: list[ColumnElement[bool]], order: list[Any], limit: int
) -> list[AuditEntry]:
    numbers = _numbers(work, asked, conditions, order, limit).subquery()
    query = select(AuditEntry).where(col(AuditEntry.seq).in_(select(numbers.c.seq)))
    return list(work.session.scalars(query.order_by(*order).limit(limit)))


def _numbers(
    work: Work, asked: Filters, conditions: list[ColumnElement[bool]], order: list[Any], limit: int
) -> Any:
    """The numbers that each way finds, at most `limit` by each; the first of all in the order are among them."""
    walks = [
        select(col(AuditEntry.seq)).where(*conditions, *seen, *named)
        .order_by(*order).limit(limit).subquery()
        for seen in _seen(work) for named in _named(work, asked.id)
    ]
    selects = [select(walk.c.seq) for walk in walks]
    return select(union(*selects).subquery().c.seq) if len(selects) > 1 else selects[0]


def _seen(work: Work) -> list[tuple[ColumnElement[bool], ...]]:
    """The ways to what row-level security lets the reader see; one way without a condition for the whole log."""
    if Reach.ALL_AUDIT in reach_of(work.actor):
        return [()]
    departments = sorted(str(department) for department in departments_of(work.actor))
    return [
        (col(AuditEntry.actor) == work.actor.id,),
        *((col(AuditEntry.department) == department,) for department in departments),
    ]


def _named(work: Work, wanted: str) -> list[tuple[ColumnElement[bool], ...]]:
    """The ways to an id that is all that is known of something. Most kinds of things do not have it: they are asked
    for together, so that only the few ways that lead to an entry are walked.
    """
    if not wanted:
        return [()]
    whole = ":" in wanted
    targets = [wanted] if whole else [f"{kind}:{wanted}" for kind in TARGETS]
    actors = [wanted] if whole else [f"{kind}:{wanted}" for kind in ACTORS]
    found = work.session.execute(_EXISTING, {"targets": targets, "actors": actors})
    ways = {"target": col(AuditEntry.target), "actor": col(AuditEntry.actor)}
    return [*((ways[row.kind] == row.name,) for row in found), (col(AuditEntry.department) == wanted,)]


def _filters(work: Work, asked: Filters) -> list[ColumnElement[bool]]:
    work.session.execute(_PLANNED_ANEW)
    conditions = []
    if asked.actor:
        conditions.append(col(AuditEntry.actor) == asked.actor)
    if asked.event is not None:
        conditions.append(col(AuditEntry.event) == asked.event.value)
    if asked.target:
        conditions.append(col(AuditEntry.target) == asked.target)
    if asked.since:
        conditions.append(col(AuditEntry.at) >= timestamp(_moment(asked.since)))
    if asked.until.endswith("Z"):
        conditions.append(col(AuditEntry.at) < timestamp(_moment(asked.until)))
    elif asked.until:
        # Everything of the last day sorts before its end.
        conditions.append(col(AuditEntry.at) < f"{asked.until}U")
    return conditions


def _moment(given: str) -> datetime:
    day = datetime.fromisoformat(given)
    return datetime.combine(day, time(), UTC) if day.tzinfo is None else day
