"""The events: each has a meaning, something writes it, and the document and the page tell the same."""

from __future__ import annotations

import ast
from pathlib import Path

import workreef_app
from scripts import audit_events
from workreef_app.services.audit_review import coverage
from workreef_app.services.events import Event, meanings
from workreef_app.state.audit_events import event_lines


def named() -> set[str]:
    """Events that the code names anywhere but in their declaration."""
    found = set()
    for path in Path(workreef_app.__file__).parent.joinpath("services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Event":
                found.add(node.attr)
    return found


def test_every_event_has_a_meaning_of_its_own_and_something_that_writes_it() -> None:
    told = meanings()
    assert list(told) == list(Event)
    assert len(set(told.values())) == len(Event)
    assert all(meaning.endswith(".") and len(meaning) < 200 for meaning in told.values())
    assert named() == {event.name for event in Event}


def test_subject_and_verb() -> None:
    for event in Event:
        subject, _, verb = event.value.partition(".")
        assert subject.replace("_", "").isalpha(), event
        assert verb.replace("_", "").isalpha(), event


def test_the_document_is_what_the_code_says_and_the_page_tells_the_same() -> None:
    assert audit_events.DOCUMENT.read_text("utf-8") == audit_events.document(), "run: make docs"
    assert [(line.event, line.meaning) for line in event_lines()] == [
        (told.event, told.meaning) for told in coverage.events()
    ]
    by_event = {told.event: told for told in coverage.events()}
    assert "audit.export" in by_event["audit.exported"].operations
    assert by_event["scope.denied"].operations == ()
    assert by_event["scope.denied"].besides
