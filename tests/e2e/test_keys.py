"""What the keyboard alone can do, and what stays in sight."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.conftest import OpenTab, World, arrived
from tests.serving import PASSWORD, Served


def test_the_theme_stays_as_chosen(open_tab: OpenTab) -> None:
    page = open_tab("health", "operator")
    page.goto("/tasks")
    arrived(page, "Tasks")
    page.get_by_role("button", name="Switch to the dark theme").click()
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    page.reload()
    arrived(page, "Tasks")
    expect(page.locator("html")).to_have_class(re.compile("dark"))


def test_the_skip_link_leads_past_the_menu(open_tab: OpenTab) -> None:
    page = open_tab("health", "operator")
    page.goto("/tasks")
    arrived(page, "Tasks")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Department")).to_be_focused()


def test_rows_are_moved_through_by_keys_which_can_be_turned_off(open_tab: OpenTab) -> None:
    page = open_tab("health", "operator")
    page.goto("/tasks")
    arrived(page, "Tasks")
    rows = page.locator("tbody tr td:first-child a")
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(rows.nth(at)).to_be_focused()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.reload()
    arrived(page, "Tasks")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    expect(page.locator("tbody a:focus")).to_have_count(0)
    page.get_by_role("button", name=re.compile("Signed in as")).click()
    page.get_by_role("button", name="Keys").click()
    expect(dialog.get_by_role("checkbox")).not_to_be_checked()
    dialog.get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Audit", exact=True).first.focus()
    page.keyboard.press("j")
    expect(rows.first).to_be_focused()
    title = rows.first.inner_text()
    page.keyboard.press("Enter")
    arrived(page, title)


def test_a_proposal_is_decided_with_the_keyboard_alone(open_tab: OpenTab, make_world: Callable[..., World]) -> None:
    world = make_world("Keys", count=120, people=["operator"])
    page = open_tab(world.slug)
    page.goto("/proposals")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type(world.served.email(world.slug, "operator"))
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    arrived(page, "Proposals")
    page.keyboard.press("j")
    title = page.locator("tbody a:focus").inner_text()
    page.keyboard.press("Enter")
    arrived(page, title)
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Whose task is this?")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Return with a question")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main > [role=status]").first).to_contain_text("The proposal is returned.")
    expect(page.locator(".wr-list")).to_contain_text("Whose task is this?")


def test_on_a_phone_the_decision_stays_in_sight(open_tab: OpenTab, served: Served) -> None:
    row = served.door.perform(served.person("health", "operator"), "proposals.list", {"status": "open"}).rows[0]
    page = open_tab("health", "operator", width=390)
    page.goto(f"/proposals/{row.proposal_id}")
    arrived(page, row.title)
    for part in ("Evidence", "History"):
        page.get_by_role("heading", name=part).scroll_into_view_if_needed()
        expect(page.locator(".wr-actions")).to_be_in_viewport()


def test_a_long_list_is_paged_and_comes_back_to_its_first_page(open_tab: OpenTab) -> None:
    page = open_tab("health", "operator")
    page.goto("/tasks")
    arrived(page, "Tasks")
    page.locator("td[data-label=Times] a").first.click()
    expect(page.locator("#rows")).to_be_in_viewport()
    expect(page.locator("#rows tbody tr")).to_have_count(50)
    first = page.locator("#rows tbody tr").first.inner_text()
    expect(page.get_by_role("link", name="First page")).to_have_count(0)
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("#rows tbody tr").first).not_to_have_text(first, use_inner_text=True)
    page.get_by_role("link", name="First page").click()
    expect(page.locator("#rows tbody tr").first).to_have_text(first, use_inner_text=True)
