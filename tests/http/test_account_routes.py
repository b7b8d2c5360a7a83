"""Second factor, new passwords and sign-up by plain forms, over their real routes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyotp
import pytest

from tests.conftest import PASSWORD
from tests.web import Site
from workreef_app.services.browser import cookie_name, ticket_name
from workreef_app.services.door import Caller
from workreef_app.services.tenancy.platform import Tenant

EMAIL = "dana@example.com"
NEW = "four purple giraffes whistle"


@pytest.fixture
def dana(tenant: Tenant, person: Any) -> Caller:
    """Somebody who is signed in."""
    caller: Caller = person(tenant, ["operator"], email=EMAIL)
    return caller


def cookies_of(site: Site, response: httpx.Response) -> dict[str, str]:
    """The values of our cookies that an answer sets, by what they are for."""
    settings = site.door.platform.settings
    names = {cookie_name(settings): "session", ticket_name(settings): "ticket"}
    found = {}
    for header in response.headers.get_list("set-cookie"):
        name, _, rest = header.partition("=")
        assert "HttpOnly" in header
        assert "SameSite=lax" in header
        found[names[name]] = rest.split(";")[0].strip('"')
    return found


def secret_in(page: str) -> str:
    return re.findall(r'class="key">([A-Z2-7 ]+)<', page)[0].replace(" ", "")


def codes_in(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]+)</code>", page)


def enrol(site: Site, tenant: Tenant, caller: Caller) -> tuple[str, list[str], str]:
    """Sets a second factor up by its pages: the secret, the recovery codes, and the Cookie header that goes on."""
    page = site.get(tenant, "/auth/factor", caller)
    assert page.headers["cache-control"] == "no-store"
    assert "<svg" in page.text
    secret = secret_in(page.text)
    wrong = site.post(tenant, "/auth/factor", caller, data={"code": "000000"})
    assert wrong.status_code == 422
    assert secret_in(wrong.text) == secret, "the picture that was scanned still holds"
    done = site.post(tenant, "/auth/factor", caller, data={"code": pyotp.TOTP(secret).at(datetime.now(UTC))})
    assert done.status_code == 200
    name = cookie_name(site.door.platform.settings)
    return secret, codes_in(done.text), f"{name}={cookies_of(site, done)['session']}"


def test_signing_in_takes_the_code_and_only_then_there_is_a_session(site: Site, tenant: Tenant, dana: Caller) -> None:
    secret, codes, _ = enrol(site, tenant, dana)
    assert len(codes) == 10
    first = site.post(tenant, "/auth/login", data={"email": EMAIL, "password": PASSWORD, "then": "/tasks"})
    assert first.status_code == 200
    ticket = cookies_of(site, first)
    assert list(ticket) == ["ticket"], "no session cookie before the code"
    assert 'value="/tasks"' in first.text
    kept = f"{ticket_name(site.door.platform.settings)}={ticket['ticket']}"
    as_session = f"{cookie_name(site.door.platform.settings)}={ticket['ticket']}"
    assert site.call(tenant, "me.read", {}, headers={"cookie": as_session}).status_code == 401
    wrong = site.post(tenant, "/auth/code", headers={"cookie": kept}, data={"code": "000000", "then": "/tasks"})
    assert wrong.status_code == 422
    assert "The code is wrong, or was used already." in html.unescape(wrong.text)
    assert cookies_of(site, wrong) == {}
    code = pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=1)
    in_ = site.post(tenant, "/auth/code", headers={"cookie": kept}, data={"code": code, "then": "/tasks"})
    assert (in_.status_code, in_.headers["location"]) == (303, "/tasks")
    assert cookies_of(site, in_)["session"]
    again = site.post(tenant, "/auth/code", headers={"cookie": kept}, data={"code": code, "then": "/tasks"})
    assert again.status_code == 422, "a code is taken once"
    foreign = site.post(tenant, "/auth/code", headers={"cookie": kept},
                        data={"code": codes[0], "then": "//evil.example"})
    assert foreign.headers["location"] == "/start"


def test_a_program_gets_the_ticket_as_a_cookie_and_a_code_of_its_own(site: Site, tenant: Tenant, dana: Caller) -> None:
    secret, _, _ = enrol(site, tenant, dana)
    asked = site.call(tenant, "sessions.start", {"email": EMAIL, "password": PASSWORD})
    assert (asked.status_code, asked.json()["code"]) == (401, "code_needed")
    ticket = cookies_of(site, asked)["ticket"]
    assert ticket not in asked.text
    code = pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=1)
    done = site.call(tenant, "sessions.prove", {"ticket": ticket, "code": code})
    assert done.status_code == 200
    assert cookies_of(site, done)["session"]


@pytest.mark.parametrize("cookie", ["", "workreef_ticket=", "workreef_ticket=a.b", "workreef_ticket=%C3%28"])
def test_without_a_ticket_one_starts_again(site: Site, tenant: Tenant, cookie: str) -> None:
    headers = {"cookie": cookie} if cookie else {}
    response = site.post(tenant, "/auth/code", headers=headers, data={"code": "123456"})
    assert response.status_code == 401
    assert "Sign in once more" in response.text
    assert site.get(tenant, "/auth/code").status_code == 405


def test_recovery_codes_are_renewed_and_the_factor_taken_away(site: Site, tenant: Tenant, dana: Caller) -> None:
    _, codes, cookie = enrol(site, tenant, dana)
    page = site.get(tenant, "/auth/factor", headers={"cookie": cookie})
    assert "10 recovery codes are left" in page.text
    renewed = codes_in(site.post(tenant, "/auth/factor/codes", headers={"cookie": cookie}).text)
    assert len(renewed) == 10
    assert not set(renewed) & set(codes)
    wrong = site.post(tenant, "/auth/factor/remove", headers={"cookie": cookie}, data={"code": codes[0]})
    assert wrong.status_code == 422
    gone = site.post(tenant, "/auth/factor/remove", headers={"cookie": cookie}, data={"code": renewed[0]})
    assert (gone.status_code, gone.headers["location"]) == (303, "/account")
    assert site.post(tenant, "/auth/login", data={"email": EMAIL, "password": PASSWORD}).status_code == 303


def test_an_old_session_proves_first_and_comes_back(
    site: Site, tenant: Tenant, dana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:


    now = datetime.now(UTC) + timedelta(minutes=6)
    monkeypatch.setattr(site.door, "clock", lambda: now)
    for method, path in (("GET", "/auth/factor"), ("POST", "/auth/factor"), ("POST", "/auth/factor/codes")):
        send = site.get if method == "GET" else site.post
        page = send(tenant, path, dana)
        assert page.status_code == 403
        assert 'action="/auth/prove"' in page.text
        assert 'value="/auth/factor"' in page.text
    wrong = site.post(tenant, "/auth/prove", dana, data={"password": "not the password", "then": "/auth/factor"})
    assert wrong.status_code == 422
    right = site.post(tenant, "/auth/prove", dana, data={"password": PASSWORD, "then": "/auth/factor"})
    assert (right.status_code, right.headers["location"]) == (303, "/auth/factor")
    assert site.get(tenant, "/auth/factor", dana).status_code == 200


def test_a_password_is_changed_and_the_cookie_with_it(site: Site, tenant: Tenant, dana: Caller) -> None:
    for sent, said in (
        ({"current": "not the password", "password": NEW}, "The password is wrong."),
        ({"current": PASSWORD, "password": "short"}, "Use 12 to 200 characters."),
        ({"current": PASSWORD, "password": "password1234"}, "one of the common ones"),
    ):
        response = site.post(tenant, "/auth/password", dana, data=sent)
        assert response.status_code == 422
        assert said in html.unescape(response.text)
        assert NEW not in response.text
    done = site.post(tenant, "/auth/password", dana, data={"current": PASSWORD, "password": NEW})
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    cookie = f"{cookie_name(site.door.platform.settings)}={cookies_of(site, done)['session']}"
    assert site.call(tenant, "me.read", {}, headers={"cookie": cookie}).status_code == 200
    assert site.call(tenant, "me.read", {}, dana).status_code == 401


def test_a_forgotten_password_says_the_same_to_everybody_and_is_set_by_a_link(
    site: Site, tenant: Tenant, dana: Caller, cli: Callable[[Tenant], Caller]
) -> None:
    pages = {site.post(tenant, "/forgot", data={"email": email}).text for email in (EMAIL, "no@example.com", "x" * 90)}
    assert len(pages) == 1
    who = {"person_id": str(site.door.perform(dana, "me.read", {}).person_id)}
    path = f"/reset/{site.door.perform(cli(tenant), 'people.reset_link', who).token}"
    assert site.get(tenant, path).status_code == 200
    assert "common" in site.post(tenant, path, data={"password": "password1234"}).text
    done = site.post(tenant, path, data={"password": NEW})
    assert (done.status_code, done.headers["location"]) == (303, "/login?reset=1")
    assert "Your password is set" in site.get(tenant, "/login?reset=1").text
    assert site.post(tenant, path, data={"password": NEW}).status_code == 409
    assert site.post(tenant, "/auth/login", data={"email": EMAIL, "password": NEW}).status_code == 303


@pytest.mark.parametrize("path", ["/auth/factor", "/auth/password", "/auth/prove"])
def test_what_is_for_somebody_signed_in_leads_to_sign_in(site: Site, tenant: Tenant, path: str) -> None:
    response = site.get(tenant, path)
    assert (response.status_code, response.headers["location"].split("?")[0]) == (303, "/login")
    assert site.post(tenant, path, data={}).status_code == 401


def test_sign_up_is_at_the_platforms_own_host_alone(site: Site, tenant: Tenant) -> None:
    host = site.door.platform.settings.public_host
    form = site.send("GET", "/signup", host)
    assert form.status_code == 200
    sent = {"organisation": "North", "slug": "by-its-form", "name": "Ana", "email": "ana@north.test"}
    origin = {"origin": site.origin(host)}
    wrong = site.send("POST", "/signup", host, origin, data=sent | {"slug": "www", "email": "аna@north.test"})
    assert wrong.status_code == 422
    assert "Its address is reserved" in wrong.text
    assert "must be ascii" in wrong.text
    assert site.send("POST", "/signup", host, {"origin": "http://evil.example"}, data=sent).status_code == 403
    asked = site.send("POST", "/signup", host, origin, data=sent)
    path = re.findall(r'href="[^"]*(/signup/[A-Za-z0-9_-]+)"', asked.text)[0]
    assert site.send("GET", path, host).status_code == 200
    assert site.door.platform.slug_of("by-its-form.localhost") == "by-its-form"
    made = site.send("POST", path, host, origin)
    assert made.status_code == 200
    assert "by-its-form.localhost" in made.text
    assert site.send("POST", path, host, origin).status_code == 409
    assert site.post(tenant, "/signup", data=sent).status_code == 404
    assert site.get(tenant, "/signup").status_code == 303, "a page like any other, which is not there"
    assert site.send("GET", "/login", host).status_code == 404
