"""One job from the queue, by hand: claimed, run, ended; what crashes, pauses, failures and cancelling do to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from workreef_app.services.door import Caller, Door, JobClaim
from workreef_app.services.jobs.kinds import JobFailed, JobRun, Released
from workreef_app.services.jobs.ledger import Fenced
from workreef_app.services.jobs.models import JobStatus
from workreef_app.services.operation import Conflict, DiskFull, NotFound, Refusal, Unavailable, WrongPersona
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers import running
from workreef_app.services.workers.running import Again


def never() -> bool:
    return False


@pytest.fixture
def go(door: Door) -> Callable[..., Again | None]:
    def run(tenant: Tenant, job_id: UUID, stopping: Callable[[], bool] = never, waited: float = 0.0) -> Again | None:
        return running.run(door, tenant.info.id, job_id, waited, stopping)

    return run


def test_a_job_runs_and_is_done(tenant: Tenant, scheduled: Any, probe: Any, go: Any, job: Any, log: Any) -> None:
    def body(run: JobRun) -> None:
        assert run.perform("probe.step", {"name": "one"}).fresh
        run.checkpoint()
        assert run.perform("probe.step", {"name": "two"}).fresh

    probe.body = body
    job_id = scheduled(tenant)
    assert go(tenant, job_id) is None
    found = job(tenant, job_id)
    assert (found.status, found.done, found.total, found.crashes) == (JobStatus.DONE, 2, 10, 0)
    assert probe.ended == [JobStatus.DONE]
    told = [(event, actor) for event, actor, target in log(tenant) if target == f"job:{job_id}"]
    assert told == [
        ("job.scheduled", "system:scheduler"), ("job.started", f"job:{job_id}"), ("job.ended", f"job:{job_id}"),
    ]


def test_a_pointer_that_is_taken_twice_runs_once(tenant: Tenant, scheduled: Any, probe: Any, go: Any) -> None:
    probe.body = lambda run: run.perform("probe.step", {"name": "one"})
    job_id = scheduled(tenant)
    assert go(tenant, job_id) is None
    assert go(tenant, job_id) is None
    assert probe.effects == ["one"]


def test_a_slot_is_put_in_the_queue_once(door: Door, tenant: Tenant, scheduled: Any, probe: Any) -> None:
    scheduled(tenant, key="probe:2026-11-24")
    system = Caller(tenant, uuid7().hex, system="scheduler")
    again = door.perform(system, "jobs.schedule", {"kind": "probe", "key": "probe:2026-11-24"})
    assert again.job_id is None


def test_a_job_without_its_row_is_asked_for_again_for_a_minute(tenant: Tenant, go: Any) -> None:
    missing = uuid7()
    assert go(tenant, missing, waited=0.0) == Again(running.AGAIN_SECONDS)
    assert go(tenant, missing, waited=running.ROW_SECONDS) is None


def test_a_released_job_goes_on_from_its_last_step(
    tenant: Tenant, scheduled: Any, probe: Any, go: Any, job: Any
) -> None:
    def body(run: JobRun) -> None:
        for name in ("one", "two", "three"):
            run.perform("probe.step", {"name": name})
            run.checkpoint()

    probe.body = body
    job_id = scheduled(tenant)
    assert go(tenant, job_id, stopping=lambda: len(probe.effects) == 2) == Again(0.0)
    assert job(tenant, job_id).status is JobStatus.QUEUED
    assert go(tenant, job_id) is None
    assert probe.effects == ["one", "two", "three"]
    assert (job(tenant, job_id).crashes, job(tenant, job_id).attempts) == (0, 0)


def test_a_release_may_ask_for_time(tenant: Tenant, scheduled: Any, probe: Any, go: Any) -> None:
    def body(run: JobRun) -> None:
        raise Released(delay=7.5)

    probe.body = body
    assert go(tenant, scheduled(tenant)) == Again(7.5)


def test_a_worker_that_was_given_up_does_nothing_more(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, claim: Any, job: Any
) -> None:
    job_id = scheduled(tenant)
    first, second = claim(tenant, job_id), claim(tenant, job_id)
    zombie = running.caller(tenant, JobClaim(job_id, first.claim))
    with pytest.raises(Fenced):
        door.perform(zombie, "probe.step", {"name": "late"})
    with pytest.raises(Fenced):
        door.perform(zombie, "jobs.end", {"outcome": "done"})
    with pytest.raises(Fenced):
        door.perform(zombie, "jobs.watch", {})
    assert probe.effects == []
    alive = running.caller(tenant, JobClaim(job_id, second.claim))
    door.perform(alive, "probe.step", {"name": "due"})
    assert probe.effects == ["due"]
    assert job(tenant, job_id).crashes == 1


def test_a_body_that_is_fenced_ends_without_a_word(
    tenant: Tenant, scheduled: Any, probe: Any, claim: Any, go: Any, job: Any
) -> None:
    job_id = scheduled(tenant)

    def body(run: JobRun) -> None:
        claim(tenant, job_id)
        run.perform("probe.step", {"name": "late"})

    probe.body = body
    assert go(tenant, job_id) is None
    assert job(tenant, job_id).status is JobStatus.RUNNING
    assert probe.effects == []


def test_a_job_that_killed_three_workers_is_quarantined_and_an_alarm_raised(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, claim: Any, go: Any, job: Any, cli: Any
) -> None:
    job_id = scheduled(tenant)
    assert [claim(tenant, job_id).go for _ in range(4)] == [True, True, True, False]
    found = job(tenant, job_id)
    assert (found.status, found.crashes, found.error) == (JobStatus.QUARANTINED, 3, "killed_workers")
    assert probe.ended == [JobStatus.QUARANTINED]
    assert go(tenant, job_id) is None
    alarms = door.perform(cli(tenant), "alarms.list", {}).rows
    assert [(alarm.kind.value, alarm.subject) for alarm in alarms] == [("job_quarantined", f"job:{job_id}")]
    retried = door.perform(cli(tenant), "jobs.retry", {"job_id": job_id})
    assert (retried.status, retried.crashes) == (JobStatus.QUEUED, 0)
    assert go(tenant, job_id) is None
    assert job(tenant, job_id).status is JobStatus.DONE


def test_a_failure_is_tried_three_times_and_then_recorded(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, go: Any, job: Any, cli: Any
) -> None:
    def body(run: JobRun) -> None:
        raise ValueError("content that must not be kept")

    probe.body = body
    job_id = scheduled(tenant)
    delays = [go(tenant, job_id), go(tenant, job_id)]
    assert all(isinstance(again, Again) and again.delay > 0 for again in delays)
    assert go(tenant, job_id) is None
    found = job(tenant, job_id)
    assert (found.status, found.attempts, found.error, found.crashes) == (JobStatus.FAILED, 3, "failed", 0)
    assert [a.kind.value for a in door.perform(cli(tenant), "alarms.list", {}).rows] == ["job_failed"]


def test_a_failure_that_time_does_not_mend_is_not_tried_again(
    tenant: Tenant, scheduled: Any, probe: Any, go: Any, job: Any
) -> None:
    def body(run: JobRun) -> None:
        raise JobFailed("unreadable")

    probe.body = body
    job_id = scheduled(tenant)
    assert go(tenant, job_id) is None
    assert (job(tenant, job_id).status, job(tenant, job_id).error) == (JobStatus.FAILED, "unreadable")


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, go: Any, job: Any, cli: Any
) -> None:
    waiting, running_one = scheduled(tenant), scheduled(tenant)
    assert door.perform(cli(tenant), "jobs.cancel", {"job_id": waiting}).status is JobStatus.CANCELLED
    assert go(tenant, waiting) is None

    def body(run: JobRun) -> None:
        run.perform("probe.step", {"name": "one"})
        door.perform(cli(tenant), "jobs.cancel", {"job_id": running_one})
        run.checkpoint()
        run.perform("probe.step", {"name": "two"})

    probe.body = body
    assert go(tenant, running_one) is None
    assert job(tenant, running_one).status is JobStatus.CANCELLED
    assert probe.effects == ["one"]
    assert probe.ended == [JobStatus.CANCELLED, JobStatus.CANCELLED]
    with pytest.raises(Conflict):
        door.perform(cli(tenant), "jobs.cancel", {"job_id": running_one})


def test_what_runs_or_is_done_is_not_retried(
    door: Door, tenant: Tenant, scheduled: Any, claim: Any, go: Any, cli: Any
) -> None:
    running_one, done = scheduled(tenant), scheduled(tenant)
    claim(tenant, running_one)
    assert go(tenant, done) is None
    for job_id in (running_one, done):
        with pytest.raises(Conflict):
            door.perform(cli(tenant), "jobs.retry", {"job_id": job_id})
    with pytest.raises(NotFound):
        door.perform(cli(tenant), "jobs.retry", {"job_id": uuid7()})


def test_a_job_may_not_do_what_is_for_people_nor_people_what_is_for_jobs(
    door: Door, tenant: Tenant, scheduled: Any, claim: Any, cli: Any, person: Any
) -> None:
    job_id = scheduled(tenant)
    held = running.caller(tenant, JobClaim(job_id, claim(tenant, job_id).claim))
    with pytest.raises(WrongPersona):
        door.perform(held, "jobs.retry", {"job_id": job_id})
    for caller in (cli(tenant), person(tenant, ["admin"])):
        with pytest.raises(WrongPersona):
            door.perform(caller, "jobs.claim", {})


def test_the_list_puts_first_what_needs_somebody_and_pages(
    door: Door, tenant: Tenant, scheduled: Any, claim: Any, cli: Any
) -> None:
    quarantined, waiting, runs = scheduled(tenant), [scheduled(tenant) for _ in range(3)], scheduled(tenant)
    for _ in range(4):
        claim(tenant, quarantined)
    claim(tenant, runs)
    seen, after = [], ""
    while True:
        page = door.perform(cli(tenant), "jobs.list", {"limit": 2, "after": after})
        seen += [row.id for row in page.rows if row.kind == "probe"]
        after = page.next
        if not after:
            break
    assert seen == [quarantined, runs, *reversed(waiting)]
    assert page.by_status["queued"] >= 3
    only = door.perform(cli(tenant), "jobs.list", {"status": "running"})
    assert [row.id for row in only.rows] == [runs]
    assert only.count == 1


def test_a_pointer_is_kept_when_its_job_cannot_be_claimed_for_whatever_reason(
    door: Door, tenant: Tenant, scheduled: Any, go: Any, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = scheduled(tenant)
    with monkeypatch.context() as patch:
        patch.setattr(door, "perform", lambda *arguments: 1 // 0)
        assert go(tenant, job_id) == Again(running.LATER_SECONDS)
    assert go(tenant, job_id) is None
    assert job(tenant, job_id).status is JobStatus.DONE


def test_a_database_that_does_not_answer_is_no_failure_of_the_job(
    tenant: Tenant, scheduled: Any, probe: Any, go: Any, job: Any
) -> None:
    def body(run: JobRun) -> None:
        raise Unavailable("The database does not answer.")

    probe.body = body
    job_id = scheduled(tenant)
    for _ in range(4):
        assert go(tenant, job_id) == Again(running.AGAIN_SECONDS)
    assert (job(tenant, job_id).attempts, job(tenant, job_id).crashes) == (0, 0)


@pytest.mark.parametrize("refusal", [Unavailable("The database does not answer."), DiskFull()], ids=["away", "full"])
def test_the_end_that_could_not_be_told_leaves_the_pointer(
    door: Door, tenant: Tenant, scheduled: Any, probe: Any, go: Any, job: Any, monkeypatch: pytest.MonkeyPatch,
    refusal: Refusal,
) -> None:
    job_id = scheduled(tenant)
    perform = door.perform

    def away(caller: Caller, name: str, payload: Any) -> Any:
        if name == "jobs.end":
            raise refusal
        return perform(caller, name, payload)

    with monkeypatch.context() as patch:
        patch.setattr(running, "TELL_SECONDS", 0.0)
        patch.setattr(door, "perform", away)
        assert go(tenant, job_id) == Again(running.LATER_SECONDS)
    assert job(tenant, job_id).status is JobStatus.RUNNING
    assert go(tenant, job_id) is None
    assert (job(tenant, job_id).status, job(tenant, job_id).crashes) == (JobStatus.DONE, 1)
