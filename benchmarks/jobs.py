"""Jobs a second of one worker: `python -m benchmarks.jobs [--jobs 300] [--json]`.

Jobs that do nothing wait in the queue; a worker process of its own (`Crew`, one at a time) runs them: each is claimed
and ended in its tenant's database with an audit entry on disk. In turns with that, a worker process of bare
procrastinate runs as many tasks that do nothing, from a database of the same server, also one at a time, each deleted
when done. Rates run from the first body to the last one. Medians of three rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess  # nosec B404: runs this Python
import sys
import time
from pathlib import Path

from uuid_utils.compat import uuid7

from benchmarks import worlds
from benchmarks.procrastinate_peer import Tally, fill_bare, make_bare, work_bare
from workreef_app import settings
from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.kinds import KINDS, JobRun, Queue, kind
from workreef_app.services.process import opened
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers.process import Crew

ROUNDS = 3
LIMIT_SECONDS = 600
KIND = "bench_nothing"
OURS, BARE = "ours", "bare"


def register(tally: Tally | None = None) -> None:
    """Makes the kind of job that does nothing known in this process."""
    if KIND not in KINDS:

        @kind(KIND, queue=Queue.BULK)
        def nothing(run: JobRun) -> None:
            if tally is not None:
                tally.add()


async def work_ours(door: Door, count: int) -> float:
    """Runs so many of our jobs; jobs a second."""
    tally = Tally(count)
    register(tally)
    crew = Crew(door, [Queue.BULK])
    running = asyncio.create_task(crew.run())
    await tally.done.wait()
    crew.stop()
    await running
    return tally.rate()


def fill_ours(door: Door, tenant: Tenant, count: int) -> None:
    """Puts so many jobs in our queue, each in a transaction of its own, as any operation does."""
    system = Caller(tenant, "bench", system="scheduler")
    for _ in range(count):
        door.perform(system, "jobs.schedule", {"kind": KIND, "key": f"{KIND}:{uuid7()}"})


def worked(door: Door, which: str, count: int) -> float:
    """The rate of a worker process that is started for it."""
    data = door.platform.settings.data_dir
    command = [sys.executable, "-m", "benchmarks.jobs", "--worker", which, "--data", str(data), "--jobs", str(count)]
    answer = subprocess.run(  # nosec B603
        command, env=worlds.environment(data), stdout=subprocess.PIPE, check=True, timeout=LIMIT_SECONDS,
    )
    return float(json.loads(answer.stdout))


def measure(door: Door, count: int) -> dict[str, float]:
    """Jobs a second of both, and their ratio."""
    register()
    tenant = worlds.tenant(door, "bench")
    asyncio.run(make_bare(door))
    pairs, enqueued = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        fill_ours(door, tenant, count)
        enqueued.append(count / (time.perf_counter() - began))
        asyncio.run(fill_bare(door, count))
        pairs.append((worked(door, OURS, count), worked(door, BARE, count)))
    return {
        "jobs": count,
        "enqueued_per_second": round(statistics.median(enqueued)),
        "jobs_per_second": round(statistics.median(ours for ours, _ in pairs), 1),
        "bare_per_second": round(statistics.median(bare for _, bare in pairs), 1),
        "ratio": round(statistics.median(ours / bare for ours, bare in pairs), 3),
    }


def work(which: str, data: Path, count: int) -> None:
    """The worker process: runs the jobs and prints their rate."""
    with opened(settings.load(**worlds.own_settings(data)), prepare=False) as door:
        print(json.dumps(asyncio.run(work_ours(door, count) if which == OURS else work_bare(door, count))))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure jobs a second of one worker.")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", choices=(OURS, BARE), help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.data, given.jobs)
        return
    with worlds.platform() as door:
        found = measure(door, given.jobs)
    if given.json:
        print(json.dumps(found))
        return
    print(
        f"jobs: {found['jobs_per_second']:,} a second through one worker"
        f" (bare procrastinate {found['bare_per_second']:,}; ratio {found['ratio']});"
        f" put in the queue at {found['enqueued_per_second']:,} a second"
    )


if __name__ == "__main__":
    main()
