"""People and sessions as pages show them, and what their forms send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from workreef_app.pages.people import PERSONAS as BOXES
from workreef_app.services.access.models import PersonStatus
from workreef_app.services.access.people_listing import PersonaRow, PersonRow
from workreef_app.services.access.session_operations import OwnSession
from workreef_app.services.operation import Persona
from workreef_app.state.account import session_line
from workreef_app.state.people import PERSONAS, STATUSES, end_of_day, person_line, ticked

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def row(**changes: object) -> PersonRow:
    given = {
        "id": UUID(int=7), "email": "dana@acme.test", "name": "Dana", "status": PersonStatus.ACTIVE, "personas": [],
        "departments": [], "factor": False, "created_at": NOW, "last_seen": None, "invited_until": None,
    }
    return PersonRow.model_validate(given | changes)


def test_a_person_in_words() -> None:
    until = NOW + timedelta(days=1)
    line = person_line(row(
        personas=[PersonaRow(persona=Persona.OPERATOR, expires_at=None),
                  PersonaRow(persona=Persona.SECURITY_REVIEWER, expires_at=until)],
        departments=["claims", "yard"], factor=True, last_seen=NOW - timedelta(minutes=5),
    ), NOW, UTC)
    assert line.href == f"/admin/people/{UUID(int=7)}"
    assert line.personas == "Operator, Security reviewer until 24 Nov 2026, 09:00 UTC"
    assert (line.departments, line.factor) == ("claims, yard", "Second factor on")
    assert line.seen.startswith("Last seen")
    bare = person_line(row(), NOW, UTC)
    assert (bare.personas, bare.departments, bare.factor, bare.seen) == (
        "No persona", "No department", "No second factor", "Never seen")


@pytest.mark.parametrize(("changes", "state", "status"), [
    ({}, "proven", "May sign in"), ({"status": "deactivated"}, "unknown", "Deactivated"),
    ({"status": "invited"}, "attention", "No open invitation"),
    ({"status": "invited", "invited_until": NOW}, "attention", "Invited until 23 Nov 2026, 09:00 UTC"),
])
def test_how_a_person_stands(changes: dict[str, object], state: str, status: str) -> None:
    line = person_line(row(**changes), NOW, UTC)
    assert (line.state, line.status) == (state, status)


def test_every_standing_and_persona_has_a_name_and_a_box() -> None:
    assert set(STATUSES) == set(PersonStatus)
    assert set(PERSONAS) == set(Persona)
    assert dict(BOXES) == {one.value: word for one, word in PERSONAS.items()}


def test_boxes_that_are_ticked() -> None:
    form = {"persona.admin": "on", "persona.operator": "", "department.claims": True, "name": "Dana"}
    assert ticked(form, "persona.") == ["admin"]
    assert ticked(form, "department.") == ["claims"]


@pytest.mark.parametrize(("day", "sent"), [
    ("", None), ("2026-11-30", "2026-11-30T23:59:59+01:00"), ("2026-99-99", "2026-99-99"), ("soon", "soon"),
])
def test_the_end_of_a_day_in_the_readers_zone(day: str, sent: str | None) -> None:
    assert end_of_day(day, ZoneInfo("Europe/Berlin")) == sent


def test_a_session_in_words() -> None:
    given = {"id": UUID(int=7), "current": True, "device": "", "address": "", "created_at": NOW,
             "last_active_at": NOW, "ends_at": NOW}
    line = session_line(OwnSession.model_validate(given), NOW, UTC)
    assert (line.device, line.address, line.current) == ("An unknown device", "an unknown address", True)
    known = session_line(OwnSession.model_validate(given | {"device": "Firefox 140 on Linux", "address": "192.0.2.7"}),
                         NOW, UTC)
    assert (known.device, known.address) == ("Firefox 140 on Linux", "192.0.2.7")
