"""What must hold of an import whatever happens meanwhile: each line counts once, or the account says what was kept."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.chaos.harness import World
from workreef_app.commands.importing import import_log
from workreef_app.services.job_control.operations import JobRow
from workreef_app.services.jobs.models import JobStatus
from workreef_app.services.operation import Actor, Reach
from workreef_app.services.signals.models import RunStatus, SourceKind
from workreef_app.services.signals.receiving import StartImport
from workreef_app.services.signals.runs import Import

#: A killed worker is given up after 20 seconds, and its job taken up within 40; three of them, and the counting.
PATIENCE = 300.0
#: A file is handed over in many pieces, so that something can happen between them.
PIECE_BYTES = 1 << 18
PACE = 0.1
ENDED = frozenset({RunStatus.FINISHED, RunStatus.STOPPED})
AUDITOR = Actor(id="chaos", extra_reach=frozenset({Reach.ALL_WORK, Reach.ALL_AUDIT}))

# A step is counted once when the log has one entry that did it; `again` marks those that found it done.
_FACTS = text("""
SELECT
  (SELECT coalesce(sum(lines), 0) FROM observation WHERE source_id = :source) AS counted,
  (SELECT coalesce(sum(added), 0) FROM import_run WHERE source_id = :source) AS added,
  (SELECT coalesce(sum(lines), 0) FROM seen_line WHERE source_id = :source) AS seen,
  (SELECT count(*) FROM seen_line WHERE source_id = :source) AS different,
  (SELECT count(*) FROM spool_chunk WHERE run_id = :run) AS kept,
  (SELECT count(*) FROM effect WHERE job_id = :job AND step LIKE 'batch:%') AS effects,
  (SELECT batches FROM import_run WHERE id = :run) AS batches,
  (SELECT count(*) FROM signal WHERE source_id = :source AND task_id IS NOT NULL) AS tasks,
  (SELECT count(*) FROM signal s CROSS JOIN LATERAL (
    SELECT sum(o.lines) AS times, count(*) AS hours, count(DISTINCT CAST(o.hour AT TIME ZONE 'UTC' AS date)) AS days
    FROM observation o WHERE o.signal_id = s.id AND o.hour > s.window_from) o
   WHERE s.source_id = :source AND (s.times, s.hours, s.days) IS DISTINCT FROM (o.times, o.hours, o.days)
  ) AS wrong_signals
""")
_STEPS = text("""
SELECT CAST(d ->> 'batch' AS int) AS batch, CAST(d ->> 'added' AS int) AS added,
  CAST(d ->> 'repeated' AS int) AS repeated, CAST(d ->> 'skipped' AS int) AS skipped
FROM (SELECT CAST(content AS jsonb) -> 'detail' AS d FROM audit_entry
      WHERE event = 'import.advanced' AND target = :target) e
WHERE d ? 'added' ORDER BY 1
""")


@dataclass(frozen=True)
class Log:
    """A file, and what counting it whole must come to."""

    content: bytes
    lines: int
    dated: int
    different: int
    skipped: dict[str, int]

    def pieces(self) -> Iterator[bytes]:
        return (self.content[at : at + PIECE_BYTES] for at in range(0, len(self.content), PIECE_BYTES))


def log_of(name: str, count: int) -> Log:
    """A log of ten days: twenty things that recur, equal lines, empty ones, and ones that continue the line before."""
    chance = random.Random(name)
    begin = datetime.now(UTC) - timedelta(days=10)
    lines: list[str] = []
    skipped: Counter[str] = Counter()
    while len(lines) < count:
        at = begin + timedelta(days=10) * (len(lines) / count)
        kind, what = chance.randrange(20), chance.random()
        line = f"{at.isoformat()} service{kind} failed on host{chance.randrange(50)} after {chance.randrange(999)} ms"
        more = {0: line, 1: "", 2: f"    at frame {kind}"}.get(int(what * 20))
        lines.append(line)
        if more is not None and len(lines) < count:
            lines.append(more)
            if more is not line:
                skipped["continuation" if more else "empty"] += 1
    dated = [line for line in lines if line[:1].isdigit()]
    return Log("\n".join(lines).encode() + b"\n", count, len(dated), len(set(dated)), dict(skipped))


class Sent:
    """A file on its way through `commands.importing`, in a thread, as the command line sends and follows it."""

    def __init__(self, world: World, name: str, department: str, pieces: Iterable[bytes]) -> None:
        self._begun: Future[UUID] = Future()
        self._account: Future[Import] = Future()
        # A daemon: a case that failed is not held up by a sender whose database is gone.
        threading.Thread(target=self._run, args=(world, name, department, pieces), name="sender", daemon=True).start()

    def _run(self, *given: Any) -> None:
        try:
            self._account.set_result(self._send(*given))
        except BaseException as error:
            self._account.set_exception(error)
            if not self._begun.done():
                self._begun.set_exception(error)

    def _send(self, world: World, name: str, department: str, pieces: Iterable[bytes]) -> Import:
        def progress(run: Import) -> None:
            if not self._begun.done():
                self._begun.set_result(run.id)

        command = StartImport(kind=SourceKind.LOG_FILE, file_name=f"{name}.log", department=department)
        account = import_log(world.door, world.admin, pieces, command, progress)
        assert account.cause is None, f"the sending was cut off: {account.cause!r}"
        return account.run

    @property
    def import_id(self) -> UUID:
        return self._begun.result(PATIENCE)

    def ended(self) -> Import:
        """The import, once it has ended."""
        return self._account.result(PATIENCE)

    def over(self) -> bool:
        return self._account.done()


def until(world: World, what: Callable[[], Any]) -> None:
    world.wait(what, PATIENCE, PACE)


def read(world: World, import_id: UUID) -> Import:
    run: Import = world.door.perform(world.admin, "imports.read", {"import_id": import_id})
    return run


def job_of(world: World, import_id: UUID) -> JobRow:
    rows = world.door.perform(world.admin, "jobs.poll", {"limit": 200}).rows
    found: JobRow = next(row for row in rows if row.subject == import_id)
    return found


def account(world: World, import_id: UUID, log: Log) -> str:
    """Holds an ended import's account against the rows, the log of what was done, and the file; in words."""
    run, job = read(world, import_id), job_of(world, import_id)
    assert run.status in ENDED, run
    assert run.added + run.repeated + sum(run.skipped.values()) == run.lines <= log.lines, run
    with world.door.platform.unit_of_work(world.admin.tenant, AUDITOR) as session:
        facts = session.execute(_FACTS, {"source": run.source_id, "run": import_id, "job": job.id}).one()
        steps = session.execute(_STEPS, {"target": f"import:{import_id}"}).all()
    assert facts.counted == facts.added == facts.seen <= log.dated, facts
    assert facts.wrong_signals == 0, f"numbers that are not those of the rows behind them: {facts}"
    assert [step.batch for step in steps] == list(range(facts.batches)), f"steps of {facts.batches}: {steps}"
    assert facts.effects == facts.batches, facts
    told = (run.added, run.repeated, sum(run.skipped.values()))
    assert told == tuple(sum(step[place] for step in steps) for place in (1, 2, 3)), (told, steps)
    if run.status is RunStatus.FINISHED:
        assert (run.lines, run.skipped) == (log.lines, log.skipped), (run, log.lines, log.skipped)
        assert job.status is JobStatus.DONE, job
        assert facts.tasks > 0, "nothing was found in a log of things that recur"
    if job.status in {JobStatus.DONE, JobStatus.CANCELLED}:
        assert facts.kept == 0, f"{facts.kept} chunks of the file are left"
    assert world.door.perform(world.admin, "audit.verify", {}).ok
    why = f" ({run.reason.value})" if run.reason else ""
    return f"{run.status.value}{why}: {run.lines:,} lines in {len(steps)} steps, crashes {job.crashes}"


def whole(world: World, source_id: UUID, log: Log) -> None:
    """The source has every line of the file as often as the file has it."""
    with world.door.platform.unit_of_work(world.admin.tenant, AUDITOR) as session:
        found = session.execute(text(
            "SELECT sum(lines), count(*), (SELECT sum(lines) FROM observation WHERE source_id = :source)"
            " FROM seen_line WHERE source_id = :source"
        ), {"source": source_id}).one()
    assert tuple(found) == (log.dated, log.different, log.dated), (tuple(found), log.dated, log.different)


def taken_up(world: World, import_id: UUID, name: str, department: str, log: Log) -> str:
    """What people do about an import that stopped: retry its job where it says so, else send the file again."""
    before, job = read(world, import_id), job_of(world, import_id)
    if job.status in {JobStatus.FAILED, JobStatus.QUARANTINED}:
        world.door.perform(world.admin, "jobs.retry", {"job_id": job.id})
        until(world, lambda: read(world, import_id).status in ENDED)
        assert read(world, import_id).status is RunStatus.FINISHED, read(world, import_id)
        return "retried: " + account(world, import_id, log)
    again = Sent(world, name, department, log.pieces()).ended()
    assert again.added == log.dated - before.added, "the rest was not added exactly"
    return f"sent again: the other {again.added:,} added; " + account(world, again.id, log)


def concluded(world: World, import_id: UUID, name: str, department: str, log: Log) -> str:
    """Everything that must hold once an import has ended, and after the file is there whole; in words."""
    world.mend()
    outcome = account(world, import_id, log)
    if read(world, import_id).status is not RunStatus.FINISHED:
        outcome += "; " + taken_up(world, import_id, name, department, log)
    whole(world, read(world, import_id).source_id, log)
    again = Sent(world, name, department, log.pieces()).ended()
    assert (again.added, again.repeated) == (0, log.dated), f"the file was not counted whole: {again}"
    account(world, again.id, log)
    whole(world, again.source_id, log)
    world.settled()
    return outcome
