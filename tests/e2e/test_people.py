"""People, sessions and second factors in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pyotp
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.e2e.conftest import OpenTab, World, arrived, sign_in_by_hand
from tests.e2e.test_look import look
from tests.serving import PASSWORD, Served
from tests.web import AUDITOR

NEW_PASSWORD = "four purple giraffes whistle"


def code_of(page: Page, ahead: int = 0) -> str:
    """The code of the key that the page shows, `ahead` steps from now."""
    key = page.locator(".key").inner_text().replace(" ", "")
    return pyotp.TOTP(key).at(datetime.now(UTC), counter_offset=ahead)


def test_an_open_page_of_a_revoked_session_is_blank_within_a_second(
    open_tab: OpenTab, served: Served, make_world: Callable[..., World]
) -> None:
    world = make_world("Ending", count=20)
    page = open_tab(world.slug, "operator")
    page.goto("/")
    expect(page.locator("main h1")).to_contain_text("Good day")
    me = world.do("people.list").rows[0]
    # Another process ends it: this one, at its own door.
    world.do("people.end_sessions", person_id=str(me.id))
    expect(page.locator(".wr-frame")).to_have_count(0, timeout=1000)
    expect(page.locator("main h1")).to_have_text("Sign in")


def test_people_are_invited_changed_and_deactivated_by_an_admin(
    open_tab: OpenTab, served: Served, make_world: Callable[..., World], faults: list[str]
) -> None:
    world = make_world("Joining", count=0, people=["admin"])
    page = open_tab(world.slug, "admin")
    page.goto("/admin/people")
    arrived(page, "People")
    form = page.get_by_role("form", name="Invite somebody")
    form.get_by_label("Name").fill("Rui Costa")
    form.get_by_label("Email").fill("rui@joining.example")
    form.get_by_label("Operator").check()
    form.get_by_label("Claims").check()
    form.get_by_role("button", name="Invite").click()
    expect(page.locator(".wr-told")).to_contain_text("Rui Costa is invited.")
    link = page.locator("code.wr-hash-full").inner_text()
    assert link.startswith(served.url(world.slug, "/invite/"))
    found = look(page)

    rui = open_tab(world.slug)
    rui.goto(link)
    rui.get_by_label("Password").fill(NEW_PASSWORD)
    rui.get_by_role("button", name="Set password and sign in").click()
    expect(rui.locator("main h1")).to_contain_text("Good day, Rui")

    page.goto("/admin/people")
    page.get_by_role("link", name="Rui Costa").click()
    arrived(page, "Rui Costa")
    found += look(page)
    form = page.get_by_role("form", name="Deactivate")
    form.get_by_label("Type the word").fill("deactivate")
    form.get_by_role("button", name="Deactivate").click()
    expect(page.locator(".wr-told")).to_contain_text("Deactivated. 1 session ended.")
    rui.wait_for_url(re.compile("/login"), timeout=5000)
    assert not found, "\n".join(found)


def test_what_is_dangerous_asks_again_who_it_is(
    open_tab: OpenTab, served: Served, make_world: Callable[..., World]
) -> None:
    world = make_world("Asking", count=0, people=["admin", "operator"])
    page = open_tab(world.slug, "admin")
    rows = {row.email.split("@")[0]: row for row in world.do("people.list").rows}
    page.goto(f"/admin/people/{rows['operator'].id}")
    arrived(page, rows["operator"].name)
    _age_session(served, world, rows["admin"].id)
    page.get_by_role("button", name="Link for a new password").click()
    proof = page.get_by_role("form", name="Is it you?")
    expect(proof).to_be_visible()
    assert not look(page)
    proof.get_by_label("Password").fill("not the password")
    proof.get_by_role("button", name="It is me").click()
    expect(page.locator(".wr-told")).to_contain_text("The password is wrong.")
    proof.get_by_label("Password").fill(PASSWORD)
    proof.get_by_role("button", name="It is me").click()
    expect(page.locator(".wr-told")).to_contain_text("Now do it again.")
    expect(page.locator("code.wr-hash-full")).to_have_count(0)
    page.get_by_role("button", name="Link for a new password").click()
    expect(page.locator("code.wr-hash-full")).to_contain_text("/reset/")


def _age_session(served: Served, world: World, person_id: UUID) -> None:
    """Has it be six minutes ago that the person proved who they are."""
    with served.door.platform.unit_of_work(served.door.platform.tenant(world.slug), AUDITOR) as session:
        session.execute(
            text("UPDATE session SET authenticated_at = now() - interval '6 minutes' WHERE person_id = :id"),
            {"id": person_id},
        )


def test_a_second_factor_is_set_up_and_asked_for(
    open_tab: OpenTab, served: Served, make_world: Callable[..., World], faults: list[str]
) -> None:
    world = make_world("Doubly", count=0, people=["operator"])
    page = open_tab(world.slug, "operator")
    page.goto("/account")
    arrived(page, "Account")
    found = look(page)
    page.get_by_role("link", name="Set one up").click()
    expect(page.locator("main h1")).to_have_text("Set up a second factor")
    expect(page.locator(".qr svg")).to_be_visible()
    found += look(page)
    secret = page.locator(".key").inner_text().replace(" ", "")
    page.get_by_label("First code").fill(code_of(page))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    found += look(page)
    spare = page.locator(".codes code").first.inner_text()
    page.goto("/account")
    expect(page.get_by_text("On. 10 recovery codes left.")).to_be_visible()

    other = open_tab(world.slug)
    other.goto("/login")
    sign_in_by_hand(other, served, world.slug, "operator")
    expect(other.locator("main h1")).to_have_text("Second factor")
    found += look(other)
    field = other.get_by_label("Code of your authenticator, or a recovery code")
    field.fill("000000")
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("alert")).to_have_text("The code is wrong, or was used already.")
    field.fill(pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=1))
    other.get_by_role("button", name="Sign in").click()
    expect(other.locator("main h1")).to_contain_text("Good day")

    third = open_tab(world.slug)
    third.goto("/login")
    sign_in_by_hand(third, served, world.slug, "operator")
    third.get_by_label("Code of your authenticator, or a recovery code").fill(spare)
    third.get_by_role("button", name="Sign in").click()
    expect(third.locator("main h1")).to_contain_text("Good day")
    third.goto("/auth/factor")
    expect(third.locator("main h1")).to_have_text("Second factor")
    found += look(third)
    assert all("status of 4" in fault for fault in faults), faults
    faults.clear()
    assert not found, "\n".join(found)


def test_a_password_is_changed_and_other_browsers_are_signed_out(
    open_tab: OpenTab, served: Served, make_world: Callable[..., World]
) -> None:
    world = make_world("Changing", count=0, people=["operator"])
    page, other = open_tab(world.slug, "operator"), open_tab(world.slug, "operator")
    other.goto("/account")
    arrived(other, "Account")
    page.goto("/auth/password")
    found = look(page)
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    arrived(page, "Account")
    other.wait_for_url(re.compile("/login"), timeout=5000)
    expect(page.get_by_text("This browser", exact=True)).to_be_visible()
    assert not found, "\n".join(found)


def test_an_organisation_signs_up(open_tab: OpenTab, served: Served, faults: list[str]) -> None:
    page = open_tab("health")
    home = served.url("health", "/").replace("health.", "")
    page.goto(home)
    page.get_by_role("link", name="Sign up").click()
    found = look(page)
    page.get_by_label("Name of your organisation").fill("Northwind Traders")
    page.get_by_label("Its address").fill("www")
    page.get_by_label("Your name").fill("Ana Reis")
    page.get_by_label("Your email").fill("ana@northwind.example")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_contain_text("reserved")
    slug = f"northwind-{datetime.now(UTC):%H%M%S%f}"
    page.get_by_label("Its address").fill(slug)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("link", name="Go on with your sign-up").click()
    expect(page.locator("main h1")).to_have_text("Make your organisation")
    found += look(page)
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("link", name="Set your password").click()
    page.get_by_label("Password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.locator("main h1")).to_have_text("Status")
    assert page.url.startswith(served.url(slug))
    page.goto(served.url("health", "/forgot"))
    found += look(page)
    page.get_by_label("Email").fill("nobody@health.example")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.locator("main h1")).to_have_text("Ask an admin")
    assert all("status of 422" in fault for fault in faults), faults
    faults.clear()
    assert not found, "\n".join(found)
