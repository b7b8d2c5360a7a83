"""What becomes of a job that is claimed or fails."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.jobs import fate
from workreef_app.services.jobs.models import ENDED, JobStatus


def test_a_queued_job_runs() -> None:
    assert fate.claimed(JobStatus.QUEUED, 0, cancel_requested=False) == (JobStatus.RUNNING, 0)


def test_the_third_worker_that_a_job_kills_puts_it_into_quarantine() -> None:
    status, crashes = JobStatus.QUEUED, 0
    seen = []
    for _ in range(4):
        status, crashes = fate.claimed(status, crashes, cancel_requested=False)
        seen.append((status, crashes))
    assert seen == [
        (JobStatus.RUNNING, 0), (JobStatus.RUNNING, 1), (JobStatus.RUNNING, 2), (JobStatus.QUARANTINED, 3),
    ]


def test_a_crash_is_counted_apart_from_a_release_or_a_failure() -> None:
    _, crashes = fate.claimed(JobStatus.QUEUED, 2, cancel_requested=False)
    assert crashes == 2


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING])
def test_a_job_that_is_to_be_cancelled_does_not_run(status: JobStatus) -> None:
    assert fate.claimed(status, 0, cancel_requested=True)[0] is JobStatus.CANCELLED


@given(st.sampled_from(sorted(ENDED)), st.integers(0, 9), st.booleans())
def test_what_has_ended_stays_as_it_ended(status: JobStatus, crashes: int, cancel: bool) -> None:
    assert fate.claimed(status, crashes, cancel) == (status, crashes)


def test_the_third_failure_is_the_last_and_a_final_one_at_once() -> None:
    assert fate.failed(0, final=False) == (JobStatus.QUEUED, 1)
    assert fate.failed(1, final=False) == (JobStatus.QUEUED, 2)
    assert fate.failed(2, final=False) == (JobStatus.FAILED, 3)
    assert fate.failed(0, final=True) == (JobStatus.FAILED, 1)


@given(st.integers(1, 10_000), st.integers())
def test_the_delay_grows_and_is_bounded(attempts: int, seed: int) -> None:
    found = fate.delay(attempts, random.Random(seed))
    longest = min(fate.LONGEST_DELAY_SECONDS, fate.FIRST_DELAY_SECONDS * 2.0 ** min(attempts - 1, 30))
    assert longest / 2 <= found <= longest
