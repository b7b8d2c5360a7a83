"""Operations of the job that counts what an import received: each step under the job's claim, and once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, PlainValidator, WithJsonSchema
from sqlalchemy import select
from sqlmodel import col

from workreef_app.services.access import tenant_settings
from workreef_app.services.jobs.ledger import held, once, progress
from workreef_app.services.operation import NOBODY, Command, Conflict, Event, NotFound, Result, Work, operation
from workreef_app.services.signals import counting, spool
from workreef_app.services.signals.importing import add_batch
from workreef_app.services.signals.models import ImportRun, RunStatus
from workreef_app.services.signals.reader import Line, ReaderState, Reason
from workreef_app.services.signals.runs import Import, import_result, locked, source_of

BATCH_LINES: Final = 5000
LIMIT: Final = "600000/minute"


class TakeUpImport(Command):
    import_id: UUID


class Place(Result):
    """What a job needs to count an import, and where it is to go on.

    `go` is False when there is nothing left to count. `wait` is in how many seconds to ask again, since another
    import into the same source is being counted; 0 to go on. `first_start` is the first byte of chunk `first_chunk`.
    """

    import_id: UUID
    go: bool
    wait: float = 0.0
    gzip: bool
    whole: bool
    time_zone: str
    year: int | None
    now: datetime
    reader: ReaderState
    batches: int
    first_chunk: int
    first_start: int
    chunks: int


@operation("imports.take_up", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.IMPORT_ADVANCED)
def take_up(work: Work, command: TakeUpImport) -> Place:
    """Begins to count an import, or goes on with it; one at a time for each source."""
    held(work)
    run = locked(work, command.import_id)
    source_of(work, run)
    go, wait = run.status in {RunStatus.QUEUED, RunStatus.RUNNING}, 0.0
    if go and _another_runs(work, run):
        # The longer it has waited, the less often it looks; its turn comes at the next look.
        wait = min(30.0, max(2.0, (work.now - run.received_at).total_seconds() / 4))
    elif go:
        run.status = RunStatus.RUNNING
        # Lines are told apart by run: a stopped one could not go on rightly after this one.
        spool.erase_stopped(work.session, run.source_id)
    work.note(target=f"import:{run.id}", department=run.department_id, batch=run.batches, waits=wait > 0)
    state = ReaderState() if run.reader is None else ReaderState.from_json(run.reader)
    first_chunk, first_start = spool.first(work.session, run.id) or (run.chunks, run.bytes_received)
    return Place(
        import_id=run.id, go=go, wait=wait, gzip=run.gzip, whole=run.whole, time_zone=run.time_zone, year=run.year,
        now=run.started_at, reader=state, batches=run.batches, first_chunk=first_chunk, first_start=first_start,
        chunks=run.chunks,
    )


def _another_runs(work: Work, run: ImportRun) -> bool:
    query = select(col(ImportRun.id)).where(
        col(ImportRun.source_id) == run.source_id, col(ImportRun.status) == RunStatus.RUNNING,
        col(ImportRun.id) != run.id,
    )
    return work.session.scalar(query.limit(1)) is not None


class ReadChunk(Command):
    import_id: UUID
    number: int = Field(ge=0, le=2**31 - 1)


class Chunk(Result):
    """A piece of a file, as it was sent."""

    content: bytes


@operation("imports.chunk", by=NOBODY, jobs=True, limit=LIMIT, audit=None)
def read_chunk(work: Work, command: ReadChunk) -> Chunk:
    """Gives the job a chunk to count."""
    held(work)
    content = spool.content(work.session, command.import_id, command.number)
    if content is None:
        raise NotFound("chunk", f"{command.import_id}:{command.number}")
    return Chunk(content=content)


def _lines(value: Any) -> list[Line]:
    """Lines as the reader gives them. They never come from outside, and one by one their check would cost more
    than counting them."""
    if not isinstance(value, list) or len(value) > BATCH_LINES or any(type(line) is not Line for line in value):
        raise ValueError("must be lines of a reader")
    return value


class AdvanceImport(Command):
    """`state` is where the reader stands after these lines, `bytes_counted` how many bytes of the file that took."""

    import_id: UUID
    batch: int = Field(ge=0, le=2**31 - 1)
    lines: Annotated[
        list[Line], PlainValidator(_lines),
        WithJsonSchema({"type": "array", "items": {"type": "object"}, "maxItems": BATCH_LINES}),
    ]
    skipped: dict[Reason, Annotated[int, Field(ge=0)]]
    state: ReaderState
    bytes_counted: int = Field(ge=0)


@operation("imports.advance", by=NOBODY, jobs=True, limit=LIMIT, audit=Event.IMPORT_ADVANCED)
def advance(work: Work, command: AdvanceImport) -> Import:
    """Counts one batch of lines, moves the import to the place after them, and erases what was counted."""
    first_time = once(work, f"batch:{command.batch}")
    run = locked(work, command.import_id)
    if not first_time:
        work.note(target=f"import:{run.id}", department=run.department_id, batch=command.batch, again=True)
        return import_result(run)
    if run.status != RunStatus.RUNNING or command.batch != run.batches:
        raise Conflict(f"Batch {command.batch} was sent, batch {run.batches} is next, and the import is {run.status}.")
    source = source_of(work, run)
    result = add_batch(work.session, work.tenant.id, source, run, command.lines)
    window = tenant_settings.read(work.session)["signals.window_days"]
    counting.recount(work.session, source, window, only=result.touched)
    skipped = sum(command.skipped.values())
    run.batches += 1
    run.lines += len(command.lines) + skipped
    run.added += result.added
    run.repeated += result.repeated
    run.skipped = {**run.skipped, **{
        reason.value: run.skipped.get(reason.value, 0) + times for reason, times in command.skipped.items()
    }}
    run.reader, run.bytes_counted = command.state.as_json(), command.bytes_counted
    spool.erase_counted(work.session, run, command.state.bytes_read)
    progress(work, run.bytes_counted, run.bytes_received)
    work.note(target=f"import:{run.id}", department=run.department_id, batch=command.batch, added=result.added,
              repeated=result.repeated, skipped=skipped)
    return import_result(run)
