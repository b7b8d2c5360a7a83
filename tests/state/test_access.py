"""How the access screen and the notes say what they show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from workreef_app.pages.access import COLUMNS
from workreef_app.services.access.lookup import KINDS, PersonWho, Who
from workreef_app.services.access.matrix import row
from workreef_app.services.operation import REGISTRY, Persona
from workreef_app.state.access import KIND_WORDS, OPERATIONS, PERSONA_CHOICES, answer, operation_line
from workreef_app.state.contributor import note_line


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_an_operation_has_a_mark_for_each_persona_that_may_run_it(name: str) -> None:
    line, spec = operation_line(row(REGISTRY[name])), REGISTRY[name]
    assert [p for p, mark in zip(Persona, line.marks, strict=True) if mark] == [p for p in Persona if p in spec.by]
    assert line.besides == ("everyone" if spec.public else "jobs" if spec.jobs else "")
    assert ("leaves no audit entry" in line.about) == (spec.event is None)
    assert ("dead key" in line.about) == spec.keyless
    assert len(COLUMNS) == len(line.marks) + 2


def _who(count: int, **more: bool) -> Who:
    one = PersonWho(person_id=uuid4(), name="A", personas=[Persona.ADMIN], why="as admin")
    return Who(people=[one] * count, public=more.get("public", False), jobs=more.get("jobs", False))


@pytest.mark.parametrize(("found", "said"), [
    (_who(1), "1 person can run me.read."), (_who(0), "0 people can run me.read."),
    (_who(2, jobs=True), "2 people can run me.read. Jobs of the system can too."),
    (_who(3, public=True), "Everyone can run me.read, without a session."),
])
def test_an_answer_in_a_sentence(found: Who, said: str) -> None:
    assert answer({"operation": "me.read", "kind": "", "row_id": ""}, found) == said


def test_an_answer_about_a_row() -> None:
    asked = {"operation": "", "kind": "entry", "row_id": "17"}
    assert answer(asked, _who(2)) == "2 people can see audit entry 17."


def test_every_choice_is_one_that_the_door_knows() -> None:
    assert set(KIND_WORDS) == set(KINDS)
    assert set(OPERATIONS) == set(REGISTRY)
    assert [value for value, _ in PERSONA_CHOICES] == [persona.value for persona in Persona]


def test_a_note_is_shown_in_the_readers_zone() -> None:
    given: Any = SimpleNamespace(
        id=uuid4(), text="<b>", author="Ann", department="Claims", at=datetime(2026, 11, 24, 23, 30, tzinfo=UTC),
        mine=True,
    )
    line = note_line(given, timezone(timedelta(hours=1)))
    assert (line.at, line.text, line.mine) == ("25 Nov 2026, 00:30 UTC+01:00", "<b>", True)
