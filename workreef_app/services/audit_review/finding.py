"""Finding entries in a log of any length: each way to an entry is a walk down one index, newest first, that stops.

The indexes are those of `audit_lookup`, which each checkpoint brings up to date; what came after the last one is read
from the log itself, a minute's entries at most.

Row-level security decides what is seen. It is told as a condition on every row, which no index can answer, so what it
will let through is asked for by the indexes too: one's own entries, and those of each department.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import ColumnElement, func, select, text, tuple_, union
from sqlmodel import col

from workreef_app.services.audit.log import timestamp
from workreef_app.services.audit.models import AuditEntry, AuditLookup
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
_INDEXED = text("SELECT audit_indexed()")
_EXISTING = text("""
    SELECT 'target' AS kind, name FROM unnest(CAST(:targets AS text[])) AS name
    WHERE EXISTS (SELECT 1 FROM audit_lookup e WHERE e.target = name)
      OR EXISTS (SELECT 1 FROM audit_entry e WHERE e.seq > :indexed AND e.target = name)
    UNION ALL
    SELECT 'actor', name FROM unnest(CAST(:actors AS text[])) AS name
    WHERE EXISTS (SELECT 1 FROM audit_lookup e WHERE e.actor = name)
      OR EXISTS (SELECT 1 FROM audit_entry e WHERE e.seq > :indexed AND e.actor = name)
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


#: Where entries are found: by the indexes, or in the log itself.
Place = type[AuditLookup] | type[AuditEntry]
Conditions = Callable[[Place], list[ColumnElement[bool]]]


def newest(work: Work, asked: Filters, *, limit: int, before: int | None = None) -> list[AuditEntry]:
    """The newest entries that are asked for, from behind the entry `before` on where one is given.

    Newest is the highest number; where times are asked for it is the latest time, which the clocks of several hosts may
    give in another order.
    """
    at = None
    if before is not None and (asked.since or asked.until):
        at = work.session.scalar(select(col(AuditEntry.at)).where(col(AuditEntry.seq) == before))

    def behind(place: Place) -> list[ColumnElement[bool]]:
        if before is None:
            return []
        if at is None:
            return [col(place.seq) < before]
        return [tuple_(col(place.at), col(place.seq)) < tuple_(at, before)]

    return _walk(work, asked, behind, _by_time if asked.since or asked.until else _by_number, limit)


def added(work: Work, asked: Filters, *, after: int, limit: int) -> list[AuditEntry]:
    """The newest of the entries that were added after a number, and are asked for."""
    return _walk(work, asked, lambda place: [col(place.seq) > after], _by_number, limit)


def oldest(work: Work, asked: Filters, *, after: int, upto: int, limit: int) -> list[AuditEntry]:
    """The first of the entries after a number and up to another that are asked for, in the order of the chain."""
    return _walk(work, asked, lambda place: [col(place.seq) > after, col(place.seq) <= upto], _in_order, limit)


def total(work: Work, asked: Filters) -> tuple[int, bool]:
    """How many entries are asked for, and whether there are more than that: the whole log's number is always exact."""
    if Reach.ALL_AUDIT in reach_of(work.actor) and not any(getattr(asked, name) for name in Filters.model_fields):
        return head(work.session).seq, False
    order = _by_time if asked.since or asked.until else _by_number
    found = _numbers(work, asked, lambda place: [], order, COUNTED + 1).limit(COUNTED + 1).subquery()
    count = work.session.scalar(select(func.count()).select_from(found)) or 0
    return min(count, COUNTED), count > COUNTED


# What entries are ordered by: an index has it in this order.
def _by_number(place: Place) -> list[Any]:
    return [col(place.seq).desc()]


def _by_time(place: Place) -> list[Any]:
    return [col(place.at).desc(), col(place.seq).desc()]


def _in_order(place: Place) -> list[Any]:
    return [col(place.seq).asc()]


def _walk(
    work: Work, asked: Filters, more: Conditions, order: Callable[[Place], list[Any]], limit: int
) -> list[AuditEntry]:
    numbers = _numbers(work, asked, more, order, limit).subquery()
    query = select(AuditEntry).where(col(AuditEntry.seq).in_(select(numbers.c.seq)))
    return list(work.session.scalars(query.order_by(*order(AuditEntry)).limit(limit)))


def _numbers(
    work: Work, asked: Filters, more: Conditions, order: Callable[[Place], list[Any]], limit: int
) -> Any:
    """The numbers that each way finds, at most `limit` by each; the first of all in the order are among them."""
    work.session.execute(_PLANNED_ANEW)
    indexed: int = work.session.execute(_INDEXED).scalar_one()
    named = _named(work, asked.id, indexed)
    places: tuple[tuple[Place, list[ColumnElement[bool]]], ...] = (
        (AuditLookup, []), (AuditEntry, [col(AuditEntry.seq) > indexed])
    )
    walks = [
        select(col(place.seq)).where(*within, *_filters(place, asked), *more(place), *seen, *way(place))
        .order_by(*order(place)).limit(limit).subquery()
        for place, within in places for seen in _seen(work, place) for way in named
    ]
    return select(union(*(select(walk.c.seq) for walk in walks)).subquery().c.seq)


def _seen(work: Work, place: Place) -> list[list[ColumnElement[bool]]]:
    """The ways to what row-level security lets the reader see; one way without a condition for the whole log."""
    if Reach.ALL_AUDIT in reach_of(work.actor):
        return [[]]
    departments = sorted(str(department) for department in departments_of(work.actor))
    return [
        [col(place.actor) == work.actor.id],
        *([col(place.department) == department] for department in departments),
    ]


def _named(work: Work, wanted: str, indexed: int) -> list[Conditions]:
    """The ways to an id that is all that is known of something. Most kinds of things do not have it: they are asked
    for together, so that only the few ways that lead to an entry are walked.
    """
    if not wanted:
        return [lambda place: []]
    whole = ":" in wanted
    targets = [wanted] if whole else [f"{kind}:{wanted}" for kind in TARGETS]
    actors = [wanted] if whole else [f"{kind}:{wanted}" for kind in ACTORS]
    found = work.session.execute(_EXISTING, {"targets": targets, "actors": actors, "indexed": indexed})
    return [*(_exactly(row.kind, row.name) for row in found), _exactly("department", wanted)]


def _exactly(column: str, value: str) -> Conditions:
    return lambda place: [getattr(place, column) == value]


def _filters(place: Place, asked: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.actor:
        conditions.append(col(place.actor) == asked.actor)
    if asked.event is not None:
        conditions.append(col(place.event) == asked.event.value)
    if asked.target:
        conditions.append(col(place.target) == asked.target)
    if asked.since:
        conditions.append(col(place.at) >= timestamp(_moment(asked.since)))
    if asked.until.endswith("Z"):
        conditions.append(col(place.at) < timestamp(_moment(asked.until)))
    elif asked.until:
        # Everything of the last day sorts before its end.
        conditions.append(col(place.at) < f"{asked.until}U")
    return conditions


def _moment(given: str) -> datetime:
    day = datetime.fromisoformat(given)
    return datetime.combine(day, time(), UTC) if day.tzinfo is None else day
