"""The audit list: its filters are its address, it follows the log by itself, and everybody sees what is theirs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenTab, World, arrived


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    return make_world("Listing", count=0, people=["security_reviewer", "contributor"])


def rows(page: Page) -> list[str]:
    return page.get_by_role("table").locator("tbody tr").all_inner_texts()


def test_filters_are_the_address_and_an_id_finds_its_entries(open_tab: OpenTab, world: World) -> None:
    made = world.do("departments.create", slug="found-by-id", name="Found by its id").id
    page = open_tab(world.slug, "security_reviewer")
    page.goto("/audit")
    arrived(page, "Audit")
    page.get_by_label("Id of anything").fill(str(made))
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(f"/audit.id={made}$"))
    expect(page.get_by_text("1 entry · newest first")).to_be_visible()
    assert "department.created" in rows(page)[0]
    page.get_by_role("link", name="Events", exact=True).click()
    arrived(page, "Audit events")
    page.get_by_role("link", name="department.created").click()
    arrived(page, "Audit")
    expect(page.get_by_label("Event")).to_have_value("department.created")
    for shown in rows(page):
        assert "department.created" in shown


def test_a_page_that_follows_the_log_shows_what_is_added(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "security_reviewer")
    page.goto("/audit?event=department.created")
    arrived(page, "Audit")
    before = len(rows(page))
    page.get_by_role("link", name="Follow").click()
    expect(page.get_by_text("new ones appear by themselves")).to_be_visible()
    world.do("departments.create", slug="seen-live", name="Seen live")
    expect(page.get_by_text("1 new entry at the top.")).to_be_visible()
    assert len(rows(page)) == before + 1
    expect(page.get_by_text(f"{before + 1} entries · newest first")).to_be_visible()
    if shots := os.environ.get("WORKREEF_SHOTS"):
        page.screenshot(path=f"{shots}/list.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=f"{shots}/list-dark.png", full_page=True)
        page.goto("/audit/events")
        arrived(page, "Audit events")
        page.screenshot(path=f"{shots}/events-dark.png")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        page.screenshot(path=f"{shots}/events.png")


def test_a_contributor_sees_their_own_entries_alone(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "contributor")
    page.goto("/audit")
    arrived(page, "Audit")
    found = rows(page)
    assert found
    assert all("Contributor Of Listing" in row for row in found)
    page.goto("/audit/1")
    arrived(page, "Not found")


def test_an_admin_says_where_events_are_pushed_and_a_reviewer_reads_it(
    open_tab: OpenTab, make_world: Callable[..., World]
) -> None:
    made = make_world("Collecting", count=0, people=["admin", "security_reviewer"])
    page = open_tab(made.slug, "admin")
    page.goto("/admin/siem")
    arrived(page, "SIEM")
    expect(page.get_by_text("No collector yet.")).to_be_visible()
    form = page.get_by_role("form", name="Another collector")
    form.get_by_label("Kind").select_option("syslog")
    form.get_by_label("Format").select_option("cef")
    form.get_by_label("Address").fill("https://collector.example")
    form.get_by_role("button", name="Push to it").click()
    expect(page.get_by_text("This is no address of a collector.")).to_be_visible()
    form.get_by_label("Address").fill("tls://collector.example:6514")
    form.get_by_role("button", name="Push to it").click()
    expect(page.get_by_text("Events are pushed from now on")).to_be_visible()
    expect(page.get_by_text("tls://collector.example:6514", exact=True)).to_be_visible()
    if shots := os.environ.get("WORKREEF_SHOTS"):
        page.screenshot(path=f"{shots}/siem.png", full_page=True)
    reader = open_tab(made.slug, "security_reviewer")
    reader.goto("/admin/siem")
    arrived(reader, "SIEM")
    expect(reader.get_by_text("Syslog over TLS, CEF")).to_be_visible()
    expect(reader.get_by_role("button", name="Push nothing more")).to_have_count(0)
    page.get_by_role("button", name="Push nothing more").click()
    expect(page.get_by_text("No collector yet.")).to_be_visible()
