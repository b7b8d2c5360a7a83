"""Workers with jobs that do nothing, ours and bare procrastinate's, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from benchmarks import jobs
from benchmarks.procrastinate_peer import fill_bare, make_bare, work_bare
from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.kinds import KINDS
from workreef_app.services.tenancy.platform import Tenant


@pytest.fixture
def kind() -> Iterator[None]:
    """The kind is known for the length of a test."""
    yield
    KINDS.pop(jobs.KIND, None)


async def _work(door: Door, tenant: Tenant) -> float:
    # The worker comes first: its body is the one that counts.
    filling = asyncio.to_thread(jobs.fill_ours, door, tenant, 3)
    rate, _ = await asyncio.wait_for(asyncio.gather(jobs.work_ours(door, 3), filling), 60)
    return rate


def test_our_jobs_run_to_their_end(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], kind: None
) -> None:
    assert asyncio.run(_work(door, tenant)) > 0
    rows = door.perform(cli(tenant), "jobs.list", {"limit": 10}).rows
    assert [(row.kind, row.status) for row in rows] == [(jobs.KIND, "done")] * 3


async def _work_bare(door: Door) -> float:
    await make_bare(door)
    await fill_bare(door, 3)
    return await asyncio.wait_for(work_bare(door, 3), 60)


def test_bare_tasks_run_to_their_end(door: Door) -> None:
    assert asyncio.run(_work_bare(door)) > 0
