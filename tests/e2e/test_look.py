"""Every page for every persona: axe finds nothing, nothing overflows, targets are large enough, keys suffice."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenTab, World, arrived
from tests.serving import PASSWORD, Served

#: Pages by persona: address and heading. `{task}`, `{proposal}`, `{entry}` are filled in.
WORK = (
    ("/", "Good day, {first}."), ("/tasks", "Tasks"), ("/proposals?recommendation=pilot", "Proposals"),
    ("/sources", "Sources"), ("/audit", "Audit"),
)
PAGES = {
    "operator": (
        *WORK, ("/tasks/{task}", "{title}"), ("/proposals/{proposal}", "{title}"), ("/audit/{entry}", "Entry #{entry}"),
        ("/tasks?status=declined&since=2026-01-01T00:00:00Z", "Tasks"), ("/tasks?status=odd", "Not an address of ours"),
        ("/proposals/00000000-0000-0000-0000-000000000000", "Not found"), ("/nowhere", "Not found"),
    ),
    "dept_lead": WORK,
    "change_leader": WORK,
    "contributor": (("/me", "My work"), ("/", "No permission")),
    "admin": (*WORK, ("/admin/status", "Status")),
    "security_reviewer": (("/audit", "Audit"), ("/proposals", "No permission")),
}
TOO_SMALL = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter((part) => part.checkVisibility({ visibilityProperty: true }) && part.type !== "hidden")
  .map((part) => [part, part.getBoundingClientRect()])
  .filter(([part, box]) => box.width && box.bottom > 0 && (box.width < 24 || box.height < 24))
  .map(([part, box]) => `${part.outerHTML.slice(0, 120)} ${box.width}x${box.height}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def look(page: Page) -> list[str]:
    """What is wrong with a page as it stands, in both themes and both widths."""
    found = []
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if page.locator(".radix-themes").count():
                expect(page.locator("html")).to_have_class(re.compile(scheme))
            where = f"{page.url} {width} {scheme}"
            for violation in Axe().run(page).response["violations"]:
                nodes = [node["html"][:160] + " " + node["failureSummary"][:200] for node in violation["nodes"][:3]]
                found.append(f"{where}: {violation['id']}: {nodes}")
        found += [f"{where}: too small: {target}" for target in page.evaluate(TOO_SMALL)]
        if page.evaluate(OVERFLOW):
            found.append(f"{where}: wider than the window by {page.evaluate(OVERFLOW)} px")
    return found


@pytest.fixture(scope="module")
def names(served: Served) -> dict[str, str]:
    """What fills in the addresses."""
    reader = served.person("health", "operator")
    row = served.door.perform(reader, "tasks.list", {}).rows[0]
    entry = served.door.perform(reader, "audit.list", {}).rows[0].seq
    return {"task": str(row.task_id), "proposal": str(row.proposal_id), "title": row.title, "entry": f"{entry}"}


@pytest.mark.parametrize("who", list(PAGES))
def test_every_page_looks_right(
    who: str, open_tab: OpenTab, names: dict[str, str], faults: list[str]
) -> None:
    page = open_tab("health", who)
    first = who.replace("_", " ").title().split()[0]
    found = []
    for path, title in PAGES[who]:
        page.goto(path.format(**names))
        arrived(page, title.format(first=first, **names))
        found += look(page)
    # The browser itself reports the answer's status.
    faults[:] = [fault for fault in faults if "/nowhere" not in fault]
    assert not found, "\n".join(found)


def test_sign_in_and_error_pages_look_right(open_tab: OpenTab, served: Served, faults: list[str]) -> None:
    page = open_tab("health")
    page.goto("/login")
    found = look(page)
    page.get_by_label("Email").fill("nobody@health.example")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Email or password is wrong.")
    found += look(page)
    for address, heading in (
        (served.url("health", "/invite/none"), "Set your password"),
        (served.url("nobody-is-here", "/"), "Nothing here"),
        (served.url("health", "/").replace("health.", ""), "WorkReef"),
        (served.url("health", "/auth/nowhere"), "Not done"),
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        found += look(page)
    assert all("status of 40" in fault for fault in faults), faults
    faults.clear()
    assert not found, "\n".join(found)


def test_menus_and_an_empty_tenant_look_right(open_tab: OpenTab, make_world: Callable[..., World]) -> None:
    page = open_tab(make_world("Empty", count=0).slug, "admin")
    found = []
    for path, said in (
        ("/", "No opportunities yet."), ("/tasks", "No tasks yet."), ("/proposals", "No proposals yet."),
        ("/sources", "No source yet."),
    ):
        page.goto(path)
        expect(page.get_by_text(said)).to_be_visible()
        found += look(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    found += look(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Menu").click()
    expect(page.locator("#wr-drawer")).to_be_visible()
    found += look(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("Signed in as")).click()
    expect(page.locator("#wr-me")).to_be_visible()
    found += look(page)
    assert not found, "\n".join(found)


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
    world = make_world("Keys", count=120)
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


def test_on_a_phone_the_decision_stays_in_sight(open_tab: OpenTab, names: dict[str, str]) -> None:
    page = open_tab("health", "operator", width=390)
    page.goto(f"/proposals/{names['proposal']}")
    arrived(page, names["title"])
    for part in ("Evidence", "History"):
        page.get_by_role("heading", name=part).scroll_into_view_if_needed()
        expect(page.locator(".wr-actions")).to_be_in_viewport()


def test_a_long_list_is_paged_and_comes_back_to_its_first_page(
    open_tab: OpenTab, served: Served
) -> None:
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
