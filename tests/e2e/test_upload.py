"""Importing from the page: progress of sending and of counting, every ending with its account, for admins alone."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenTab, World, arrived
from tests.e2e.test_look import look
from tests.imports import as_text
from tests.serving import Served, lines
from workreef_app.services.workers.process import helping

PEOPLE = ("admin", "operator")


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    """A tenant without any import, for the tests here."""
    return make_world("Upload", count=0, people=PEOPLE)


@pytest.fixture(scope="module")
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 6,000 lines that recur, and two lines that no import counts."""
    path = tmp_path_factory.mktemp("upload") / "Bücher <b>.log"
    path.write_bytes(as_text(lines("health", "claims", 6000)) + b"no time here\n\n")
    return path


def sources(open_tab: OpenTab, world: World, who: str = "admin", width: int = 1440) -> Page:
    page = open_tab(world.slug, who, width=width)
    page.goto("/sources")
    arrived(page, "Sources")
    return page


def slow_down(page: Page, bytes_a_second: int) -> None:
    """Bounds how fast the browser sends, so that there is something to see."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second,
    })


def choose(page: Page, *files: Path, department: str = "Claims") -> None:
    page.get_by_label("Department").select_option(label=department)
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_role("button", name="Import", exact=True).click()


def card(page: Page, name: str) -> Locator:
    return page.locator(".wr-list > li").filter(has=page.get_by_role("heading", name=name, exact=True))


def told(page: Page) -> Locator:
    return page.locator("main > [role=status]").first


def test_a_log_is_sent_and_counted_with_progress_to_its_account(
    open_tab: OpenTab, world: World, log_file: Path
) -> None:
    page = sources(open_tab, world)
    found = look(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    slow_down(page, 300_000)
    choose(page, log_file)
    bar = page.get_by_role("progressbar", name=f"Sending {log_file.name}")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("^[1-9][0-9]?$"))
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^[\d.]+ KB of \d[\d.]* [KM]B, .*/s"))
    expect(told(page)).to_contain_text(f"Sending {log_file.name}.")
    found += look(page)
    expect(told(page)).to_contain_text(f"{log_file.name} has arrived.")
    expect(page).to_have_url(re.compile(r"/sources\?import=[0-9a-f-]{36}$"))
    with helping(world.served.door):
        expect(card(page, log_file.name)).to_contain_text("Finished", timeout=60_000)
    expect(told(page)).to_contain_text(f"{log_file.name}: finished. Every line is accounted for: 6,002 lines")
    account = card(page, log_file.name).locator("dl")
    assert account.inner_text().split("\n") == [
        "Lines read", "6,002", "New", "6,000", "Known before", "0", "Skipped: without a time", "1",
        "Skipped: empty", "1",
    ]
    expect(page.locator("tbody tr")).to_contain_text("6,002 read, 6,000 new")
    found += look(page)
    assert not found, "\n".join(found)
    page.reload()
    expect(card(page, log_file.name).locator("dl")).to_contain_text("6,000")
    card(page, log_file.name).get_by_role("link", name=re.compile("new task")).click()
    arrived(page, "Tasks")
    expect(page.locator("tbody tr").first).to_be_visible()


def test_sending_is_cancelled_by_the_keyboard_and_what_came_is_counted(
    open_tab: OpenTab, world: World, log_file: Path
) -> None:
    page = sources(open_tab, world, width=390)
    slow_down(page, 150_000)
    choose(page, log_file, department="Member services")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile("^[1-9][0-9]$"))
    page.get_by_role("button", name="Cancel sending").focus()
    page.keyboard.press("Enter")
    expect(told(page)).to_contain_text("was cancelled. What had arrived is counted, and shown below.")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_focused()
    with helping(world.served.door):
        expect(card(page, log_file.name)).to_contain_text("Stopped", timeout=60_000)
    expect(card(page, log_file.name)).to_contain_text("The file stopped coming before its end. What came is counted")
    expect(card(page, log_file.name).locator("dl")).to_contain_text("Lines read")


def test_what_is_refused_is_told_and_the_other_files_are_sent(
    open_tab: OpenTab, world: World, log_file: Path, tmp_path: Path, faults: list[str]
) -> None:
    page = sources(open_tab, world)
    page.get_by_label("Time zone").fill("Mars/Olympus")
    choose(page, log_file)
    said = "There is no such time zone. Time zone: use a name such as Europe/Berlin."
    expect(told(page)).to_contain_text(said)
    expect(page.locator(".wr-refusals")).to_contain_text(said)
    faults[:] = [fault for fault in faults if "status of 422" not in fault]
    page.get_by_label("Time zone").fill("Europe/Berlin")
    packed = tmp_path / "packed.log"
    packed.write_bytes(b"\x1f\x8b\x08\x00 and so on")
    choose(page, packed, log_file)
    expect(card(page, log_file.name)).to_be_visible()
    expect(page.locator(".wr-refusals")).to_have_count(0)
    with helping(world.served.door):
        expect(card(page, "packed.log")).to_contain_text("with the box “The file is gzip” ticked", timeout=60_000)
        expect(card(page, log_file.name)).to_contain_text("Finished", timeout=60_000)
    assert not look(page)


def test_an_import_is_cancelled_from_its_card(open_tab: OpenTab, world: World, log_file: Path) -> None:
    page = sources(open_tab, world)
    choose(page, log_file)
    card(page, log_file.name).get_by_role("button", name=f"Cancel the import of {log_file.name}").click()
    expect(told(page)).to_contain_text(f"{log_file.name}: ")
    with helping(world.served.door):
        expect(card(page, log_file.name)).to_contain_text("It was cancelled.")
    expect(told(page).get_by_role("link", name="Audit entry")).to_have_attribute("href", re.compile("target=import"))


def test_the_form_works_without_its_script(open_tab: OpenTab, world: World, log_file: Path) -> None:
    page = sources(open_tab, world)
    page.locator("input[type=file]").set_input_files(log_file)
    page.evaluate("document.querySelector('form.wr-upload').submit()")
    page.wait_for_url(re.compile(r"/sources\?import=[0-9a-f-]{36}$"))
    expect(card(page, log_file.name)).to_be_visible()
    with helping(world.served.door):
        expect(card(page, log_file.name)).to_contain_text("Finished", timeout=60_000)


def test_whoever_is_no_admin_reads_sources_and_imports_nothing(open_tab: OpenTab, world: World) -> None:
    page = sources(open_tab, world, "operator")
    expect(page.get_by_text("Admins import logs.")).to_be_visible()
    expect(page.locator("form.wr-upload")).to_have_count(0)
    assert not look(page)


def _last_import(served: Served, world: World, department: str) -> Any:
    found = world.do("sources.list").sources
    return next((s.last_import for s in found if s.name.endswith(department)), None)


def test_a_connection_that_breaks_on_the_wire_ends_in_an_account(
    served: Served, make_world: Callable[..., World]
) -> None:
    world = make_world("Wire", count=0, people=["admin"])
    cookie = served.sign_in(world.slug, "admin")
    (name, value), = cookie.items()
    token = served.token(cookie, world.slug)["X-CSRF-Token"]
    host = f"{served.host_name(world.slug)}:{served.port}"
    head = (
        f"PUT /upload/imports?kind=log_file&file_name=a.log&department=claims HTTP/1.1\r\nHost: {host}\r\n"
        f"Origin: http://{host}\r\nCookie: {name}={value}\r\nX-CSRF-Token: {token}\r\nContent-Length: 9000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as wire:
        wire.sendall(head.encode() + as_text(lines("health", "claims", 100)) + b'{"half a li')
    deadline = time.monotonic() + 60
    with helping(served.door):
        while True:
            run = _last_import(served, world, "Claims")
            if run is not None and run.status == "stopped":
                break
            assert time.monotonic() < deadline, run
            threading.Event().wait(0.1)
    assert (run.reason, run.lines, run.added) == ("interrupted", 100, 100)
