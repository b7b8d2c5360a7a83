"""The end of an import, however it comes: what was counted is measured, tasks are found, the rest of it is erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.access import tenant_settings
from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.alarms.raising import raise_alarm
from workreef_app.services.job_control import lifecycle
from workreef_app.services.jobs.ledger import once
from workreef_app.services.jobs.models import ENDED, Job, JobStatus
from workreef_app.services.operation import NOBODY, Command, Conflict, Event, Result, Work, operation
from workreef_app.services.recommend.tasks import refresh
from workreef_app.services.signals import counting, spool
from workreef_app.services.signals.advancing import LIMIT
from workreef_app.services.signals.foreign import Fault
from workreef_app.services.signals.models import ImportRun, RunStatus, SpoolChunk, StopReason
from workreef_app.services.signals.runs import IMPORTERS, Import, found, import_result, locked, source_of

#: After so long without a chunk, who sent the file is taken for dead.
ABANDONED_AFTER: Final = timedelta(hours=1)
#: How long an import that failed can be taken up again; then what is left of its file is erased.
KEPT_FOR: Final = timedelta(days=3)
#: Imports that one sweep ends or erases; the next one goes on.
SWEPT: Final = 100
#: Imports that stopped for these reasons go on from their last step when their job is retried.
RETRYABLE: Final = frozenset({StopReason.FAILED, StopReason.DISK_FULL})


def end(work: Work, run: ImportRun, reason: StopReason | None, fault: Fault | None = None) -> None:
    """Ends an import for good: `reason` is None for one whose file was counted whole. The row must be locked."""
    source = source_of(work, run)
    run.status = RunStatus.FINISHED if reason is None else RunStatus.STOPPED
    run.reason, run.fault, run.finished_at = reason, fault, work.now
    spool.erase(work.session, run.id)
    window = tenant_settings.read(work.session)["signals.window_days"]
    run.signals = counting.recount(work.session, source, window)
    run.new_tasks += refresh(work, source)
    work.session.add(run)


class FinishImport(Command):
    """`fault` says why the file could not be read, or not further."""

    import_id: UUID
    fault: Fault | None = None


@operation("imports.finish", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.IMPORT_FINISHED)
def finish_import(work: Work, command: FinishImport) -> Import:
    """Ends an import once all of it is counted: measures the source's signals, and finds tasks."""
    first_time = once(work, "finish")
    run = locked(work, command.import_id)
    if first_time:
        if run.status != RunStatus.RUNNING:
            raise Conflict(f"This import is {run.status}.")
        end(work, run, _why(run, command.fault), command.fault)
    work.note(target=f"import:{run.id}", department=run.department_id, status=str(run.status), lines=run.lines,
              reason=str(run.reason) if run.reason else None, added=run.added, repeated=run.repeated,
              signals=run.signals, new_tasks=run.new_tasks)
    return import_result(run)


def _why(run: ImportRun, fault: Fault | None) -> StopReason | None:
    """Why a file that was read to its end is not whole; None if it is. Gzip data that was cut off ends early."""
    if fault is not None and (run.whole or fault is not Fault.GZIP_CUT):
        return StopReason.UNREADABLE
    return None if run.whole else StopReason.INTERRUPTED


def job_ended(work: Work, job: Job, status: JobStatus) -> None:
    """What becomes of an import whose job ended before it was finished."""
    run = locked(work, job.subject)
    if run.status not in {RunStatus.QUEUED, RunStatus.RUNNING}:
        return
    if status is JobStatus.CANCELLED:
        end(work, run, StopReason.CANCELLED)
        return
    # It may go on, so what is left of the file is kept; and as little is done as can be: this is what just failed.
    run.status, run.finished_at = RunStatus.STOPPED, work.now
    run.reason = StopReason.DISK_FULL if job.error == StopReason.DISK_FULL else StopReason.FAILED
    work.session.add(run)


def job_retried(work: Work, job: Job) -> None:
    """Takes an import up again. Raises Conflict where what is left of its file has been erased."""
    run = locked(work, job.subject)
    if run.reason not in RETRYABLE or not _can_go_on(work, run):
        raise Conflict("The rest of this file has been erased. Import it again: only what is missing is added.")
    run.status, run.reason, run.finished_at = RunStatus.QUEUED, None, None
    work.session.add(run)


def _can_go_on(work: Work, run: ImportRun) -> bool:
    return run.bytes_counted >= run.bytes_received or spool.first(work.session, run.id) is not None


class CancelImport(Command):
    import_id: UUID


@operation("imports.cancel", by=IMPORTERS, limit="60/minute", audit=Event.IMPORT_CANCELLED)
def cancel_import(work: Work, command: CancelImport) -> Import:
    """Cancels an import: at once, or at its next step while it runs. What was counted is kept, the rest is erased."""
    job_id = found(work, command.import_id).job_id
    # The job before the import, as its steps lock them.
    job = work.session.scalars(select(Job).where(col(Job.id) == job_id).with_for_update()).first() if job_id else None
    run = locked(work, command.import_id)
    if run.status == RunStatus.STOPPED and run.reason in RETRYABLE:
        end(work, run, StopReason.CANCELLED)
    elif run.status in {RunStatus.FINISHED, RunStatus.STOPPED}:
        raise Conflict(f"This import has {run.status} already.")
    elif run.job_id != job_id:
        raise Conflict("This import has just begun to be counted. Look again.")
    elif job is None:
        end(work, run, StopReason.CANCELLED)
    elif JobStatus(job.status) not in ENDED:
        job.cancel_requested = True
        work.session.add(job)
        if job.status == JobStatus.QUEUED:
            lifecycle.close(work, job, JobStatus.CANCELLED, None)
    work.note(target=f"import:{run.id}", department=run.department_id, status=str(run.status), lines=run.lines,
              added=run.added, repeated=run.repeated)
    return import_result(run)


class SweepImports(Command):
    pass


class Swept(Result):
    """How many imports were ended for want of their sender, and how many were given up."""

    abandoned: int
    erased: int


@operation("imports.sweep", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.IMPORT_SWEPT)
def sweep_imports(work: Work, command: SweepImports) -> Swept:
    """Ends imports whose sender went away an hour ago, and erases what is left of those that failed days ago."""
    if not once(work, "sweep"):
        return Swept(abandoned=0, erased=0)
    abandoned = list(work.session.scalars(
        select(ImportRun).where(
            col(ImportRun.status) == RunStatus.RECEIVING, col(ImportRun.received_at) < work.now - ABANDONED_AFTER
        ).limit(SWEPT).with_for_update(skip_locked=True)
    ))
    for run in abandoned:
        end(work, run, StopReason.ABANDONED)
        raise_alarm(work, AlarmKind.IMPORT_STOPPED, subject=f"import:{run.id}", department=run.department_id)
    left = list(work.session.scalars(
        select(col(ImportRun.id)).where(
            col(ImportRun.status) == RunStatus.STOPPED, col(ImportRun.finished_at) < work.now - KEPT_FOR,
            select(col(SpoolChunk.number)).where(col(SpoolChunk.run_id) == col(ImportRun.id)).exists(),
        ).limit(SWEPT)
    ))
    for run_id in left:
        spool.erase(work.session, run_id)
    work.note(target="import", abandoned=len(abandoned), erased=len(left))
    return Swept(abandoned=len(abandoned), erased=len(left))
