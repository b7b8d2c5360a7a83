"""Every page for every persona: axe finds nothing, nothing overflows, targets are large enough."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenTab, World, arrived
from tests.serving import Served

#: Pages by persona: address and heading. `{task}`, `{proposal}`, `{entry}` are filled in.
WORK = (
    ("/", "Good day, {first}."), ("/tasks", "Tasks"), ("/proposals?recommendation=pilot", "Proposals"),
    ("/sources", "Sources"), ("/audit?event=import.finished", "Audit"),
)
PAGES = {
    "operator": (
        *WORK, ("/tasks/{task}", "{title}"), ("/proposals/{proposal}", "{title}"),
        ("/audit/{entry}", "Entry #{number}"),
        ("/tasks?status=declined&since=2026-01-01T00:00:00Z", "Tasks"), ("/tasks?status=odd", "Not an address of ours"),
        ("/proposals/00000000-0000-0000-0000-000000000000", "Not found"), ("/nowhere", "Not found"),
    ),
    # The same pages as an operator's, with rows of other departments.
    "dept_lead": (WORK[0], WORK[2], ("/notes", "Notes")),
    "change_leader": (WORK[0], WORK[1]),
    "contributor": (
        ("/me", "My work"), ("/", "No permission"), ("/access?persona=contributor", "Access"), ("/audit", "Audit"),
        ("/access?text=nothing", "Access"),
    ),
    "admin": (
        WORK[0], ("/access?kind=task&row_id={task}", "Access"), ("/access?operation=x", "Access"),
        ("/proposals/{proposal}", "{title}"), WORK[4], ("/admin/status", "Status"), ("/admin/sso", "Single sign-on"),
        ("/admin/redaction", "Redaction"),
        ("/admin/people", "People"), ("/account", "Account"), ("/admin/tokens", "API tokens"),
        ("/admin/witnesses", "Witnesses"), ("/admin/siem", "SIEM"),
    ),
    "security_reviewer": (
        WORK[4], ("/audit/events", "Audit events"), ("/audit?live=1", "Audit"), ("/audit/verify", "Verify"),
        ("/proposals", "No permission"),
    ),
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
    page.evaluate(Axe().axe_script)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if page.locator(".radix-themes").count():
                expect(page.locator("html")).to_have_class(re.compile(scheme))
            where = f"{page.url} {width} {scheme}"
            # Structure depends on the width and contrast on the theme: these two cover all four, the others are quick.
            rules = "" if (width, scheme) in {(1440, "light"), (390, "dark")} else ", runOnly: ['color-contrast']"
            answer = page.evaluate(f"axe.run({{ resultTypes: ['violations']{rules} }})")
            for violation in answer["violations"]:
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
    return {"task": str(row.task_id), "proposal": str(row.proposal_id), "title": row.title, "entry": f"{entry}",
            "number": f"{entry:,}"}


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
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        found += look(page)
    assert all("status of 40" in fault for fault in faults), faults
    faults.clear()
    assert not found, "\n".join(found)


def test_menus_and_an_empty_tenant_look_right(open_tab: OpenTab, make_world: Callable[..., World]) -> None:
    page = open_tab(make_world("Empty", count=0, people=["admin"]).slug, "admin")
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
