"""The access matrix and its questions, and what a contributor adds and sees of themself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenTab, World, arrived
from tests.serving import Served
from workreef_app.services.operation import REGISTRY, Persona


def rows(page: Page) -> list[str]:
    return page.locator(".wr-matrix tbody code").all_inner_texts()


def test_everybody_reads_who_may_do_what_and_filters_it(open_tab: OpenTab) -> None:
    page = open_tab("health", "contributor")
    page.goto("/access")
    arrived(page, "Access")
    expect(page.get_by_text(f"{len(REGISTRY)} operations of {len(REGISTRY)}")).to_be_visible()
    assert rows(page) == sorted(REGISTRY)
    expect(page.get_by_role("heading", name="Who can")).to_have_count(0)
    page.get_by_label("Open to").select_option("contributor")
    page.get_by_label("Holds").fill("note")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"/access\?persona=contributor&text=note$"))
    arrived(page, "Access")
    expect(page.get_by_text(f"3 operations of {len(REGISTRY)}", exact=True)).to_be_visible()
    assert rows(page) == ["notes.add", "notes.list", "notes.withdraw"]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    text = download.value.path().read_text().splitlines()
    assert text[0].startswith("operation,summary,personas")
    assert [line.split(",")[0] for line in text[1:]] == ["notes.add", "notes.list", "notes.withdraw"]


def test_an_admin_asks_who_can_see_a_task_and_who_can_run_an_operation(open_tab: OpenTab, served: Served) -> None:
    row = served.door.perform(served.admin("health"), "tasks.list", {"department": "claims"}).rows[0]
    page = open_tab("health", "admin")
    page.goto("/access")
    arrived(page, "Access")
    page.get_by_label("See this").select_option("task")
    page.get_by_label("with this id").fill(str(row.task_id))
    page.get_by_role("form", name="Who can see a row").get_by_role("button", name="Ask").click()
    expect(page).to_have_url(re.compile(f"/access.kind=task&row_id={row.task_id}$"))
    people = page.get_by_role("table", name="People who can, by name")
    expect(people.get_by_role("row", name=re.compile("Operator Of Meridian"))).to_contain_text("operator of Claims")
    expect(people.get_by_role("row", name=re.compile("Change Leader"))).to_contain_text("sees every department")
    expect(people.get_by_role("row", name=re.compile("Operator2|Contributor|Security"))).to_have_count(0)
    page.get_by_label("Run this operation").fill("notes.add")
    page.get_by_role("form", name="Who can run an operation").get_by_role("button", name="Ask").click()
    expect(page.get_by_text(re.compile(r"\d+ (person|people) can run notes.add."))).to_be_visible()
    expect(people.get_by_role("row", name=re.compile("Contributor Of"))).to_be_visible()


def test_a_question_about_nothing_is_answered_in_words(open_tab: OpenTab) -> None:
    page = open_tab("health", "admin")
    page.goto("/access?kind=task&row_id=17")
    arrived(page, "Access")
    expect(page.get_by_text("This is no id of such a row.")).to_be_visible()
    assert rows(page) == sorted(REGISTRY), "the matrix is there all the same"


@pytest.fixture(scope="module")
def notes_world(make_world: Callable[..., World]) -> World:
    return make_world("Notes", count=0, people=["contributor", "operator", "operator2"])


def test_a_contributor_adds_context_which_the_department_reads_and_takes_it_back(
    open_tab: OpenTab, notes_world: World
) -> None:
    page = open_tab(notes_world.slug, "contributor")
    page.goto("/me")
    arrived(page, "My work")
    expect(page.get_by_text("You have added nothing yet.")).to_be_visible()
    field = page.get_by_label("What should people know about your work?")
    field.fill("On Fridays <b>we</b> wait\nfor the bank.")
    page.get_by_role("button", name="Add", exact=True).click()
    told = page.get_by_role("status").filter(has_text="Your note is kept.")
    expect(told).to_contain_text("The operators and leads of Claims can read it.")
    expect(field).to_have_value("")
    mine = page.get_by_role("list", name="Your notes").get_by_role("listitem")
    expect(mine).to_contain_text("On Fridays <b>we</b> wait")
    expect(page.get_by_role("table", name=re.compile("What you did"))).to_contain_text("You added a note.")
    readers = {who: open_tab(notes_world.slug, who) for who in ("operator", "operator2")}
    for who, theirs in readers.items():
        theirs.goto("/notes")
        arrived(theirs, "Notes")
        expect(theirs.get_by_text("On Fridays")).to_have_count(1 if who == "operator" else 0)
    page.get_by_role("button", name=re.compile("Take back")).click()
    expect(page.get_by_text("You have added nothing yet.")).to_be_visible()
    readers["operator"].reload()
    expect(readers["operator"].get_by_text("No notes yet.")).to_be_visible()


def test_a_page_of_another_persona_says_for_whom_it_is_and_whom_to_ask(open_tab: OpenTab) -> None:
    page = open_tab("health", "contributor")
    for path, name in (("/tasks", "tasks.list"), ("/admin/settings", "settings.read")):
        page.goto(path)
        arrived(page, "No permission")
        said = page.locator("main").inner_text()
        words = {
            Persona.OPERATOR: "operators", Persona.ADMIN: "admins", Persona.SECURITY_REVIEWER: "security reviewers",
        }
        for persona, word in words.items():
            assert (word in said) == (persona in REGISTRY[name].by)
        assert "If you need it, ask an admin of Meridian Health." in said


def test_a_row_that_is_not_there_says_what_the_own_scope_is(open_tab: OpenTab) -> None:
    page = open_tab("health", "operator")
    page.goto("/tasks/00000000-0000-0000-0000-000000000000")
    arrived(page, "Not found")
    expect(page.get_by_text("Your departments: Claims.")).to_be_visible()
    expect(page.get_by_text("ask an admin of Meridian Health.")).to_be_visible()


def test_the_matrix_prints_without_its_surroundings(open_tab: OpenTab) -> None:
    page = open_tab("health", "admin")
    page.goto("/access?persona=admin")
    arrived(page, "Access")
    page.emulate_media(media="print")
    for part in (".wr-side", ".wr-header", ".wr-filters"):
        expect(page.locator(part).first).to_be_hidden()
    expect(page.locator(".wr-matrix")).to_be_visible()
