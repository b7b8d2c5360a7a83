"""The redaction page in a browser: a text is tried, a custom profile saved, a test set measured; reviewers read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenTab, World, arrived
from tests.e2e.test_look import look

TEXT = "Barbara Johansson, b\u200barbara [at] example [dot] com, works on Project Heron with B-12345."


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    """A tenant whose profile this test changes."""
    return make_world("Redacting", count=300, people=["admin", "security_reviewer"])


def test_an_admin_tries_saves_and_measures_and_a_reviewer_reads(
    world: World, open_tab: OpenTab, faults: list[str]
) -> None:
    page = open_tab(world.slug, "admin")
    page.goto("/admin/redaction")
    arrived(page, "Redaction")
    page.get_by_label("A text of yours").fill(TEXT)
    page.get_by_role("button", name="Show what would leave").click()
    leaves = page.get_by_role("region", name="What would leave")
    expect(leaves).to_contain_text("\u27e6PERSON_1\u00b7k7q\u27e7, \u27e6EMAIL_1\u00b7k7q\u27e7")
    expect(page.get_by_role("table", name="What was found")).to_contain_text("person-list")

    page.get_by_role("button", name="Custom").click()
    page.get_by_label("Always redacted").fill("Project Heron")
    page.get_by_label("Patterns, one a line").fill("BADGE (?=x)")
    page.get_by_role("button", name="Show what would leave").click()
    expect(page.get_by_role("status").filter(has_text="linear time")).to_be_visible()
    page.get_by_label("Patterns, one a line").fill("BADGE B-[0-9]{5}")
    page.get_by_role("button", name="Show what would leave").click()
    expect(leaves).to_contain_text("\u27e6DENIED_1\u00b7k7q\u27e7 with \u27e6BADGE_1\u00b7k7q\u27e7")
    found = look(page)
    if shots := os.environ.get("WORKREEF_SHOTS"):
        page.screenshot(path=f"{shots}/redaction.png", full_page=True)
    page.get_by_role("button", name="Save this profile").click()
    expect(page.get_by_role("status").filter(has_text="The redaction profile is changed.")).to_be_visible()
    expect(page.get_by_role("table", name="Changes of the profile")).to_contain_text("standard")

    page.get_by_label("Labelled lines").fill(json.dumps({"text": TEXT, "spans": [
        {"type": "PERSON", "start": 0, "end": 17}]}))
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_role("table", name="Recall and precision")).to_contain_text("100.0 %")
    assert found == []

    page = open_tab(world.slug, "security_reviewer")
    page.goto("/admin/redaction")
    arrived(page, "Redaction")
    page.get_by_role("button", name="Off").click()
    page.get_by_label("A text of yours").fill(TEXT)
    page.get_by_role("button", name="Show what would leave").click()
    expect(page.get_by_role("region", name="What would leave")).to_contain_text("Barbara Johansson")
    expect(page.get_by_role("button", name="Save this profile")).to_have_count(0)
    assert faults == []
