"""A pointer is in the queue for every job that is committed, and before it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.queue import enqueue
from workreef_app.services.operation import REGISTRY, Command, Event, Persona, Refusal, Result, Work, operation
from workreef_app.services.tenancy.platform import Tenant


class Ask(Command):
    key: str = ""
    refuse: bool = False


class Asked(Result):
    """The job that was asked for."""

    job_id: UUID | None


@pytest.fixture
def ask(door: Door) -> Any:
    """An operation of operators and admins that wants a job; it may be refused after that."""
    asked: list[UUID | None] = []

    @operation(
        "test.ask", by=frozenset({Persona.OPERATOR, Persona.ADMIN}), limit="600/minute", audit=Event.JOB_SCHEDULED
    )
    def want(work: Work, command: Ask) -> Asked:
        """Wants a job."""
        job_id = enqueue(work, "digest", key=command.key or None)
        asked.append(job_id)
        if command.refuse:
            raise Refusal("Not now.")
        return Asked(job_id=job_id)

    yield asked
    del REGISTRY["test.ask"]


def pointers(door: Door, job_id: UUID | None) -> int:
    with door.platform.control.connect() as connection:
        found: int = connection.execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'job' = :job"), {"job": str(job_id)}
        ).scalar_one()
        return found


def test_a_committed_job_has_its_pointer(door: Door, tenant: Tenant, cli: Any, ask: Any) -> None:
    asked = door.perform(cli(tenant), "test.ask", {})
    assert pointers(door, asked.job_id) == 1
    with door.platform.control.connect() as connection:
        queue, args = connection.execute(text(
            "SELECT queue_name, args::text FROM procrastinate_jobs WHERE args ->> 'job' = :job"
        ), {"job": str(asked.job_id)}).one()
    assert queue == "bulk"
    assert sorted(args.split('"')[1::2]) == sorted(["tenant", str(tenant.info.id), "job", str(asked.job_id)])


def test_what_is_refused_leaves_neither_job_nor_pointer(door: Door, tenant: Tenant, cli: Any, ask: Any) -> None:
    with pytest.raises(Refusal):
        door.perform(cli(tenant), "test.ask", {"refuse": True})
    assert pointers(door, ask[0]) == 0
    assert door.perform(cli(tenant), "jobs.list", {}).count == 0


def test_the_pointer_is_there_before_the_commit(door: Door, tenant: Tenant, cli: Any, ask: Any) -> None:
    """So that a process that dies in between leaves a pointer without a job, never a job without a pointer."""
    seen: list[int] = []

    def at_commit(connection: Any) -> None:
        if ask and connection.engine.url.database == tenant.url.database:
            seen.append(pointers(door, ask[-1]))

    with door.platform.engines.use(tenant.info.id, tenant.url) as engine:
        event.listen(engine, "commit", at_commit)
    door.perform(cli(tenant), "test.ask", {})
    event.remove(engine, "commit", at_commit)
    assert seen[0] == 1


def test_a_key_makes_it_once(door: Door, tenant: Tenant, cli: Any, ask: Any) -> None:
    first = door.perform(cli(tenant), "test.ask", {"key": "digest:one"})
    again = door.perform(cli(tenant), "test.ask", {"key": "digest:one"})
    assert first.job_id is not None
    assert again.job_id is None


def test_people_who_do_not_see_all_work_may_ask_for_a_job(
    door: Door, tenant: Tenant, cli: Any, person: Callable[..., Caller], ask: Any
) -> None:
    operator = person(tenant, ["operator"], ["claims"])
    asked = door.perform(operator, "test.ask", {})
    rows = door.perform(cli(tenant), "jobs.list", {}).rows
    assert [row.id for row in rows] == [asked.job_id]
    assert rows[0].requested_by.startswith("person:")


def test_no_job_of_another_tenant_is_listed(
    door: Door, make_tenant: Callable[..., Tenant], cli: Any, ask: Any
) -> None:
    one, other = make_tenant(), make_tenant()
    job_id = door.perform(cli(one), "test.ask", {}).job_id
    assert door.perform(cli(other), "jobs.list", {}).count == 0
    with pytest.raises(Refusal):
        door.perform(cli(other), "jobs.cancel", {"job_id": job_id})
