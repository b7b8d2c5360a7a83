"""How soon the job of a killed worker runs again: `python -m benchmarks.reclaim [--rounds 3] [--lines 400000]`.

Two processes `workreef worker --queue bulk` with default settings, and an import that takes long. The one that runs
it is killed with SIGKILL; the clock stops when the other has claimed the job. Median and longest of the rounds. Each
round has a tenant and workers of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess  # nosec B404: runs this Python
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from benchmarks import worlds
from workreef_app.commands.input import pieces
from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.models import ENDED, JobStatus
from workreef_app.services.signals.models import RunStatus, SourceKind
from workreef_app.services.signals.receiving import AddChunk, StartImport
from workreef_app.services.signals.runs import Import

WANTED_SECONDS = 40.0
LIMIT_SECONDS = 120.0
WORKERS = 2
HOLDER = text(
    "SELECT w.pid FROM procrastinate_jobs p JOIN worker w ON w.id = p.worker_id"
    " WHERE p.status = 'doing' AND p.args ->> 'job' = :job"
)
REGISTERED = text("SELECT count(*) FROM worker WHERE pid = ANY(:pids)")


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer, asked for every 20 ms. Raises SystemExit when none comes in time."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {LIMIT_SECONDS:.0f} s")
        time.sleep(0.02)
    return found


@contextmanager
def workers(door: Door, log: Path) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Two workers, once both look after the queue, by their process ids."""
    command = [str(Path(sys.executable).with_name("workreef")), "worker", "--queue", "bulk"]
    environment = worlds.environment(door.platform.settings.data_dir)
    with log.open("ab") as out:
        started = [
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)  # nosec B603
            for _ in range(WORKERS)
        ]
    found = {process.pid: process for process in started}
    try:
        until(lambda: scalar(door, REGISTERED, pids=list(found)) == WORKERS, "two workers at work")
        yield found
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=LIMIT_SECONDS)


def scalar(door: Door, statement: Any, **values: Any) -> Any:
    """One value from the control plane."""
    with door.platform.control.connect() as connection:
        return connection.execute(statement, values).scalar()


def long_import(door: Door, admin: Caller, log: Path) -> Import:
    """Hands a log over, for the workers to count."""
    run: Import = door.perform(admin, "imports.start", StartImport(kind=SourceKind.LOG_FILE, file_name=log.name))
    with log.open("rb") as file:
        for number, piece in enumerate(pieces(file, lambda: None)):
            door.perform(admin, "imports.add_chunk", AddChunk(import_id=run.id, number=number, content=piece))
    closed: Import = door.perform(admin, "imports.close", {"import_id": run.id, "whole": True})
    return closed


def job_of(door: Door, admin: Caller, job_id: UUID) -> Any:
    """The job as an admin's list shows it."""
    return next(row for row in door.perform(admin, "jobs.list", {"limit": 200}).rows if row.id == job_id)


def once(door: Door, slug: str, log: Path) -> float:
    """Seconds from the kill until the job is claimed again. Raises SystemExit when it ended before it could be."""
    admin = worlds.admin(worlds.tenant(door, slug))
    with workers(door, log.with_name("workers.log")) as processes:
        run = long_import(door, admin, log)
        job_id = UUID(str(run.job_id))
        until(lambda: job_of(door, admin, job_id).done > 0, "the first step")
        pid = until(lambda: scalar(door, HOLDER, job=str(job_id)), "who runs the job")
        os.kill(pid, signal.SIGKILL)
        killed = time.perf_counter()
        processes[pid].wait()
        if job_of(door, admin, job_id).status is not JobStatus.RUNNING:
            raise SystemExit("The job ended before its worker was killed; give more lines.")
        until(lambda: job_of(door, admin, job_id).crashes == 1, "the other worker")
        seconds = time.perf_counter() - killed
        door.perform(admin, "imports.cancel", {"import_id": run.id})
        until(lambda: job_of(door, admin, job_id).status in ENDED, "the end of the cancelled import")
        if door.perform(admin, "imports.read", {"import_id": run.id}).status is not RunStatus.STOPPED:
            raise SystemExit("The import was not stopped by its cancelling; give more lines.")
    return seconds


def measure(door: Door, rounds: int, lines: int) -> dict[str, object]:
    """Every round's seconds, their median and the longest."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "service.log"
        worlds.write_log(log, lines)
        found = [once(door, f"bench{number}", log) for number in range(rounds)]
    return {
        "rounds": [round(seconds, 1) for seconds in found], "median_seconds": round(statistics.median(found), 1),
        "longest_seconds": round(max(found), 1), "wanted_seconds": WANTED_SECONDS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how soon a killed worker's job runs again.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=400_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with worlds.platform() as door:
        found = measure(door, given.rounds, given.lines)
    if given.json:
        print(json.dumps(found))
        return
    print(
        f"reclaim: a killed worker's job was taken up again after {found['median_seconds']} s,"
        f" {found['longest_seconds']} s at most of {len(found['rounds'])} rounds"  # type: ignore[arg-type]
        f" (wanted at most {found['wanted_seconds']:.0f})"
    )


if __name__ == "__main__":
    main()
