"""Who sees what, by whatever address; and what becomes of a page whose session ends."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text
from sqlmodel import Session, select

from tests.e2e.conftest import OpenTab, World, arrived, sign_in, sign_in_by_hand
from tests.serving import Served
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.models import TenantRow
from workreef_app.services.vault.keyring import HOLD_SECONDS

WORK_PAGES = ("/", "/tasks", "/proposals", "/sources")


@pytest.fixture(scope="module")
def theirs(served: Served) -> tuple[str, str]:
    """A task and a proposal of the department that `operator` is not in."""
    row = served.door.perform(served.person("health", "operator2"), "tasks.list", {}).rows[0]
    return str(row.task_id), str(row.proposal_id)


def seen(page: Page, path: str, title: str) -> str:
    """Goes to an address that answers with this heading; what the page says."""
    page.goto(path)
    arrived(page, title)
    return page.locator("main").inner_text()


def test_a_contributor_never_sees_a_digit_about_work(open_tab: OpenTab, theirs: tuple[str, str]) -> None:
    page = open_tab("health", "contributor")
    page.goto("/start")
    arrived(page, "My work")
    body = page.locator("main").inner_text()
    status, _, rest = body.partition("Add context")
    assert not re.search(r"[\d%]", status), status
    # What is left are times, entries' numbers, and how long a note may be.
    assert "%" not in rest
    assert not re.search(r"\d+ (times|days|hours|minutes|tasks)", rest)
    refused = [*WORK_PAGES, f"/tasks/{theirs[0]}", f"/proposals/{theirs[1]}", "/admin/status"]
    for path in refused:
        said = seen(page, path, "No permission")
        assert not re.search(r"\d", said), said
        assert "If you need it, ask an admin of Meridian Health." in said
    assert seen(page, "/audit/1", "Not found"), "the tenant's first entry is none of theirs"
    assert "%" not in seen(page, "/audit", "Audit"), "their own entries are theirs to see"
    assert [link.inner_text() for link in page.locator(".wr-side a").all()] == ["My work", "Audit", "Access"]


def test_a_reviewer_does_not_reach_work(open_tab: OpenTab, theirs: tuple[str, str]) -> None:
    page = open_tab("health", "security_reviewer")
    for path in (*WORK_PAGES, f"/tasks/{theirs[0]}", f"/proposals/{theirs[1]}"):
        said = seen(page, path, "No permission")
        assert "It is for operators, department leads, change leaders and admins." in said


def test_an_operator_never_sees_another_departments_rows(
    open_tab: OpenTab, served: Served, theirs: tuple[str, str]
) -> None:
    page = open_tab("health", "operator")
    task, proposal = theirs
    for path in (f"/tasks/{task}", f"/tasks/{task}?after=", f"/proposals/{proposal}", f"/proposals/{proposal}/"):
        assert "There is nothing here that you may see." in seen(page, path, "Not found")
    for path in ("/tasks?department=member-services", "/proposals?department=member-services"):
        assert "match." in seen(page, path, path[1:].split("?")[0].capitalize())
        expect(page.locator("tbody tr")).to_have_count(0)
    page.goto("/?department=member-services")
    expect(page.get_by_text("No opportunities in this department.")).to_be_visible()
    for path in ("/tasks", "/proposals"):
        seen(page, path, path[1:].capitalize())
        assert set(page.locator("td[data-label=Department]").all_inner_texts()) == {"Claims"}
        assert page.get_by_label("Department").locator("option").all_inner_texts() == ["All", "Claims"]
    assert "Member services" not in seen(page, "/sources", "Sources")
    cookies = "; ".join(f"{name}={value}" for name, value in served.sign_in("health", "operator").items())
    for path in ("/export/tasks.csv?department=member-services", "/export/proposals.csv?department=member-services"):
        answer = httpx.get(served.base + path, headers={**served.host("health"), "Cookie": cookies})
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) == 1
    assert task not in httpx.get(
        f"{served.base}/export/tasks.csv", headers={**served.host("health"), "Cookie": cookies}
    ).text


def test_signed_out_a_page_leads_to_sign_in_and_back(open_tab: OpenTab, served: Served) -> None:
    page = open_tab("health")
    page.goto("/tasks?status=open")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in_by_hand(page, served, "health", "dept_lead")
    arrived(page, "Tasks")
    assert re.search(r"/tasks/?\?status=open$", page.url)
    expect(page.get_by_label("Status")).to_have_value("open")


def test_a_revoked_session_takes_its_open_page_away(open_tab: OpenTab, served: Served) -> None:
    page = open_tab("health")
    caller = sign_in(page.context, served, "health", "operator")
    page.goto("/tasks")
    arrived(page, "Tasks")
    served.door.perform(caller, "sessions.end", {})
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "/login" in page.url


def test_a_page_whose_socket_is_gone_leaves_once_its_session_has_ended(
    open_tab: OpenTab, served: Served, faults: list[str]
) -> None:
    page = open_tab("health")
    caller = sign_in(page.context, served, "health", "operator")
    page.goto("/tasks?status=open")
    arrived(page, "Tasks")
    page.context.set_offline(True)
    served.door.perform(caller, "sessions.end", {})
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/login\?then=%2Ftasks"))
    expected = ("WebSocket", "DISCONNECTED", "status of 401")
    faults[:] = [fault for fault in faults if not any(part in fault for part in expected)]


def test_two_tabs_are_apart_and_end_together(open_tab: OpenTab) -> None:
    one = open_tab("health", "operator")
    one.goto("/tasks?recommendation=pilot")
    two = open_tab("health", context=one.context)
    two.goto("/tasks?recommendation=later")
    for page, value in ((one, "pilot"), (two, "later"), (one, "pilot")):
        expect(page.get_by_label("Recommendation")).to_have_value(value)
    one.get_by_label("Status").select_option("open")
    expect(one).to_have_url(re.compile("recommendation=pilot&status=open"))
    expect(two.get_by_label("Status")).to_have_value("")
    one.get_by_role("button", name=re.compile("Signed in as")).click()
    one.get_by_role("button", name="Sign out").click()
    expect(one.get_by_role("heading", name="Sign in")).to_be_visible()
    one.go_back()
    expect(one.get_by_role("heading", name="Sign in")).to_be_visible()
    # Signing out in one tab takes the page of the other away by itself.
    expect(two.get_by_role("heading", name="Sign in")).to_be_visible()


def test_two_tenants_at_once_in_one_browser(open_tab: OpenTab, served: Served) -> None:
    one = open_tab("health", "operator")
    sign_in(one.context, served, "harbor", "operator")
    two = open_tab("harbor", context=one.context)
    for _ in range(2):
        one.goto(served.url("health", "/tasks"))
        two.goto(served.url("harbor", "/tasks"))
        expect(one.locator(".wr-tenant")).to_have_text("Meridian Health")
        expect(two.locator(".wr-tenant")).to_have_text("Harbor Logistics")
        expect(one.locator("td[data-label=Department]").first).to_have_text("Claims")
        expect(two.locator("td[data-label=Department]").first).to_have_text("Dispatch")


def test_a_page_never_shows_the_rows_of_the_address_before(open_tab: OpenTab, faults: list[str]) -> None:
    page = open_tab("health", "change_leader")
    page.goto("/proposals")
    arrived(page, "Proposals")
    first, second = (link.get_attribute("href") for link in page.locator("tbody td:first-child a").all()[:2])
    title = page.locator("tbody td:first-child a").nth(1).inner_text()
    page.goto(str(first))
    expect(page.locator(".wr-decide")).to_be_visible()
    # Nothing answers any more: what is shown now was there before.
    page.context.set_offline(True)
    page.evaluate("path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')); }", second)
    expect(page.locator(".wr-decide")).to_have_count(0)
    page.context.set_offline(False)
    page.reload()
    arrived(page, title)
    faults[:] = [fault for fault in faults if "DISCONNECTED" not in fault]


@pytest.fixture
def own(make_world: Callable[..., World]) -> World:
    return make_world("Own", count=0)


def dark(page: Page) -> None:
    """Loads the digest until it is locked: the server may hold a key that is gone, for as long as it says.

    Loads come faster than a person may read; what is refused for that is loaded again too.
    """
    deadline = time.monotonic() + HOLD_SECONDS
    heading, locked = page.locator("main h1"), 0
    page.goto("/")
    # Twice: what was asked for before the key was dropped, and what after, are both of one load then.
    while time.monotonic() < deadline:
        expect(heading).to_have_text(re.compile("^(Locked|Good day, Operator[.]|Too many requests)$"))
        locked += heading.inner_text() == "Locked"
        if locked == 2:
            break
        page.reload()
    arrived(page, "Locked")


def test_a_locked_tenant_says_so_and_keeps_its_audit_log(
    open_tab: OpenTab, own: World, faults: list[str]
) -> None:
    page = open_tab(own.slug, "security_reviewer")
    operator = open_tab(own.slug, "operator")
    reference = own.served.door.platform.tenant(own.slug).key.reference
    (own.served.settings.keys_dir / f"{reference.partition(':')[2]}.key").unlink()
    dark(operator)
    expect(operator.locator("header").get_by_text("LOCKED")).to_be_visible()
    expect(operator.get_by_text("Its key does not answer")).to_be_visible()
    page.goto("/audit/verify")
    arrived(page, "Verify")
    page.get_by_role("button", name="Verify the log").click()
    expect(page.locator("main")).to_contain_text("chained only")
    operator.context.clear_cookies()
    operator.goto("/login")
    expect(operator.get_by_role("heading", name="Own is locked")).to_be_visible()
    faults[:] = [fault for fault in faults if "status of 423" not in fault]


def test_a_page_that_cannot_be_read_says_so_without_internals(open_tab: OpenTab, own: World) -> None:
    page = open_tab(own.slug, "operator")
    platform = own.served.door.platform
    with Session(platform.control) as session:
        database = session.exec(select(TenantRow.database).where(TenantRow.slug == own.slug)).one()
    with server.admin(platform.url, database) as connection:
        connection.execute(text("ALTER TABLE proposal RENAME TO proposal_away"))
    page.goto("/")
    arrived(page, "Something went wrong")
    said = page.locator("main").inner_text()
    assert re.search(r"Request [0-9a-f]{32}\.", said)
    assert "proposal" not in said
    with server.admin(platform.url, database) as connection:
        connection.execute(text("ALTER TABLE proposal_away RENAME TO proposal"))
    page.get_by_role("link", name="Try again").click()
    arrived(page, "Good day, Operator.")


def test_beyond_the_limit_a_person_is_told_when_to_come_back(open_tab: OpenTab, own: World) -> None:
    page = open_tab(own.slug)
    caller = sign_in(page.context, own.served, own.slug, "operator")
    headers = {
        **own.served.host(own.slug), "Origin": own.served.url(own.slug, ""),
        "Cookie": "; ".join(f"{name}={value}" for name, value in own.served.cookie(caller).items()),
        **own.served.token(own.served.cookie(caller), own.slug),
    }
    with httpx.Client(headers=headers) as client:
        while client.post(f"{own.served.base}/api/v1/audit.begin_verification", json={}).status_code == 200:
            pass
    page.goto("/audit/verify")
    arrived(page, "Verify")
    page.get_by_role("button", name="Verify the log").click()
    expect(page.locator("main > [role=status]").first).to_contain_text(re.compile(r"Try again in \d+ seconds"))
    expect(page.get_by_role("button", name="Verify the log")).to_be_enabled()
