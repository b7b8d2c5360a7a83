"""Sign-in, sign-out, invitations, and where each persona begins."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import PASSWORD
from tests.web import Site
from workreef_app.http.session_routes import landing, local_path
from workreef_app.services.access import sessions
from workreef_app.services.browser import cookie_name, session_token
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Persona
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.settings import Environment, Settings

MakePerson = Callable[..., Caller]
EMAIL = "dana@example.com"


@pytest.fixture
def in_production(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running platform as production is configured."""
    changed = {"env": Environment.PRODUCTION, "public_url": "https://workreef.example"}
    monkeypatch.setattr(door.platform, "settings", door.platform.settings.model_copy(update=changed))


def cookie_of(response: Any) -> Morsel[str]:
    (header,) = response.headers.get_list("set-cookie")
    (morsel,) = SimpleCookie(header).values()
    return morsel


def sign_in(site: Site, tenant: Tenant, *, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> Any:
    return site.post(tenant, "/auth/login", data={"email": email, "password": password, **more})


def text_of(response: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", response.text))


#: Forgets what somebody typed before they left; the page works without it.
FORGETS = '<script src="/draft.js" data-forget defer>'


def scripts(page: str) -> list[str]:
    """Every script that a page begins."""
    return re.findall("<script[^>]*>", page)


def test_the_page_names_the_tenant_and_needs_no_script(site: Site, tenant: Tenant) -> None:
    response = site.get(tenant, "/login")
    assert response.status_code == 200
    assert tenant.info.name in text_of(response)
    assert scripts(response.text) == [FORGETS]
    for attribute in ('autocomplete="username"', 'autocomplete="current-password"', 'action="/auth/login"', '"en"'):
        assert attribute in response.text
    assert response.headers["set-cookie"].startswith("workreef_form="), "no session, and only the form's own token"


def test_right_leads_on_with_a_cookie_that_holds(site: Site, tenant: Tenant, person: MakePerson) -> None:
    person(tenant, ["operator"], email=EMAIL)
    response = sign_in(site, tenant, email=f"  {EMAIL.upper()} ")
    assert (response.status_code, response.headers["location"]) == (303, "/start")
    morsel = cookie_of(response)
    start = site.get(tenant, "/start", headers={"cookie": f"{morsel.key}={morsel.value}"})
    assert (start.status_code, start.headers["location"]) == (303, "/")


def test_wrong_is_told_the_same_whoever_it_is(
    site: Site, tenant: Tenant, person: MakePerson, door: Door, cli: Callable[[Tenant], Caller]
) -> None:
    person(tenant, ["operator"], email=EMAIL)
    door.perform(cli(tenant), "people.create", {"email": "invited@example.com", "name": "I", "personas": ["admin"]})
    wrong = [
        sign_in(site, tenant, password="not the password"), sign_in(site, tenant, email="nobody@example.com"),
        sign_in(site, tenant, email="invited@example.com"), sign_in(site, tenant, email="", password=""),
        sign_in(site, tenant, email="' OR 1=1 --"), sign_in(site, tenant, password=PASSWORD + " "),
    ]
    for response in wrong:
        assert response.status_code == 401
        assert "set-cookie" not in response.headers
        assert "Email or password is wrong." in text_of(response)
        assert PASSWORD not in response.text
    assert len({re.sub(r'value="[^"]*"', "", response.text) for response in wrong}) == 1


def test_what_was_typed_is_shown_again_as_text(site: Site, tenant: Tenant) -> None:
    response = sign_in(site, tenant, email='"><script>alert(1)</script>', then="/tasks?a=\"'<b>")
    assert scripts(response.text) == [FORGETS]
    assert "<b>" not in response.text
    assert 'name="then" value="/tasks?a=&quot;&#x27;&lt;b&gt;"' in response.text


def test_too_many_attempts_say_when_to_try_again(site: Site, tenant: Tenant) -> None:
    answers = [
        site.post(tenant, "/auth/login", data={"email": "x" * 300}, address="10.4.4.4") for _ in range(21)
    ]
    assert {answer.status_code for answer in answers[:20]} == {422}
    assert answers[20].status_code == 429
    assert int(answers[20].headers["retry-after"]) > 0
    assert "Too many requests" in text_of(answers[20])


def test_the_cookie_in_development(site: Site, tenant: Tenant, person: MakePerson) -> None:
    person(tenant, ["operator"], email=EMAIL)
    morsel = cookie_of(sign_in(site, tenant))
    assert morsel.key == "workreef_session"
    assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"]) == (True, "lax", "/", "")
    assert morsel["max-age"] == str(14 * 86400)
    assert not morsel["secure"]


@pytest.mark.usefixtures("in_production")
def test_the_cookie_in_production(site: Site, tenant: Tenant, door: Door, cli: Callable[[Tenant], Caller]) -> None:
    invited = door.perform(cli(tenant), "people.create", {"email": EMAIL, "name": "D", "personas": ["operator"]})
    morsel = cookie_of(site.post(tenant, f"/invite/{invited.invitation_token}", data={"password": PASSWORD}))
    again = cookie_of(sign_in(site, tenant))
    for cookie in (morsel, again):
        assert cookie.key == "__Host-workreef"
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    value = f"{again.key}={again.value}"
    assert site.get(tenant, "/start", headers={"cookie": value}).headers["location"] == "/"
    plain = value.replace("__Host-workreef", "workreef_session")
    assert site.get(tenant, "/start", headers={"cookie": plain}).headers["location"] == "/login?then=%2Fstart"


def test_each_sign_in_is_a_session_of_its_own(site: Site, tenant: Tenant, person: MakePerson) -> None:
    """So a value that somebody planted in the browser is never the one that is signed in."""
    person(tenant, ["operator"], email=EMAIL)
    first = cookie_of(sign_in(site, tenant))
    headers = {"cookie": f"{first.key}={first.value}"}
    again = site.post(tenant, "/auth/login", data={"email": EMAIL, "password": PASSWORD}, headers=headers)
    assert cookie_of(again).value != first.value


@pytest.mark.parametrize(("then", "location"), [
    ("/tasks?status=open", "/tasks?status=open"), ("", "/start"), ("https://evil.example", "/start"),
    ("//evil.example", "/start"), ("/\\evil.example", "/start"), ("/\t/evil.example", "/start"),
    ("javascript:alert(1)", "/start"), ("/a\r\nSet-Cookie: x=y", "/start"), ("tasks", "/start"), ("//[", "/start"),
])  # fmt: skip
def test_sign_in_leads_to_where_one_was_going_on_this_host(
    then: str, location: str, site: Site, tenant: Tenant, person: MakePerson
) -> None:
    person(tenant, ["operator"], email=EMAIL)
    assert f'value="{location}"' in site.get(tenant, "/login", params={"then": then}).text
    response = sign_in(site, tenant, then=then)
    assert (response.status_code, response.headers["location"]) == (303, location)


@given(st.one_of(
    st.text(max_size=30),
    st.from_regex(r"[/\\\t\r\n ]{0,4}(https?:)?[/\\\t]{0,4}evil\.example[/?#@:]?.{0,5}", fullmatch=True),
))  # fmt: skip
@example("/..//evil.example")
@example("/.//evil.example")
@example("/\u2028/evil.example")
def test_no_text_leads_to_another_host(then: str) -> None:
    path = local_path(then)
    assert path.startswith("/")
    assert not path.startswith("//")
    assert path in {then, "/start"}
    target = urlsplit(urljoin("https://front.workreef.example/login", path))
    assert (target.scheme, target.netloc) == ("https", "front.workreef.example")
    # Browsers take a backslash for a slash, and leave out tabs and line ends.
    assert not re.match(r"/[\t\r\n]*[/\\]", path)


def test_sign_out_ends_the_session_and_the_cookie(site: Site, tenant: Tenant, person: MakePerson) -> None:
    caller = person(tenant, ["operator"])
    other = person(tenant, ["operator"])
    response = site.post(tenant, "/auth/logout", caller)
    assert (response.status_code, response.headers["location"]) == (303, "/login?ended=1")
    morsel = cookie_of(response)
    assert (morsel.value, morsel["max-age"], morsel["path"], morsel["httponly"]) == ("", "0", "/", True)
    assert site.call(tenant, "me.read", {}, caller).status_code == 401
    assert site.call(tenant, "me.read", {}, other).status_code == 200
    assert "You have signed out." in text_of(site.get(tenant, "/login?ended=1"))
    again = site.post(tenant, "/auth/logout", caller)
    assert (again.status_code, again.headers["location"]) == (303, "/login?ended=1")
    assert site.post(tenant, "/auth/logout").status_code == 303


def test_sign_out_needs_the_own_site_and_a_post(site: Site, tenant: Tenant, person: MakePerson) -> None:
    caller = person(tenant, ["operator"])
    headers = {"origin": "https://evil.example"}
    assert site.post(tenant, "/auth/logout", caller, headers=headers).status_code == 403
    assert site.get(tenant, "/auth/logout", caller).status_code == 405
    assert site.call(tenant, "me.read", {}, caller).status_code == 200


def test_signing_a_foreign_browser_in_is_refused(site: Site, tenant: Tenant, person: MakePerson) -> None:
    """Another site cannot sign a visitor in to an account of its own."""
    person(tenant, ["operator"], email=EMAIL)
    sent = {"email": EMAIL, "password": PASSWORD}
    response = site.post(tenant, "/auth/login", data=sent, headers={"origin": "https://evil.example"})
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


@pytest.fixture
def invitation(door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller]) -> str:
    """The path of a one-time link."""
    invited = door.perform(cli(tenant), "people.create", {"email": EMAIL, "name": "Dana", "personas": ["contributor"]})
    return f"/invite/{invited.invitation_token}"


def test_an_invited_person_sets_a_password_once_and_is_signed_in(
    site: Site, tenant: Tenant, invitation: str
) -> None:
    page = site.get(tenant, invitation)
    assert page.status_code == 200
    assert f'action="{invitation}"' in page.text
    assert 'minlength="12"' in page.text
    assert tenant.info.name in text_of(page)
    short = site.post(tenant, invitation, data={"password": "short"})
    assert short.status_code == 422
    assert "Use 12 to 200 characters." in text_of(short)
    done = site.post(tenant, invitation, data={"password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/start")
    morsel = cookie_of(done)
    start = site.get(tenant, "/start", headers={"cookie": f"{morsel.key}={morsel.value}"})
    assert start.headers["location"] == "/me"
    again = site.post(tenant, invitation, data={"password": "another long password"})
    assert again.status_code == 409
    assert "This link was used, has expired, or never was." in text_of(again)
    assert "set-cookie" not in again.headers
    assert sign_in(site, tenant).status_code == 303
    assert sign_in(site, tenant, password="another long password").status_code == 401


def test_a_link_that_never_was_looks_as_a_used_one(site: Site, tenant: Tenant, invitation: str) -> None:
    site.post(tenant, invitation, data={"password": PASSWORD})
    used = site.post(tenant, invitation, data={"password": PASSWORD})
    never = site.post(tenant, "/invite/never", data={"password": PASSWORD})
    assert used.status_code == never.status_code == 409
    texts = (used.text.replace(invitation, ""), never.text.replace("/invite/never", ""))
    assert len({re.sub('name="csrf_token" value="[^"]+"', "", text) for text in texts}) == 1


def test_a_link_is_of_its_tenant_alone(site: Site, make_tenant: Callable[[], Tenant], invitation: str) -> None:
    assert site.post(make_tenant(), invitation, data={"password": PASSWORD}).status_code == 409


def test_a_link_with_markup_is_text(site: Site, tenant: Tenant) -> None:
    response = site.get(tenant, "/invite/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script" not in response.text


@pytest.mark.parametrize(("personas", "path"), [
    (["operator"], "/"), (["dept_lead"], "/"), (["change_leader"], "/"), (["admin"], "/admin/status"),
    (["security_reviewer"], "/audit"), (["contributor"], "/me"), (["contributor", "operator"], "/"),
    (["admin", "operator"], "/"), (["contributor", "security_reviewer"], "/audit"), ([], "/me"),
])  # fmt: skip
def test_where_each_persona_begins(personas: list[str], path: str) -> None:
    assert landing(frozenset(map(Persona, personas))) == path


def test_a_locked_tenant_says_so_and_lets_its_people_see_it(
    site: Site, tenant: Tenant, person: MakePerson, door: Door
) -> None:
    caller = person(tenant, ["operator", "security_reviewer"], email=EMAIL)
    (door.platform.settings.keys_dir / f"{tenant.key.reference.partition(':')[2]}.key").unlink()
    door.platform.keyring.purge(tenant.info.id)
    said = [
        site.get(tenant, "/login"), sign_in(site, tenant), site.get(tenant, "/invite/x"),
        site.post(tenant, "/invite/x", data={"password": PASSWORD}),
    ]
    for response in said:
        assert response.status_code == 423
        assert "is locked" in text_of(response)
        assert "<form" not in response.text
        assert "set-cookie" not in response.headers
    assert site.get(tenant, "/start", caller).headers["location"] == "/"
    assert site.call(tenant, "me.read", {}, caller).json()["locked"] is True
    locked = site.call(tenant, "digest.read", {}, caller)
    assert (locked.status_code, locked.json()["code"]) == (423, "locked")
    assert site.call(tenant, "audit.verify", {}, caller).json()["ok"] is True
    assert site.get(tenant, "/export/audit", caller).content.startswith(b"PK")
    assert site.post(tenant, "/auth/logout", caller).headers["location"] == "/login?ended=1"
    assert site.call(tenant, "me.read", {}, caller).status_code == 401


def test_a_download_is_an_attachment_that_no_cache_keeps(site: Site, tenant: Tenant, person: MakePerson) -> None:
    caller = person(tenant, ["admin"])
    response = site.get(tenant, "/export/audit", caller)
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"].startswith(f'attachment; filename="audit-{tenant.info.slug}-')
    assert response.headers["cache-control"] == "no-store"
    verifier = site.get(tenant, "/audit/verify.py")
    assert verifier.headers["content-disposition"] == 'attachment; filename="verify.py"'
    assert verifier.text.startswith(('"""', "#!"))


def test_the_session_cookie_is_found_among_cookies_of_other_programs(settings: Settings) -> None:
    """Others on the same domain set what the standard library's parser stops at."""
    host, secret, name = "a.localhost", settings.secret_key.get_secret_value(), cookie_name(settings)
    good = f"{name}={sessions.sign('token', host, secret)}"
    for header in (
        good, f'a={{"x": 1}}; {good}', f"{good}; b", f"=; ;;x y=z;{good}", f"{name}=planted; {good}",
        f"{good};{name}=planted",        f"{name}={sessions.sign('token', 'b.localhost', secret)}; {good}",
    ):
        assert session_token(header, host, settings) == "token", header
    for header in ("", name, f"{name}=", f"{name}=a.b", f"x{good}", good + "x", good.replace(name, name.upper())):
        assert session_token(header, host, settings) is None, header


@given(st.text(max_size=80))
def test_no_cookie_header_is_an_error(header: str) -> None:
    settings = Settings(secret_key="k" * 40, env=Environment.DEVELOPMENT)  # type: ignore[arg-type]
    assert session_token(header, "a.localhost", settings) is None
    assert session_token(f"workreef_session={header}", "a.localhost", settings) is None


def test_a_session_of_one_host_is_none_at_another_name_of_the_tenant(
    site: Site, tenant: Tenant, person: MakePerson
) -> None:
    caller = person(tenant, ["operator"])
    host = site.host(tenant)
    for name in (host, host.upper(), f"{host}:8080"):
        headers = {"cookie": site.cookie(caller), "origin": site.origin(name.lower())}
        assert site.send("POST", "/api/v1/me.read", name, headers, json={}).status_code == 200
    moved = replace(caller, host="other.localhost")
    assert site.call(tenant, "me.read", {}, moved).status_code == 401
