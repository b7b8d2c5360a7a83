"""Real pages in the system's Chromium, on the shared server.

A page that reports an error on its console, or breaks the content policy, fails the test that opened it.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.serving import PASSWORD, PEOPLE, Served, import_lines, lines
from workreef_app.services.door import Caller
from workreef_app.services.tenancy.tenants import create_tenant

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
#: A loaded machine is slow; nothing here waits longer than it has to.
PATIENCE = 15_000
_numbers = itertools.count(1)


class OpenTab(Protocol):
    """`open_tab(slug, who)` is a page of a new browser context, signed in as `who` unless that is empty."""

    def __call__(
        self, slug: str, who: str = "", *, width: int = 1440, context: BrowserContext | None = None
    ) -> Page: ...


class World:
    """A tenant that a test has for itself, with some of the people of every tenant and two departments."""

    def __init__(
        self, served: Served, slug: str, name: str, *, count: int = 300,
        people: Sequence[str] = ("operator", "security_reviewer"),
    ) -> None:
        self.served, self.slug, self.name = served, slug, name
        create_tenant(served.door.platform, slug=slug, name=name, demo=True)
        self.admin = served.admin(slug)
        departments = ("claims", "member-services")
        for department in departments:
            self.do("departments.create", slug=department, name=department.replace("-", " ").capitalize())
        for who, persona, mine in (person for person in PEOPLE if person[0] in people):
            invited = self.do(
                "people.create", email=served.email(slug, who), name=f"{who.replace('_', ' ').title()} Of {name}",
                personas=[persona], departments=[departments[i] for i in mine],
            )
            served.door.perform(
                served.browser(slug), "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}
            )
        if count:
            for department in departments:
                import_lines(served.door, self.admin, department, lines(slug, department, count))

    def do(self, operation: str, **payload: Any) -> Any:
        """An operation as the admin at the command line."""
        return self.served.door.perform(self.admin, operation, payload)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Module scope: while Playwright runs, no other test of the process can use asyncio."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("The browser tests need Chromium: install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def make_world(served: Served) -> Callable[..., World]:
    """Makes a tenant for the tests that need one of their own: `make_world("Name", count=300, people=["admin"])`."""

    def make(name: str, **options: Any) -> World:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        return World(served, f"{name.lower()}-{worker}-{next(_numbers)}", name, **options)

    return make


@pytest.fixture
def faults(served: Served) -> Iterator[list[str]]:
    """What pages reported on their consoles; a test removes what it expects. The rest fails it."""
    found: list[str] = []
    began = served.log.stat().st_size
    yield found
    assert not found, "\n".join([*found, *refused(served, began)])


def refused(served: Served, began: int) -> list[str]:
    """What the server has answered with an error since then, from its log: the other half of a page's complaint."""
    lines = served.log.read_bytes()[began:].decode(errors="replace").splitlines()
    return [line for line in lines if re.search(r'"status": [45]', line) or '"level": "error"' in line]


@pytest.fixture
def open_tab(chromium: Browser, served: Served, faults: list[str]) -> Iterator[OpenTab]:
    """Opens pages; all of them are closed at the test's end."""
    contexts: list[BrowserContext] = []

    def open_(
        slug: str, who: str = "", *, width: int = 1440, context: BrowserContext | None = None
    ) -> Page:
        if context is None:
            context = chromium.new_context(
                viewport={"width": width, "height": 900 if width > 800 else 844},
                base_url=served.url(slug, ""), accept_downloads=True,
            )
            context.set_default_timeout(PATIENCE)
            contexts.append(context)
        if who:
            sign_in(context, served, slug, who)
        page = context.new_page()
        page.on("console", lambda message: faults.append(f"{page.url}: {message.text}")
                if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        return page

    yield open_
    for context in contexts:
        context.close()


def sign_in(context: BrowserContext, served: Served, slug: str, who: str) -> Caller:
    """Gives a browser a new session, made beside the sign-in page."""
    caller = served.person(slug, who)
    context.add_cookies([
        {"name": name, "value": value, "url": served.url(slug)} for name, value in served.cookie(caller).items()
    ])
    return caller


def arrived(page: Page, title: str) -> None:
    """Waits until the page with this heading shows what belongs to its address."""
    expect(page.locator("main h1")).to_have_text(title)
    expect(page.locator("main .wr-skeleton")).to_have_count(0)


def sign_in_by_hand(page: Page, served: Served, slug: str, who: str) -> None:
    """Signs in as a person does, from the page that asks for it."""
    page.get_by_label("Email").fill(served.email(slug, who))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
