"""A kind of job that tests can steer, and ways to claim and run jobs by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from workreef_app.services.door import Caller, Door, JobClaim
from workreef_app.services.jobs.kinds import KINDS, JobRun, Queue, kind
from workreef_app.services.jobs.ledger import once, progress
from workreef_app.services.jobs.models import Job, JobStatus
from workreef_app.services.operation import NOBODY, REGISTRY, Command, Event, Result, Work, operation
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers import running


class Step(Command):
    name: str


class Stepped(Result):
    """Whether the step was done now."""

    fresh: bool


class Probe:
    """What the body of the kind `probe` does, and which of its steps took effect."""

    def __init__(self) -> None:
        self.body: Callable[[JobRun], None] = lambda run: None
        self.effects: list[str] = []
        self.ended: list[JobStatus] = []


@pytest.fixture
def probe() -> Iterator[Probe]:
    """The kind `probe` for the length of a test."""
    steered = Probe()

    @operation("probe.step", by=NOBODY, jobs=True, limit="60000/minute", audit=Event.SIGNALS_MEASURED)
    def step(work: Work, command: Step) -> Stepped:
        """Takes effect once."""
        fresh = once(work, command.name)
        if fresh:
            steered.effects.append(command.name)
        progress(work, len(steered.effects), 10)
        return Stepped(fresh=fresh)

    def ended(work: Work, job: Job, status: JobStatus) -> None:
        steered.ended.append(status)

    @kind("probe", queue=Queue.BULK, ended=ended)
    def body(run: JobRun) -> None:
        steered.body(run)

    yield steered
    del KINDS["probe"]
    del REGISTRY["probe.step"]


@pytest.fixture
def scheduled(door: Door, probe: Probe) -> Callable[..., UUID]:
    """Puts a job of the kind `probe` in the queue: `scheduled(tenant, key="…")`."""

    def put(tenant: Tenant, key: str = "") -> UUID:
        system = Caller(tenant, uuid7().hex, system="scheduler")
        found = door.perform(system, "jobs.schedule", {"kind": "probe", "key": key or f"probe:{uuid7()}"})
        assert found.job_id is not None
        return UUID(str(found.job_id))

    return put


@pytest.fixture
def claim(door: Door) -> Callable[[Tenant, UUID], Any]:
    """Claims a job as a worker would."""
    return lambda tenant, job_id: door.perform(running.caller(tenant, JobClaim(job_id)), "jobs.claim", {})


@pytest.fixture
def job(door: Door, cli: Callable[[Tenant], Caller]) -> Callable[[Tenant, UUID], Any]:
    """A job as an admin's list shows it."""

    def read(tenant: Tenant, job_id: UUID) -> Any:
        rows = door.perform(cli(tenant), "jobs.list", {"limit": 200}).rows
        return next(row for row in rows if row.id == job_id)

    return read
