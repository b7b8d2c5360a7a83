"""Workers in threads of this process on the real queue: jobs are run, given back, and taken from the dead."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from workreef_app.services.door import Door
from workreef_app.services.jobs.kinds import JobRun
from workreef_app.services.jobs.models import ENDED, JobStatus
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers import reclaiming
from workreef_app.services.workers.process import helping

WAIT_SECONDS = 30.0
TURN = threading.Event()


@pytest.fixture(autouse=True)
def _empty_queue(door: Door) -> None:
    """What other tests left in the queue is not ours to run."""
    with door.platform.control.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))


def until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """The first true answer, asked for again and again within bounds."""
    for _ in range(int(seconds / 0.05)):
        found = condition()
        if found:
            return found
        TURN.wait(0.05)
    raise AssertionError("it did not come to that in time")


def test_a_job_that_is_put_in_the_queue_runs_and_its_pointer_goes(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, job: Any
) -> None:
    probe.body = lambda run: run.perform("probe.step", {"name": "one"})
    with helping(door):
        jobs = [scheduled(tenant) for _ in range(5)]
        until(lambda: all(job(tenant, one).status in ENDED for one in jobs))
    assert {job(tenant, one).status for one in jobs} == {JobStatus.DONE}
    assert probe.effects == ["one"] * 5
    assert pointers(door, jobs) == []


def pointers(door: Door, jobs: list[Any]) -> list[Any]:
    with door.platform.control.connect() as connection:
        return list(connection.execute(
            text("SELECT status::text, worker_id FROM procrastinate_jobs WHERE args ->> 'job' = ANY(:jobs)"),
            {"jobs": [str(one) for one in jobs]},
        ))


def test_two_workers_run_each_job_once(door: Door, tenant: Tenant, scheduled: Any, probe: Any, job: Any) -> None:
    ran: list[Any] = []

    def body(run: JobRun) -> None:
        ran.append(run.job_id)
        run.perform("probe.step", {"name": "one"})

    probe.body = body
    jobs = [scheduled(tenant) for _ in range(12)]
    with helping(door), helping(door):
        until(lambda: all(job(tenant, one).status in ENDED for one in jobs))
    assert sorted(ran) == sorted(jobs)


def test_a_worker_that_stops_lets_its_job_go_and_another_finishes_it(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, job: Any
) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def body(run: JobRun) -> None:
        run.perform("probe.step", {"name": "one"})
        begun.set()
        while not let_go.is_set():
            TURN.wait(0.02)
            run.checkpoint()
        run.perform("probe.step", {"name": "two"})

    probe.body = body
    job_id = scheduled(tenant)
    with helping(door):
        assert begun.wait(WAIT_SECONDS)
    assert job(tenant, job_id).status is JobStatus.QUEUED
    assert [row.status for row in pointers(door, [job_id])] == ["todo"]
    let_go.set()
    with helping(door):
        until(lambda: job(tenant, job_id).status in ENDED)
    found = job(tenant, job_id)
    assert (found.status, found.crashes, found.attempts) == (JobStatus.DONE, 0, 0)
    assert probe.effects == ["one", "two"]


def test_the_job_of_a_worker_without_a_heartbeat_is_taken_up_and_the_crash_counted(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, claim: Any, job: Any
) -> None:
    job_id = scheduled(tenant)
    claim(tenant, job_id)
    with door.platform.control.begin() as connection:
        dead = connection.execute(text(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
        )).scalar_one()
        connection.execute(
            text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :dead WHERE args ->> 'job' = :job"),
            {"dead": dead, "job": str(job_id)},
        )
    with helping(door):
        until(lambda: job(tenant, job_id).status in ENDED)
    assert (job(tenant, job_id).status, job(tenant, job_id).crashes) == (JobStatus.DONE, 1)


def test_a_worker_with_a_heartbeat_keeps_its_job(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, claim: Any, job: Any
) -> None:
    job_id, other = scheduled(tenant), scheduled(tenant)
    claim(tenant, job_id)
    with door.platform.control.begin() as connection:
        alive = connection.execute(text(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 hour') RETURNING id"
        )).scalar_one()
        connection.execute(
            text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :w WHERE args ->> 'job' = :job"),
            {"w": alive, "job": str(job_id)},
        )
    with helping(door):
        until(lambda: job(tenant, other).status in ENDED)
    assert job(tenant, job_id).status is JobStatus.RUNNING
    assert [tuple(row) for row in pointers(door, [job_id])] == [("doing", alive)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker looks after the queue ten times as often."""
    monkeypatch.setattr("workreef_app.services.workers.process.PACE_SECONDS", reclaiming.PACE_SECONDS / 10)


def test_a_pointer_whose_end_could_not_be_told_is_taken_up_again(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, job: Any, quick: None
) -> None:
    """The worker holds it and does not run it: the database was away when it was to be ended."""
    first = scheduled(tenant)
    with helping(door):
        until(lambda: job(tenant, first).status in ENDED)
        with door.platform.control.begin() as connection:
            own = connection.execute(text("SELECT max(id) FROM procrastinate_workers")).scalar_one()
            connection.execute(text("ALTER TABLE procrastinate_jobs DISABLE TRIGGER USER"))
            job_id = scheduled_quietly(connection, tenant, first, own)
            connection.execute(text("ALTER TABLE procrastinate_jobs ENABLE TRIGGER USER"))
        until(lambda: not numbered(door, job_id))


def scheduled_quietly(connection: Any, tenant: Tenant, job_id: Any, worker: int) -> int:
    number: int = connection.execute(text(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id) VALUES "
        "('bulk', 'run', jsonb_build_object('tenant', CAST(:tenant AS text), 'job', CAST(:job AS text)), 'doing', :w)"
        " RETURNING id"
    ), {"tenant": str(tenant.info.id), "job": str(job_id), "w": worker}).scalar_one()
    return number


def numbered(door: Door, number: int) -> list[Any]:
    with door.platform.control.connect() as connection:
        return list(connection.execute(text("SELECT 1 FROM procrastinate_jobs WHERE id = :n"), {"n": number}))


def test_a_worker_tells_who_and_where_it_is(door: Door, tenant: Tenant) -> None:
    def registered() -> list[Any]:
        with door.platform.control.connect() as connection:
            return list(connection.execute(text(
                "SELECT w.queue FROM worker w JOIN procrastinate_workers p ON p.id = w.id"
            )).scalars())

    with helping(door):
        assert sorted(until(registered)) == ["bulk", "interactive"]
    assert registered() == []
