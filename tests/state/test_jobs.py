"""Jobs as the status page shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from workreef_app.services.job_control.operations import RETRYABLE as RETRYABLE_AT_THE_DOOR
from workreef_app.services.job_control.operations import JobRow
from workreef_app.services.jobs.kinds import KINDS as REGISTERED
from workreef_app.services.jobs.models import JobStatus
from workreef_app.services.operation import REGISTRY
from workreef_app.state.jobs import ERRORS, KINDS, RETRYABLE, STATES, job_line, kind_name

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)
ID = UUID(int=7)
BERLIN = ZoneInfo("Europe/Berlin")


def row(**changes: Any) -> JobRow:
    facts: dict[str, Any] = {
        "id": ID, "kind": "import", "status": JobStatus.RUNNING, "subject": UUID(int=8), "requested_by": "person:1",
        "attempts": 0, "crashes": 0, "done": 0, "total": None, "error": None, "cancel_requested": False,
        "created_at": AT, "started_at": None, "finished_at": None,
    }
    return JobRow.model_validate({**facts, **changes})


def test_a_running_job_says_how_far_it_is_and_how_fast() -> None:
    line = job_line(row(done=12_000, total=50_000), BERLIN, keeper=True, rate=1_500)
    assert (line.percent, line.said) == (24, "12,000 of 50,000 done, 1,500 a second.")
    assert (line.state, line.word, line.began) == ("attention", "Running", "14 Nov 2026, 22:19 CET")
    assert (line.may_cancel, line.may_retry) == (True, False)
    assert line.href == f"/sources?import={UUID(int=8)}"


def test_how_far_is_not_guessed() -> None:
    assert job_line(row(done=12_000), BERLIN, keeper=True).percent == -1
    assert job_line(row(done=12_000), BERLIN, keeper=True).said == "12,000 done."
    assert job_line(row(), BERLIN, keeper=True).said == ""
    assert job_line(row(done=9, total=3), BERLIN, keeper=True).percent == 100


def test_what_went_wrong_is_told() -> None:
    line = job_line(
        row(status=JobStatus.QUARANTINED, error="killed_workers", crashes=3, attempts=1, finished_at=AT), BERLIN,
        keeper=True,
    )
    assert (line.state, line.word, line.said) == ("broken", "In quarantine", "It has killed three workers.")
    assert line.tries == "1 failure, 3 dead workers"
    assert (line.may_cancel, line.may_retry) == (False, True)
    unknown = job_line(row(status=JobStatus.FAILED, error="odd_code"), BERLIN, keeper=True)
    assert unknown.said == "It failed: odd code."
    again = job_line(row(status=JobStatus.QUEUED, attempts=2, error="failed"), BERLIN, keeper=True)
    assert again.said == "It is tried again, after 2 failures."


def test_a_reader_changes_nothing() -> None:
    for status in JobStatus:
        line = job_line(row(status=status), BERLIN, keeper=False)
        assert not line.may_cancel
        assert not line.may_retry


def test_a_job_that_is_being_cancelled_is_not_cancelled_twice() -> None:
    line = job_line(row(cancel_requested=True, done=5), BERLIN, keeper=True)
    assert (line.may_cancel, line.said) == (False, "Being cancelled: it stops at its next step.")


def test_every_status_and_kind_has_a_word() -> None:
    assert set(STATES) == set(JobStatus)
    assert RETRYABLE == RETRYABLE_AT_THE_DOOR
    assert set(REGISTERED) <= set(KINDS), "a kind of job without a name"
    assert kind_name("new_kind") == "New kind"
    assert all(sentence.endswith(".") for sentence in ERRORS.values())


@pytest.mark.parametrize("name", ["jobs.retry", "jobs.cancel", "jobs.list", "jobs.poll", "status.read", "status.poll"])
def test_what_the_page_asks_for_is_there(name: str) -> None:
    assert name in REGISTRY
