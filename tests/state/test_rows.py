"""Rows as pages show them, made from what the door answers."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from workreef_app.services.audit_review.operations import EntryRow
from workreef_app.services.recommend.models import Choice, ProposalStatus, Recommendation
from workreef_app.services.recommend.operations import DecisionRow, Evidence
from workreef_app.services.recommend.reading import TaskRow
from workreef_app.services.signals.models import RunStatus, SourceKind
from workreef_app.services.signals.operations import Import, ObservationRow, SourceRow
from workreef_app.state.audit import entry_line
from workreef_app.state.rows import decision_line, evidence_card, observation_line, work_row
from workreef_app.state.sources import source_line

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)
TASK, PROPOSAL = UUID(int=1), UUID(int=2)


def task_row(**changes: object) -> TaskRow:
    facts: dict[str, object] = {
        "task_id": TASK, "proposal_id": PROPOSAL, "title": "disk full on …", "department": "Claims",
        "recommendation": Recommendation.PILOT, "before_gate": Recommendation.PILOT, "reason": "handling_unknown",
        "reason_text": "It recurs.", "status": ProposalStatus.OPEN, "score": 600, "times": 1204, "days": 1,
        "window_days": 30, "uniformity": 949, "handling": None, "sources": ["B", "A"], "as_of": AT,
    }
    return TaskRow.model_validate({**facts, **changes})


def test_a_task_links_to_itself_its_proposal_and_its_rows() -> None:
    row = work_row(task_row(), UTC)
    assert (row.task_href, row.proposal_href) == (f"/tasks/{TASK}", f"/proposals/{PROPOSAL}")
    assert row.rows_href == f"/tasks/{TASK}#rows"


def test_a_number_says_its_window_and_what_is_unknown_is_no_number() -> None:
    row = work_row(task_row(), UTC)
    assert row.recurs == "1,204 times in 30 days on 1 day"
    assert (row.alike, row.alike_known) == ("0.94", True)
    assert (row.handling, row.handling_known) == ("unknown", False)


def test_a_task_without_department_or_time_says_so() -> None:
    row = work_row(task_row(department="", as_of=None), UTC)
    assert (row.department, row.as_of) == ("No department", "–")


def test_evidence_counts_lines_hours_and_days() -> None:
    card = evidence_card(Evidence(
        source_id=TASK, source="Log files", kind="log_file", times=41, days=19, hours=1, window_from=AT, window_to=AT,
        samples=["a", "b"],
    ), UTC)
    assert card.sample == "41 lines in 1 hour on 19 days"
    assert card.window == "14 Nov 2026, 21:19 UTC to 14 Nov 2026, 21:19 UTC"
    assert card.samples == ["a", "b"]


def test_an_observation_names_its_hour_and_its_span() -> None:
    row = observation_line(ObservationRow(
        id=TASK, hour=AT.replace(minute=0, second=0), lines=1204, summary="x", first_at=AT, last_at=AT, source_id=TASK
    ), UTC)
    assert (row.hour, row.lines, row.span) == ("14 Nov 2026, 21:00–22:00 UTC", "1,204", "21:19:07")


def test_a_decision_is_told_as_a_sentence_begins() -> None:
    row = decision_line(DecisionRow(person="Dana Ito", choice=Choice.RETURN, reason="Why at night?", at=AT), UTC)
    assert (row.person, row.choice, row.reason) == ("Dana Ito", "returned", "Why at night?")


def test_an_entry_shows_the_name_where_it_is_known_and_filters_by_what_it_shows() -> None:
    entry = EntryRow(seq=18204, at="2026-11-14T21:19:07.123456Z", actor="person:1", actor_name="Dana Ito",
                     event="data.read", target="task:1", previous_hash="cd" * 32, chain_hash="ab" * 32)
    line = entry_line(entry, UTC)
    assert (line.seq, line.href, line.at) == ("#18,204", "/audit/18204", "2026-11-14 21:19:07 UTC")
    assert (line.actor, line.actor_href) == ("Dana Ito", "/audit?actor=person%3A1")
    assert line.target_href == "/audit?target=task%3A1"
    nameless = entry_line(entry.model_copy(update={"actor_name": "", "target": ""}), UTC)
    assert (nameless.actor, nameless.target_href) == ("person:1", "")


def test_a_source_accounts_for_every_line() -> None:
    run = Import(id=TASK, source_id=TASK, job_id=None, status=RunStatus.FINISHED, reason=None, fault=None, told="",
                 file_name="a.log", chunks=1, bytes_received=9, bytes_counted=9, lines=12, added=9, repeated=1,
                 skipped={"undated": 2, "empty": 0}, signals=1, new_tasks=0, started_at=AT, finished_at=AT)
    line = source_line(SourceRow(id=TASK, kind=SourceKind.LOG_FILE, name="Log files", as_of=AT, signals=1,
                                 last_import_at=AT, last_import=run), UTC)
    assert line.account == "12 read, 9 new, 1 known before, 2 without a time"
    assert (line.state, line.last, line.last_at) == ("proven", "Finished", "14 Nov 2026, 21:19 UTC")
    assert line.signals == "1 signal"


def test_a_source_never_imported_says_so() -> None:
    line = source_line(SourceRow(id=TASK, kind=SourceKind.LOG_FILE, name="Log files", as_of=None, signals=0,
                                 last_import_at=None, last_import=None), UTC)
    assert (line.state, line.last, line.last_at, line.account) == ("unknown", "Never", "", "–")
