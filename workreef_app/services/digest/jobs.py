"""The nightly digest: every source measured anew over its window, and tasks found, one source a step."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.access import tenant_settings
from workreef_app.services.jobs.kinds import JobRun, Queue, kind
from workreef_app.services.jobs.ledger import once, progress
from workreef_app.services.operation import NOBODY, Command, Event, Result, Work, operation
from workreef_app.services.recommend.tasks import refresh
from workreef_app.services.signals import counting
from workreef_app.services.signals.models import Source

LIMIT: Final = "600000/minute"


class MeasureNext(Command):
    """`after` is the source that was measured last; none to begin."""

    after: UUID | None = None
    measured: int = 0


class Measured(Result):
    """The source that was measured, or none when there are no more."""

    source_id: UUID | None
    signals: int
    new_tasks: int


@operation("digest.measure", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.SIGNALS_MEASURED)
def measure_next(work: Work, command: MeasureNext) -> Measured:
    """Counts the next source's signals over the window as it is set now, and finds tasks."""
    query = select(Source).order_by(col(Source.id)).limit(1).with_for_update()
    if command.after is not None:
        query = query.where(col(Source.id) > command.after)
    source = work.session.scalars(query).first()
    if source is None:
        work.note(target="digest", sources=command.measured)
        return Measured(source_id=None, signals=0, new_tasks=0)
    signals = new_tasks = 0
    if once(work, f"source:{source.id}"):
        window = tenant_settings.read(work.session)["signals.window_days"]
        signals = counting.recount(work.session, source, window)
        new_tasks = refresh(work, source)
    progress(work, command.measured + 1, None)
    work.note(target=f"source:{source.id}", department=source.department_id, signals=signals, new_tasks=new_tasks)
    return Measured(source_id=source.id, signals=signals, new_tasks=new_tasks)


@kind("digest", queue=Queue.BULK)
def make_digest(run: JobRun) -> None:
    """Goes through the sources in the order of their ids; what was measured before a crash is not measured again."""
    after, measured = None, 0
    while True:
        found: Measured = run.perform("digest.measure", {"after": after, "measured": measured})
        if found.source_id is None:
            return
        after, measured = found.source_id, measured + 1
        run.checkpoint()
