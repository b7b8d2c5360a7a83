"""An import as its page tells it: how far it is, what became of every line, why it stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.signals.foreign import TOLD, Fault
from workreef_app.services.signals.models import RunStatus, StopReason
from workreef_app.services.signals.reader import Reason
from workreef_app.services.signals.runs import Import
from workreef_app.state.import_cards import KEPT, account_lines, import_card, reason_text, size
from workreef_app.state.sources import SKIPPED, STANDING

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)


def run_of(status: RunStatus, **changes: Any) -> Import:
    facts: dict[str, Any] = {
        "id": ONE, "source_id": TWO, "job_id": None, "status": status, "reason": None, "fault": None, "told": "",
        "file_name": "app.log", "chunks": 2, "bytes_received": 2_000_000, "bytes_counted": 500_000, "lines": 12_000,
        "added": 9_000, "repeated": 998, "skipped": {"empty": 2, "undated": 2_000, "future": 0}, "signals": 3,
        "new_tasks": 0, "started_at": AT, "finished_at": None,
    }
    return Import.model_validate({**facts, **changes})


def test_every_state_has_a_badge_and_every_skip_a_word() -> None:
    assert set(STANDING) == set(RunStatus)
    assert set(SKIPPED) >= {reason.value for reason in Reason}
    assert set(KEPT) == set(StopReason) - {StopReason.UNREADABLE}


def test_an_import_that_counts_says_how_far_and_how_fast() -> None:
    card = import_card(run_of(RunStatus.RUNNING), UTC, rate=4_000)
    assert card.said == "12,000 lines counted, 4,000 a second; 500 KB of 2.0 MB."
    assert (card.active, card.may_cancel, card.percent, card.account) == (True, True, 25, [])
    assert import_card(run_of(RunStatus.RUNNING), UTC).said == "12,000 lines counted; 500 KB of 2.0 MB."


def test_one_that_is_being_cancelled_cannot_be_cancelled_again() -> None:
    card = import_card(run_of(RunStatus.RUNNING), UTC, cancelling=True)
    assert (card.active, card.may_cancel) == (True, False)
    assert card.said == "Being cancelled; it stops at its next step. 12,000 lines counted so far."
    ended = import_card(run_of(RunStatus.STOPPED, reason="cancelled", told="It was cancelled."), UTC, cancelling=True)
    assert ended.said.startswith("It was cancelled.")


@pytest.mark.parametrize("status", [RunStatus.RECEIVING, RunStatus.QUEUED])
def test_before_it_counts_nothing_is_measured(status: RunStatus) -> None:
    card = import_card(run_of(status, lines=0, bytes_counted=0), UTC)
    assert (card.active, card.may_cancel, card.percent) == (True, True, -1)
    assert "2.0 MB" in card.said


def test_an_account_covers_every_line_the_most_frequent_first() -> None:
    run = run_of(RunStatus.FINISHED, new_tasks=3)
    lines = [(line.label, line.number) for line in account_lines(run)]
    assert lines == [("Lines read", "12,000"), ("New", "9,000"), ("Known before", "998"),
                     ("Skipped: without a time", "2,000"), ("Skipped: empty", "2")]
    card = import_card(run, UTC)
    assert (card.state, card.active, card.percent) == ("proven", False, -1)
    assert (card.tasks_text, card.tasks_href) == ("3 new tasks", "/tasks?since=2026-11-14T21%3A19%3A07%2B00%3A00")
    assert import_card(run_of(RunStatus.FINISHED), UTC).tasks_href == ""


@pytest.mark.parametrize("reason", [reason for reason in StopReason if reason is not StopReason.UNREADABLE])
def test_a_stop_says_why_and_what_is_kept(reason: StopReason) -> None:
    run = run_of(RunStatus.STOPPED, reason=reason, told="Why it was.")
    assert reason_text(run) == f"Why it was. {KEPT[reason]}"


@pytest.mark.parametrize("fault", list(Fault))
def test_a_file_that_cannot_be_read_is_told_in_the_pages_own_words(fault: Fault) -> None:
    said = reason_text(run_of(RunStatus.STOPPED, reason=StopReason.UNREADABLE, fault=fault.value, told=TOLD[fault]))
    assert said
    assert "--" not in said


@given(st.integers(0, 10**15))
def test_a_size_is_short(count: int) -> None:
    assert len(size(count)) <= 12
    assert size(count).split()[1] in {"B", "KB", "MB", "GB"}


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (123_456, "123 KB"), (20 << 30, "21.5 GB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
