"""The parts of the system as the status page shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from workreef_app.services.posture.status import Component, Standing
from workreef_app.state.admin import WORDS, ComponentLine, component_line, summary

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def test_since_is_told_in_the_readers_zone() -> None:
    part = Component(part="key", name="Tenant key", standing=Standing.BROKEN, what="x", since=AT - timedelta(hours=1))
    line = component_line(part, AT, BERLIN)
    assert (line.since, line.word, line.state) == ("since 21:19 CET", "Broken", "broken")
    assert component_line(part.model_copy(update={"since": None}), AT, BERLIN).since == ""


def test_a_part_leads_to_its_rows() -> None:
    part = Component(part="jobs", name="Jobs", standing=Standing.ATTENTION, what="x")
    line = component_line(part, AT, BERLIN)
    assert (line.href, line.href_text) == ("/admin/status?status=failed#jobs", "Failed jobs")


def test_every_standing_has_a_word() -> None:
    assert set(WORDS) == {standing.value for standing in Standing}


def test_the_worst_comes_first_in_the_summary() -> None:
    def lines(*states: str) -> list[ComponentLine]:
        return [ComponentLine(state=state) for state in states]

    assert summary(lines("proven", "unknown")) == ("proven", "All 2 parts work, as far as is known.")
    assert summary(lines("proven", "attention")) == ("attention", "1 part needs attention.")
    assert summary(lines("broken", "attention", "attention", "broken")) == (
        "broken", "2 parts are broken and 2 parts need attention."
    )
