"""Single sign-on in a browser: an admin sets it up on its page, and people come in by a real provider."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenTab, World, arrived, sign_in_by_hand
from tests.e2e.test_look import look
from tests.sso.providing import CLIENT_SECRET, RunningProvider


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    """A tenant whose sign-in these tests change."""
    return make_world("Federated", count=300, people=["admin", "operator", "security_reviewer"])


def said(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()


def at_the_provider(page: Page, account: str) -> None:
    """What a person does there."""
    expect(page.get_by_role("heading", name="Sign in at the provider")).to_be_visible()
    page.get_by_label("Account").fill(account)
    page.get_by_role("button", name="Continue").click()


def test_an_admin_sets_it_up_and_people_come_in(
    world: World, open_tab: OpenTab, provider: RunningProvider, faults: list[str]
) -> None:
    page = open_tab(world.slug, "admin")
    page.goto("/admin/sso")
    arrived(page, "Single sign-on")
    expect(page.get_by_text("Not set up", exact=True)).to_be_visible()
    expect(page.get_by_text("No group may come in yet.")).to_be_visible()
    found = look(page)
    client_id = provider.know(page.locator("code", has_text="/auth/oidc/callback").inner_text())

    page.get_by_label("Issuer").fill(provider.issuer + "/")
    page.get_by_label("Client id").fill(client_id)
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_role("button", name="Save").click()
    said(page, "Single sign-on is changed.")
    expect(page.get_by_text("One is set, and is never shown.")).to_be_visible()
    page.get_by_role("button", name="Test the provider").click()
    said(page, "Something is wrong with the provider.")
    expect(page.get_by_text("to the last slash. Its metadata")).to_be_visible()
    expect(page.get_by_label("What was found").get_by_text("It calls itself by another name")).to_be_visible()

    page.get_by_label("Issuer").fill(provider.issuer)
    page.get_by_role("button", name="Save").click()
    said(page, "The client secret was another provider's, so it is gone")
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("One is set, and is never shown.")).to_be_visible()
    page.get_by_role("button", name="Test the provider").click()
    said(page, "The provider is as it must be.")
    expect(page.get_by_label("What was found").get_by_role("listitem")).to_have_count(4)

    page.get_by_label("Group, as the provider writes it").fill("ops")
    page.get_by_label("Operators").check()
    page.get_by_label("Claims").check()
    page.get_by_role("button", name="Add or change the group").click()
    said(page, "What ops gives is changed")
    page.get_by_label("Offer single sign-on on the sign-in page").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("People sign in by it or with a password.")).to_be_visible()
    found += look(page)

    somebody = open_tab(world.slug)
    somebody.goto("/tasks?status=open")
    expect(somebody.get_by_role("heading", name="Sign in")).to_be_visible()
    found += look(somebody)
    somebody.get_by_role("link", name="Sign in with single sign-on").click()
    at_the_provider(somebody, provider.account("noor", name="Noor Haddad", groups=["ops"]))
    expect(somebody).to_have_url(re.compile(r"/tasks[?]status=open$"))
    arrived(somebody, "Tasks")
    expect(somebody.locator("main tbody tr, main li").first).to_be_visible()

    stranger = open_tab(world.slug)
    stranger.goto("/login")
    stranger.get_by_role("link", name="Sign in with single sign-on").click()
    at_the_provider(stranger, provider.account("stranger", groups=["guests"]))
    expect(stranger.get_by_text("None of your groups at the provider may sign in here.")).to_be_visible()
    found += look(stranger)
    faults[:] = [fault for fault in faults if "status of 401" not in fault]
    assert not found, "\n".join(found)


def test_passwords_are_for_admins_where_it_must_be_used(
    world: World, open_tab: OpenTab, provider: RunningProvider, faults: list[str]
) -> None:
    client_id = provider.know(f"{world.served.url(world.slug, '')}/auth/oidc/callback")
    world.do("sso.map_group", group="ops", personas=["operator"])
    world.do("sso.change", issuer=provider.issuer, client_id=client_id, client_secret=CLIENT_SECRET, enabled=True,
             passwords_for_admins_only=True)
    page = open_tab(world.slug)
    page.goto("/login")
    expect(page.get_by_text("Or with a password, for admins")).to_be_visible()
    sign_in_by_hand(page, world.served, world.slug, "operator")
    expect(page.get_by_role("alert")).to_contain_text("Passwords are for admins here")
    sign_in_by_hand(page, world.served, world.slug, "admin")
    arrived(page, "Status")
    faults[:] = [fault for fault in faults if "status of 401" not in fault]
    world.do("sso.change", issuer=provider.issuer, client_id=client_id, enabled=False)


def test_a_reviewer_reads_it_and_changes_nothing(world: World, open_tab: OpenTab) -> None:
    page = open_tab(world.slug, "security_reviewer")
    page.goto("/admin/sso")
    arrived(page, "Single sign-on")
    expect(page.get_by_text("Admins change this.")).to_be_visible()
    expect(page.get_by_label("Issuer")).to_be_disabled()
    for name in ("Save", "Test the provider", "Add or change the group", "Remove"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    found = look(page)
    assert not found, "\n".join(found)
