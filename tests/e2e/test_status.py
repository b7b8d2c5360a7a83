"""The status page, the alarms and their routes in a browser: jobs taken up again, alarms seen to, all of it live."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from tests.e2e.conftest import OpenTab, World, arrived
from tests.e2e.test_look import look
from tests.serving import Served
from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.door import Caller
from workreef_app.services.workers.process import helping

ADD = text("""
INSERT INTO job (id, kind, status, requested_by, claim, attempts, crashes, done, total, error, cancel_requested,
  created_at, started_at, finished_at)
VALUES (:id, :kind, :status, 'cli:tester', 1, 3, 0, :done, :total, :error, false, :at, :at, :ended)
""")


@pytest.fixture(scope="module", autouse=True)
def _workers(served: Served) -> Iterator[None]:
    """Somebody works: without that, every tenant is told so by an alarm."""
    with helping(served.door):
        yield


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    """A tenant whose jobs are made by these tests alone."""
    return make_world("Jobs", count=0, people=["admin", "security_reviewer", "operator"])


def add_job(
    world: World, status: str, *, kind: str = "digest", error: str | None = None, done: int = 0,
    total: int | None = None,
) -> UUID:
    """A job as a worker has left it; its pointer in the queue is gone."""
    door, now, job_id = world.served.door, datetime.now(UTC), uuid4()
    known = door.actor(world.admin)
    assert known is not None
    ended = None if status == "running" else now
    with door.platform.unit_of_work(world.admin.tenant, known[0]) as session:
        session.execute(ADD, {"id": job_id, "kind": kind, "status": status, "error": error, "at": now, "ended": ended,
                              "done": done, "total": total})
    return job_id


def change_job(world: World, job_id: UUID, done: int) -> None:
    known = world.served.door.actor(world.admin)
    assert known is not None
    with world.served.door.platform.unit_of_work(world.admin.tenant, known[0]) as session:
        session.execute(text("UPDATE job SET done = :done WHERE id = :id"), {"done": done, "id": job_id})


def raise_alarm(world: World, kind: AlarmKind, subject: str) -> None:
    """As the part of the system that watches raises it."""
    caller = Caller(world.admin.tenant, "test-served", system="watch")
    world.served.door.perform(caller, "alarms.raise", {"kind": kind.value, "subject": subject})


def rows(page: Page) -> Locator:
    return page.locator("#jobs tbody tr")


def test_an_admin_retries_a_failed_job_and_the_log_says_so(world: World, open_tab: OpenTab) -> None:
    job_id = add_job(world, "failed", error="disk_full")
    page = open_tab(world.slug, "admin")
    page.goto("/admin/status?status=failed")
    arrived(page, "Status")
    row = rows(page).filter(has_text="The disk of the database is full.")
    expect(row.get_by_text("Failed", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Needs somebody")).to_be_visible()
    row.get_by_role("button", name="Retry: Nightly digest").click()
    told = page.get_by_role("status").filter(has_text="Nightly digest is in the queue again")
    expect(told).to_be_visible()
    expect(rows(page).filter(has_text="The disk of the database is full.")).to_have_count(0)
    told.get_by_role("link", name="Audit entry").click()
    arrived(page, "Audit")
    expect(page.locator("main tbody tr").filter(has_text="job.retried")).to_have_count(1)
    assert f"job%3A{job_id}" in page.url


def test_an_open_page_follows_a_running_job(world: World, open_tab: OpenTab) -> None:
    job_id = add_job(world, "running", kind="import", done=10, total=100)
    page = open_tab(world.slug, "admin")
    page.goto("/admin/status?status=running")
    arrived(page, "Status")
    bar = page.get_by_role("progressbar", name="Import of a file, how far")
    expect(bar).to_have_attribute("aria-valuenow", "10")
    change_job(world, job_id, 60)
    expect(bar).to_have_attribute("aria-valuenow", "60")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"60 of 100 done"))
    page.get_by_role("button", name="Cancel: Import of a file").click()
    expect(page.get_by_role("status").filter(has_text="Import of a file is being cancelled")).to_be_visible()
    expect(rows(page).get_by_text("Being cancelled: it stops at its next step.")).to_be_visible()


def test_a_reviewer_reads_and_changes_nothing(world: World, open_tab: OpenTab) -> None:
    add_job(world, "quarantined", error="killed_workers")
    page = open_tab(world.slug, "security_reviewer")
    page.goto("/admin/status")
    arrived(page, "Status")
    expect(rows(page).filter(has_text="It has killed three workers.")).not_to_have_count(0)
    expect(rows(page).get_by_role("button")).to_have_count(0)


def test_an_operator_is_told_whose_page_it_is(world: World, open_tab: OpenTab) -> None:
    page = open_tab(world.slug, "operator")
    page.goto("/admin/status")
    arrived(page, "No permission")
    expect(page.get_by_text("It is for admins and security reviewers.")).to_be_visible()


def test_the_filter_is_in_the_address_and_says_when_it_leaves_nothing(
    make_world: Callable[..., World], open_tab: OpenTab
) -> None:
    world = make_world("Few", count=0, people=["admin"])
    page = open_tab(world.slug, "admin")
    page.goto("/admin/status")
    expect(page.get_by_text("No job yet.")).to_be_visible()
    assert not look(page)
    add_job(world, "done")
    page.get_by_label("Status").select_option("quarantined")
    page.wait_for_url("**/admin/status?status=quarantined")
    expect(page.get_by_text("No job stands so.")).to_be_visible()
    page.get_by_label("Status").select_option("done")
    expect(rows(page)).to_have_count(1)


def test_the_page_looks_right_with_every_kind_of_job(world: World, open_tab: OpenTab) -> None:
    for status in ("done", "cancelled", "failed", "quarantined"):
        add_job(world, status)
    add_job(world, "running", kind="import", done=1, total=3)
    page = open_tab(world.slug, "admin")
    page.goto("/admin/status")
    arrived(page, "Status")
    assert not look(page)


def test_an_admin_acknowledges_takes_and_resolves_an_alarm(make_world: Callable[..., World], open_tab: OpenTab) -> None:
    world = make_world("Alarms", count=0, people=["admin", "operator"])
    page = open_tab(world.slug, "admin")
    page.goto("/alarms")
    expect(page.get_by_text("No alarm yet.")).to_be_visible()
    assert not look(page)
    raise_alarm(world, AlarmKind.JOB_QUARANTINED, "job:1")
    card = page.locator("main li").filter(has_text="A job has killed three workers")
    expect(card.get_by_text("Critical")).to_be_visible()
    header = page.locator("header.wr-header")
    expect(header.get_by_role("link", name="1 open alarm")).to_be_visible()
    card.get_by_role("button", name="Acknowledge: A job has killed three workers").click()
    told = page.get_by_role("status").filter(has_text="is acknowledged")
    expect(told).to_be_visible()
    expect(card.get_by_text("Owner: You")).to_be_visible()
    expect(header.get_by_role("link", name="Alarms: none is open")).to_be_visible()
    card.get_by_role("button", name="Give up: A job").click()
    expect(card.get_by_text("Owner: Nobody")).to_be_visible()
    card.get_by_role("button", name="Assign to me: A job").click()
    expect(card.get_by_text("Owner: You")).to_be_visible()
    assert not look(page)
    card.get_by_role("button", name="Resolve: A job").click()
    expect(card.get_by_text("Resolved", exact=True)).to_be_visible()
    expect(card.get_by_role("button")).to_have_count(0)
    page.get_by_label("State").select_option("open")
    page.wait_for_url("**/alarms?state=open")
    expect(page.get_by_text("No alarm stands so.")).to_be_visible()


def test_open_alarms_are_told_on_every_page_to_those_who_may_see_them(
    make_world: Callable[..., World], open_tab: OpenTab
) -> None:
    world = make_world("Told", count=0, people=["admin", "operator", "security_reviewer"])
    raise_alarm(world, AlarmKind.JOB_FAILED, "job:1")
    page = open_tab(world.slug, "admin")
    page.goto("/")
    stat = page.locator("main").get_by_role("link", name=re.compile("Alarms 1 open alarm"))
    expect(stat).to_be_visible()
    stat.click()
    arrived(page, "Alarms")
    expect(page.get_by_role("heading", name="A job failed three times")).to_be_visible()
    page.goto("/admin/status")
    expect(page.get_by_text("1 alarm is open: 1 warning.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ workers? for imports and other long work\.$"))).to_be_visible()
    other = open_tab(world.slug, "operator")
    other.goto("/alarms")
    expect(other.get_by_text("No alarm yet."), "what is of no department is for admins").to_be_visible()
    reviewer = open_tab(world.slug, "security_reviewer")
    reviewer.goto("/alarms")
    arrived(reviewer, "No permission")


def test_routes_are_changed_the_secret_is_shown_once_and_a_test_says_what_came_of_it(
    make_world: Callable[..., World], open_tab: OpenTab
) -> None:
    world = make_world("Routes", count=0, people=["admin"])
    page = open_tab(world.slug, "admin")
    page.goto("/admin/alarms")
    arrived(page, "Where alarms go")
    assert not look(page)
    page.get_by_label("Mail addresses, one a line").fill("ops@example.com\nnobody")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Not accepted: nobody is no mail address.")).to_be_visible()
    page.get_by_label("Mail addresses, one a line").fill("")
    # Nothing listens there.
    page.get_by_label("Webhook address").fill("http://127.0.0.1:9/hook")
    page.get_by_label("From which severity on").select_option("critical")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()
    secret = page.locator("main code.wr-hash-full").inner_text()
    assert len(secret) >= 32
    assert not look(page)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("list", name="Outcomes").get_by_text("Webhook failed")).to_be_visible(timeout=40_000)
    expect(page.get_by_role("list", name="Outcomes")).to_contain_text("no connection")
    page.reload()
    arrived(page, "Where alarms go")
    expect(page.get_by_label("Webhook address")).to_have_value("http://127.0.0.1:9/hook")
    expect(page.get_by_label("From which severity on")).to_have_value("critical")
    assert secret not in page.content()
