"""Reading it comfortably: zones, visits, a lost connection, a session's end, settings with their history."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.e2e.conftest import OpenTab, World, arrived, sign_in
from tests.e2e.test_look import look
from tests.serving import PAGES, STOP_SECONDS, Served, free_port, launch
from tests.web import AUDITOR
from workreef_app.http import frontend
from workreef_app.services.access import sessions
from workreef_app.services.door import Caller

TYPED = "Who is called at night, and by whom?"
OFFLINE = ("WebSocket", "DISCONNECTED", "ERR_", "Failed to load resource", "status of 401")


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    return make_world("Comfort", people=("operator", "admin", "security_reviewer", "contributor"))


def run_sql(world: World, statement: str, **values: Any) -> None:
    """A change beside the product, which turns a person's clock."""
    with world.served.door.platform.unit_of_work(world.admin.tenant, AUDITOR) as session:
        session.execute(text(statement), values)


def notice(page: Page, name: str) -> Any:
    return page.locator(f"[data-notice={name}]")


def kept(page: Page) -> list[str]:
    """The half-typed texts that this tab keeps."""
    values: list[str] = page.evaluate(
        "Object.entries(sessionStorage).filter(([key]) => key.startsWith('workreef-draft')).map(([, text]) => text)"
    )
    return values


def forget_expected(faults: list[str]) -> None:
    faults[:] = [fault for fault in faults if not any(part in fault for part in OFFLINE)]


def open_proposal(page: Page) -> str:
    """Goes to a proposal that can be decided; its address."""
    page.goto("/proposals?status=open")
    arrived(page, "Proposals")
    href = page.locator("tbody td:first-child a").first.get_attribute("href") or ""
    page.goto(href)
    expect(page.get_by_label("Reason")).to_be_visible()
    return href


def test_a_person_reads_times_in_their_own_zone(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "operator")
    page.goto("/tasks")
    arrived(page, "Tasks")
    expect(page.locator("tbody td").last).to_have_text(re.compile("UTC$"))
    page.get_by_role("button", name=re.compile("Signed in as")).click()
    page.get_by_role("link", name="Account").click()
    arrived(page, "Account")
    field = page.get_by_label("Your time zone")
    status = page.locator("main > [role=status]").first
    field.fill("Mars/Phobos")
    page.get_by_role("button", name="Save").click()
    expect(status).to_contain_text("There is no such time zone.")
    expect(field).to_have_value("Mars/Phobos")
    field.fill("Asia/Kathmandu")
    page.get_by_role("button", name="Save").click()
    expect(status).to_contain_text("Times are shown in Asia/Kathmandu.")
    expect(page.locator("main form p").first).to_contain_text("UTC+05:45")
    assert kept(page) == []
    page.goto("/tasks")
    arrived(page, "Tasks")
    expect(page.locator("tbody td").last).to_have_text(re.compile(r"UTC\+05:45$"))
    page.goto("/account")
    arrived(page, "Account")
    page.get_by_role("button", name=re.compile("Use this browser's zone: ")).click()
    assert field.input_value() != "Asia/Kathmandu"
    field.fill("")
    page.get_by_role("button", name="Save").click()
    expect(status).to_contain_text("Times are shown in UTC.")


def test_the_digest_says_what_came_since_the_last_visit(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "operator")
    run_sql(world, "DELETE FROM person_visit")
    page.goto("/")
    arrived(page, "Good day, Operator.")
    expect(page.get_by_text("This is your first visit.")).to_be_visible()
    run_sql(world, "DELETE FROM person_visit")
    run_sql(world, "INSERT INTO person_visit (person_id, last_seen) SELECT id, now() - interval '2 days' FROM person")
    page.reload()
    arrived(page, "Good day, Operator.")
    expect(page.get_by_role("heading", name=re.compile(r"^Since \w+day \d\d:\d\d UTC$"))).to_be_visible()
    for name, title in (("new task", "Tasks"), ("new open proposal", "Proposals"), ("decided by others", "Proposals"),
                        ("ended", "Imports")):
        link = page.locator(".wr-news a", has_text=name)
        number = int(link.inner_text().split()[0])
        link.click()
        arrived(page, title)
        expect(page.locator("tbody tr")).to_have_count(number)
        page.go_back()
        arrived(page, "Good day, Operator.")


def test_a_half_typed_reason_survives_a_lost_connection_and_a_reload(
    open_tab: OpenTab, world: World, faults: list[str]
) -> None:
    page = open_tab(world.slug, "operator")
    address = open_proposal(page)
    page.get_by_label("Reason").press_sequentially(TYPED)
    page.context.set_offline(True)
    expect(notice(page, "connection")).to_contain_text("Connection lost. Reconnecting")
    page.context.set_offline(False)
    expect(notice(page, "connection")).to_have_text("Connected again.")
    expect(page.get_by_label("Reason")).to_have_value(TYPED)
    page.reload()
    expect(page.get_by_label("Reason")).to_have_value(TYPED)
    page.goto("/tasks")
    arrived(page, "Tasks")
    page.goto(address)
    expect(page.get_by_label("Reason")).to_have_value(TYPED)
    # It is the server's too: no key was pressed since.
    page.get_by_role("button", name="Return with a question").click()
    expect(page.locator(".wr-list")).to_contain_text(TYPED)
    assert kept(page) == []
    forget_expected(faults)


def test_a_half_typed_text_is_of_its_page_and_its_session(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "operator")
    address = open_proposal(page)
    page.get_by_label("Reason").press_sequentially(TYPED)
    assert kept(page) == [TYPED]
    page.goto("/proposals?status=open")
    arrived(page, "Proposals")
    other = next(link.get_attribute("href") or "" for link in page.locator("tbody td:first-child a").all()
                 if link.get_attribute("href") != address)
    page.goto(other)
    expect(page.get_by_label("Reason")).to_have_value("")
    # Another session of the same person, in the same tab.
    sign_in(page.context, world.served, world.slug, "operator")
    page.goto(address)
    expect(page.get_by_label("Reason")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("")
    assert kept(page) == []
    page.get_by_label("Reason").press_sequentially(TYPED)
    page.get_by_role("button", name=re.compile("Signed in as")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    assert kept(page) == []


def test_a_session_that_ends_takes_half_typed_texts_along(
    open_tab: OpenTab, world: World, faults: list[str]
) -> None:
    page = open_tab(world.slug)
    caller = sign_in(page.context, world.served, world.slug, "operator")
    open_proposal(page)
    page.get_by_label("Reason").press_sequentially(TYPED)
    world.served.door.perform(caller, "sessions.end", {})
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.wait_for_load_state()
    assert kept(page) == [], "the sign-in page forgets what a page that is gone could not"
    forget_expected(faults)


def end_in(world: World, caller: Caller, seconds: int) -> None:
    """Lets the caller's session end so many seconds from now."""
    run_sql(world, "UPDATE session SET expires_at = now() + make_interval(secs => :s) WHERE token_hash = :hash",
            s=seconds, hash=sessions.token_hash(caller.token or ""))


def test_the_end_of_a_session_is_announced_and_then_comes(
    open_tab: OpenTab, world: World, faults: list[str]
) -> None:
    page = open_tab(world.slug)
    caller = sign_in(page.context, world.served, world.slug, "operator")
    end_in(world, caller, 280)
    open_proposal(page)
    told = notice(page, "session")
    expect(told).to_contain_text(re.compile("your session ends in [45] minutes"))
    expect(page.locator(".wr-notices [role=status]")).to_contain_text("Whatever you do")
    expect(told.get_by_role("link", name="Sign in again")).to_have_attribute(
        "href", re.compile(r"^/login\?then=%2Fproposals%2F"))
    expect(told.get_by_role("button")).to_have_count(0)
    assert not look(page)
    page.get_by_label("Reason").press_sequentially(TYPED)
    end_in(world, caller, 8)
    page.reload()
    expect(page.locator(".wr-notices [role=alert]")).to_contain_text("your session ends in")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/login\?then=%2Fproposals"))
    assert kept(page) == []
    forget_expected(faults)


def test_an_idle_session_can_be_kept(open_tab: OpenTab, world: World) -> None:
    world.do("settings.change", name="session.idle_minutes", number=6)
    page = open_tab(world.slug)
    caller = sign_in(page.context, world.served, world.slug, "operator")
    page.goto("/tasks")
    arrived(page, "Tasks")
    mine = {"hash": sessions.token_hash(caller.token or "")}
    run_sql(world, "UPDATE session SET last_active_at = now() - interval '62 seconds' WHERE token_hash = :hash", **mine)
    # As if five minutes and a second were left, without a minute's wait; the rest is asked of the server.
    page.evaluate("window.wrSession('later', 1e9, 301000)")
    told = notice(page, "session")
    expect(told).to_contain_text("Without activity your session ends in 5 minutes.")
    assert not look(page)
    told.get_by_role("button", name="Stay signed in").click()
    expect(told).to_have_count(0)
    expect(page.locator(".wr-notices [role=status]")).to_have_text("You stay signed in.")
    left = world.served.door.perform(caller, "me.read", {}).session
    assert (left.idle_ends_at - left.now).total_seconds() > 300
    world.do("settings.change", name="session.idle_minutes", number=0)


def test_a_setting_is_changed_with_its_difference_shown_and_changed_back(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "admin")
    page.goto("/admin/settings")
    arrived(page, "Settings")
    page.locator("input[name='signals.min_times']").fill("1,200")
    page.locator("input[name='time_zone']").fill("Europe/Berlin")
    page.get_by_role("button", name="Review changes").click()
    difference = page.get_by_role("region", name="To be changed")
    expect(difference.get_by_role("listitem")).to_have_text(
        ["Signals: min times: 5 → 1,200 times", "Time zone: UTC → Europe/Berlin IANA name"])
    assert world.do("settings.read").settings[2].number == 5, "nothing is saved before it was seen"
    assert not look(page)
    difference.get_by_role("button", name="Save 2 changes").click()
    status = page.locator("main > [role=status]").first
    expect(status).to_contain_text("2 settings changed.")
    assert kept(page) == []
    expect(page.locator("input[name='signals.min_times']")).to_have_value("1200")
    row = page.locator("#history tbody tr", has_text="Signals: min times").first
    expect(row).to_contain_text("Admin Of Comfort")
    page.get_by_label("Setting").last.select_option("signals.min_times")
    expect(page).to_have_url(re.compile(r"setting=signals\.min_times"))
    expect(page.locator("#history")).to_contain_text("1 change")
    row.get_by_role("button", name="Undo: Signals: min times back to 5").click()
    expect(status).to_contain_text("Signals: min times is 5 again.")
    expect(page.locator("#history")).to_contain_text("2 changes")
    page.locator("#history tbody a").first.click()
    expect(page.locator("pre").first).to_contain_text('"event": "setting.changed"')
    world.do("settings.change", name="time_zone", word="UTC")


def test_a_setting_that_somebody_changed_meanwhile_is_not_overwritten(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "admin")
    page.goto("/admin/settings")
    arrived(page, "Settings")
    hour = page.locator("input[name='digest.hour']")
    hour.fill("x")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_text("This is no whole number.")).to_be_visible()
    hour.fill("9")
    page.get_by_role("button", name="Review changes").click()
    world.do("settings.change", name="digest.hour", number=7)
    page.get_by_role("button", name="Save 1 change").click()
    status = page.locator("main > [role=status]").first
    expect(status).to_contain_text("Somebody changed this setting since you read it.")
    assert next(row.number for row in world.do("settings.read").settings if row.name == "digest.hour") == 7
    expect(page.locator("#history")).to_contain_text("Digest: hour")


def test_a_reviewer_reads_settings_and_changes_none(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "security_reviewer")
    page.goto("/admin/settings")
    arrived(page, "Settings")
    expect(page.get_by_role("button", name="Review changes")).to_have_count(0)
    expect(page.locator("input[name='digest.hour']")).to_be_disabled()
    assert not look(page)


@pytest.mark.parametrize("path", ["/account", "/imports", "/imports?since=2099-01-01T00:00:00Z"])
def test_the_other_pages_look_right(open_tab: OpenTab, world: World, path: str) -> None:
    page = open_tab(world.slug, "operator")
    page.goto(path)
    arrived(page, path.split("?")[0][1:].capitalize())
    assert not look(page)


# A server of its own, which is stopped and started again.


class Deployment:
    """A server on the shared data and a port of its own, whose build can be replaced by another one."""

    def __init__(self, served: Served, place: Path) -> None:
        self.served, self.port, self._folder = served, free_port(), place / "pages"
        self._log = (place / "server.log").open("w")
        self._built = frontend.build(lambda step: None, port=served.port, data_dir=PAGES)
        self._process: Any = None

    @property
    def build(self) -> str:
        """The name of the build that the pages say they are of."""
        return self._built.web_dir.name

    def url(self, slug: str, path: str) -> str:
        return f"http://{self.served.host_name(slug)}:{self.port}{path}"

    def start(self, build: str) -> None:
        """Serves the pages as a build of this name."""
        folder = self._folder / build
        shutil.copytree(self._built.web_dir, folder)
        ours, theirs = f"localhost:{self.port}".encode(), f"localhost:{self.served.port}".encode()
        for file in folder.rglob("reflex-env-*.js"):  # the port is compiled in
            file.write_bytes(file.read_bytes().replace(theirs, ours))
            file.with_name(f"{file.name}.gz").unlink()
        pages = frontend.Pages(folder, folder / "build" / "client", "", rebuilt=False)
        self._process = launch(self.served.settings.data_dir, pages, self.port, self._log)

    def stop(self) -> None:
        """Ends the server in order, as a new deployment does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(STOP_SECONDS)
        self._process = None

    def close(self) -> None:
        self.stop()
        self._log.close()


@pytest.fixture
def deployment(served: Served, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(served, tmp_path)
    yield deployment
    deployment.close()


def test_a_half_typed_reason_survives_a_new_version(
    deployment: Deployment, open_tab: OpenTab, world: World, faults: list[str]
) -> None:
    deployment.start(deployment.build)
    page = open_tab(world.slug, "operator")
    page.goto(deployment.url(world.slug, "/proposals?status=open"))
    arrived(page, "Proposals")
    page.locator("tbody td:first-child a").first.click()
    page.get_by_label("Reason").press_sequentially(TYPED)
    deployment.stop()
    expect(notice(page, "connection")).to_contain_text("Connection lost. Reconnecting")
    page.get_by_label("Reason").press_sequentially(" Since when?")
    deployment.start("another")
    expect(notice(page, "version")).to_contain_text("A new version is running.")
    expect(page.locator("#reflex-new-version-banner")).to_have_count(0)
    expect(page.get_by_label("Reason")).to_have_value(f"{TYPED} Since when?")
    notice(page, "version").get_by_role("button", name="Reload").click()
    expect(page.get_by_label("Reason")).to_have_value(f"{TYPED} Since when?")
    page.get_by_role("button", name="Return with a question").click()
    expect(page.locator(".wr-list")).to_contain_text("Since when?")
    forget_expected(faults)


def test_the_same_version_started_again_says_nothing_of_a_new_one(
    deployment: Deployment, open_tab: OpenTab, world: World, faults: list[str]
) -> None:
    deployment.start(deployment.build)
    page = open_tab(world.slug, "operator")
    page.goto(deployment.url(world.slug, "/tasks"))
    arrived(page, "Tasks")
    with page.expect_response("**/version.json") as answered:
        page.context.set_offline(True)
        expect(notice(page, "connection")).to_contain_text("Connection lost")
        page.context.set_offline(False)
        expect(notice(page, "connection")).to_have_text("Connected again.")
    assert answered.value.json() == {"build": deployment.build}
    expect(notice(page, "connection")).to_have_count(0)
    expect(notice(page, "version")).to_have_count(0)
    forget_expected(faults)
