"""What is new to a person since their last visit, each number with the list that it counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from workreef_app.services import paging
from workreef_app.services.access import visits
from workreef_app.services.operation import Result, Work
from workreef_app.services.paging import Query
from workreef_app.services.recommend import reading
from workreef_app.services.recommend.models import ProposalStatus
from workreef_app.services.signals.models import ImportRun, Source


class Since(Result):
    """What came since a person's last visit ended; `at` is None on their first.

    The numbers are those of the lists of tasks, proposals and imports with the same `since`; proposals that others
    decided are those of the list with that `decided_since`.
    """

    at: datetime | None
    tasks: int = 0
    proposals: int = 0
    decided: int = 0
    imports: int = 0


def since(work: Work, query: Query) -> Since:
    """What is new among the tasks of `query`, and which imports ended. Nothing where no person asks."""
    if work.actor.person_id is None:
        return Since(at=None)
    at = visits.current(work.session, work.actor.person_id, work.now).previous_end
    if at is None:
        return Since(at=None)
    new = reading.filtered(query, since=at)
    return Since(
        at=at, tasks=paging.total(work.session, new),
        proposals=paging.total(work.session, reading.filtered(new, status=ProposalStatus.OPEN)),
        decided=paging.total(work.session, reading.filtered(query, decided=reading.decided_by_others(work, at))),
        imports=paging.total(work.session, ended(at)),
    )


def ended(at: datetime | None) -> Query:
    """The imports that ended since then, or ever, with their sources, in the actor's scope."""
    query = select(ImportRun, Source).join(Source, col(Source.id) == col(ImportRun.source_id))
    query = query.where(col(ImportRun.finished_at).is_not(None))
    return query if at is None else query.where(col(ImportRun.finished_at) >= at)
