"""A write with a session's cookie shows that it comes from one of our pages; a form before a session does so too."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.web import Chain, Site
from workreef_app.http import csrf, exempt
from workreef_app.services.access import csrf as tokens
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import REGISTRY
from workreef_app.services.tenancy.platform import Tenant

FORM = {"content-type": "application/x-www-form-urlencoded"}
MAKE = {"slug": "yard", "name": "Yard"}


@pytest.fixture(scope="module")
def _place() -> dict[str, Any]:
    return {}


@pytest.fixture
def admin(make_tenant: Callable[..., Tenant], person: Callable[..., Caller], _place: dict[str, Any]) -> Caller:
    """An admin of one tenant for all tests here, signed in."""
    if not _place:
        _place["admin"] = person(make_tenant(), ["admin"], email="ann@example.com")
    admin: Caller = _place["admin"]
    return admin


@pytest.fixture
def token(door: Door, admin: Caller) -> str:
    """What the admin's pages send."""
    got: str = door.perform(admin, "me.read", {}).csrf_token
    return got


def send(site: Site, caller: Caller, path: str, given: str = "", **request: Any) -> Any:
    """A POST of the caller's browser at our own page's address, with this token alone."""
    host = site.host(caller.tenant)
    headers = {"origin": site.origin(host), "cookie": site.cookie(caller), "x-csrf-token": given}
    return site.send("POST", path, host, headers | request.pop("headers", {}), **request)


def test_the_token_is_of_this_session_and_host_alone(admin: Caller, door: Door, token: str) -> None:
    secret = door.platform.settings.secret_key.get_secret_value()
    assert token == tokens.of_session(token_hash(admin.token or ""), admin.host, secret)
    assert token != tokens.of_session(token_hash(admin.token or ""), "elsewhere.localhost", secret)
    assert token != tokens.of_session(token_hash("another"), admin.host, secret)
    assert token != tokens.of_session(token_hash(admin.token or ""), admin.host, "x" * 32)


def test_whoever_has_a_session_is_given_it_and_nobody_else(site: Site, admin: Caller, token: str) -> None:
    found = site.get(admin.tenant, "/auth/csrf", admin)
    assert (found.json(), found.headers["cache-control"]) == ({"csrf_token": token}, "no-store")
    nobody = site.get(admin.tenant, "/auth/csrf")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "no_session")
    foreign = site.get(admin.tenant, "/auth/csrf", admin, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_no_operation_is_done_with_a_cookie_and_without_the_token(
    name: str, site: Site, admin: Caller, chain: Callable[[Tenant], Chain]
) -> None:
    here = chain(admin.tenant)
    for body in ({"json": {}}, {"data": {"a": "b"}}, {"files": {"a": (None, "b")}}, {"content": b""}):
        for given in ("", "x"):
            response = send(site, admin, f"/api/v1/{name}", given, **body)
            assert (response.status_code, response.json()["code"]) == (403, "csrf"), (body, given)
    assert here.new() == []
    assert not any(field == csrf.FIELD for field in REGISTRY[name].command.model_fields)


@pytest.mark.parametrize("how", ["htmx", "plain form", "multipart form", "json"])
def test_each_way_of_a_page_to_write_is_taken(how: str, site: Site, admin: Caller, token: str) -> None:
    fields = MAKE | {"slug": how.replace(" ", "-")}
    more: dict[str, Any] = {
        # htmx sends a form's fields, and what `hx-headers` says.
        "htmx": {"data": fields, "headers": {"hx-request": "true"}, "given": token},
        "plain form": {"data": fields | {"csrf_token": token}},
        "multipart form": {"files": {name: (None, value) for name, value in (fields | {"csrf_token": token}).items()}},
        "json": {"json": fields, "given": token},
    }[how]
    response = send(site, admin, "/api/v1/departments.create", **more)
    assert response.status_code == 200, response.text
    assert response.json()["slug"] == fields["slug"]


def test_a_list_is_a_repeated_field(site: Site, admin: Caller, token: str) -> None:
    body = f"csrf_token={token}&email=carol@example.com&name=Carol&personas=operator&personas=contributor"
    response = send(site, admin, "/api/v1/people.create", content=body, headers=FORM)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("body", [
    "csrf_token={token}&csrf_token={token}&slug=a&name=A", "csrf_token=&slug=a&name=A", "slug=a&name={token}",
])
def test_a_form_holds_the_token_once(body: str, site: Site, admin: Caller, token: str) -> None:
    response = send(site, admin, "/api/v1/departments.create", content=body.format(token=token), headers=FORM)
    assert (response.status_code, response.json()["code"]) == (403, "csrf")


def test_a_header_counts_before_a_field(site: Site, admin: Caller, token: str) -> None:
    body = MAKE | {"csrf_token": token}
    assert send(site, admin, "/api/v1/departments.create", "wrong", data=body).status_code == 403


def test_a_form_that_is_too_large_is_refused_while_its_token_is_looked_for(site: Site, admin: Caller) -> None:
    async def endless() -> Any:
        for _ in range(20):
            yield b"a" * 100_000

    host = site.host(admin.tenant)
    headers = {"origin": site.origin(host), "cookie": site.cookie(admin), "x-csrf-token": "", **FORM}
    response = site.send("POST", "/api/v1/departments.create", host, headers, content=endless())
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("content", [b"--x\r\nbroken", b"", b"--x--"])
def test_a_broken_form_has_no_token(content: bytes, site: Site, admin: Caller) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert send(site, admin, "/api/v1/departments.create", content=content, headers=headers).status_code == 403


def test_another_sessions_token_is_of_no_use(site: Site, door: Door, admin: Caller, token: str) -> None:
    again = door.perform(
        replace(admin, token=None), "sessions.start", {"email": "ann@example.com", "password": PASSWORD}
    )
    other = replace(admin, token=again.token)
    assert door.perform(other, "me.read", {}).csrf_token != token
    assert send(site, other, "/api/v1/departments.create", token, json=MAKE).status_code == 403


def test_signing_out_and_uploading_need_it_too(site: Site, admin: Caller, token: str) -> None:
    page = send(site, admin, "/auth/logout")
    assert page.status_code == 403
    assert "Load the page again" in page.text
    host = site.host(admin.tenant)
    headers = {"origin": site.origin(host), "cookie": site.cookie(admin), "x-csrf-token": ""}
    put = site.send("PUT", "/upload/imports?kind=log_file&file_name=a.log", host, headers, content=b"x")
    assert (put.status_code, put.json()["code"]) == (403, "csrf")
    files = {"kind": (None, "log_file"), "file": ("a.log", b"2026-11-01 10:00:00 a\n")}
    assert send(site, admin, "/upload/form", files=files).status_code == 403
    assert send(site, admin, "/upload/form", files={"csrf_token": (None, "x"), **files}).status_code == 403
    assert send(site, admin, "/upload/form", files={"csrf_token": (None, token), **files}).status_code == 303
    assert send(site, admin, "/upload/form", token, files=files).status_code in {303, 409}
    assert send(site, admin, "/auth/logout", data={"csrf_token": token}).headers["location"] == "/login?ended=1"


def _opened(site: Site, tenant: Tenant, path: str = "/login") -> tuple[str, str]:
    """The cookie and the field of a form that a browser without a session has opened."""
    page = site.get(tenant, path)
    (field,) = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)
    cookie = page.headers["set-cookie"].split(";")[0]
    assert {part.strip().lower() for part in page.headers["set-cookie"].split(";")[1:]} >= {
        "httponly", "samesite=strict", "path=/",
    }
    return cookie, field


def _sign_in(site: Site, tenant: Tenant, cookie: str, field: str, host: str = "") -> Any:
    name = host or site.host(tenant)
    headers = {"origin": site.origin(name), "cookie": cookie, "x-csrf-token": ""}
    sent = {"email": "ann@example.com", "password": PASSWORD, "csrf_token": field}
    return site.send("POST", "/auth/login", name, headers, data=sent)


def test_the_sign_in_form_carries_a_token_of_its_own(site: Site, admin: Caller) -> None:
    cookie, field = _opened(site, admin.tenant)
    other, _ = _opened(site, admin.tenant)
    cut = (f"workreef_form={field[:-1]}", field[:-1])
    for wrong in (("", field), (cookie, ""), (other, field), (cookie, "x"), cut):
        refused = _sign_in(site, admin.tenant, *wrong)
        assert refused.status_code == 403, wrong
        assert "set-cookie" not in refused.headers
    good = _sign_in(site, admin.tenant, cookie, field)
    assert good.status_code == 303
    assert "workreef_session" in good.headers["set-cookie"]


def test_a_second_tab_of_the_form_takes_the_first_ones_token(site: Site, admin: Caller) -> None:
    cookie, field = _opened(site, admin.tenant)
    again = site.get(admin.tenant, "/login", headers={"cookie": cookie})
    assert f'value="{field}"' in again.text


def test_a_forms_token_ends_and_is_of_one_host(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = door.platform.settings.secret_key.get_secret_value()
    made = tokens.new_form("a.localhost", secret)
    assert tokens.form_holds(made, "a.localhost", secret)
    assert not tokens.form_holds(made, "b.localhost", secret)
    assert not tokens.form_holds("", "a.localhost", secret)
    assert not tokens.form_holds("é", "a.localhost", secret)
    monkeypatch.setattr(tokens, "FORM_SECONDS", -1)
    assert not tokens.form_holds(made, "a.localhost", secret)


def test_the_invitation_form_carries_one_too(site: Site, admin: Caller) -> None:
    cookie, field = _opened(site, admin.tenant, "/invite/none")
    host = site.host(admin.tenant)
    headers = {"origin": site.origin(host), "cookie": cookie, "x-csrf-token": ""}
    without = site.send("POST", "/invite/none", host, headers, data={"password": PASSWORD})
    assert without.status_code == 403
    given = site.send("POST", "/invite/none", host, headers, data={"password": PASSWORD, "csrf_token": field})
    assert given.status_code == 409, "the form is ours; the link is not"


def test_what_is_exempt_is_this_list_and_says_what_it_checks() -> None:
    assert [exemption.path for exemption in exempt.EXEMPT] == ["/auth/oidc/callback"]
    assert all("state" in exemption.instead for exemption in exempt.EXEMPT)


def test_an_exempt_path_needs_neither_origin_nor_token_and_nothing_beside_it_is_exempt(
    site: Site, admin: Caller
) -> None:
    host, cookie = site.host(admin.tenant), site.cookie(admin)
    foreign = {"origin": "https://provider.example", "cookie": cookie, "x-csrf-token": ""}
    assert site.send("POST", "/auth/oidc/callback", host, foreign).status_code not in {403}
    for path in ("/auth/oidc/callback/", "/auth/oidc", "/auth/oidc/callback/more"):
        assert site.send("POST", path, host, foreign).status_code == 403
