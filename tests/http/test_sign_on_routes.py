"""Single sign-on as a browser does it, by a real provider: what lets somebody in, and all that does not."""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.sso.providing import CLIENT_SECRET, RunningProvider, running
from tests.web import Chain, Site
from workreef_app.http.sign_on_routes import MOST_AT_ONCE, flow_cookie
from workreef_app.services.browser import cookie_name, session_token
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Invalid, NoSession, Persona
from workreef_app.services.sso import signing_on
from workreef_app.services.sso.reasons import SENTENCES, Reason
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.settings import Environment

_addresses = itertools.count(1)
MakePerson = Callable[..., Caller]
Watch = Callable[[Tenant], Chain]


@dataclass(frozen=True)
class Visit:
    """A tenant with single sign-on, and a browser of somebody who signs in by it."""

    site: Site
    tenant: Tenant
    provider: RunningProvider
    client_id: str
    admin: Caller

    def perform(self, name: str, payload: dict[str, Any]) -> Any:
        return self.site.door.perform(self.admin, name, payload)

    def change(self, **more: Any) -> Any:
        return self.perform("sso.change", {
            "issuer": self.provider.issuer, "client_id": self.client_id, "client_secret": CLIENT_SECRET,
            "enabled": True, **more,
        })

    def start(self, then: str = "") -> tuple[str, str]:
        """The question to the provider, and the flow's Cookie header."""
        response = self.site.get(self.tenant, "/auth/oidc/start" + (f"?{urlencode({'then': then})}" if then else ""))
        assert response.status_code == 303, text_of(response)
        return response.headers["location"], cookies_of(response)[flow_cookie(self.site.door.platform.settings)]

    def callback(self, address: str, cookie: str, **more: Any) -> httpx.Response:
        """The provider's answer, as the browser brings it."""
        parts = urlsplit(address)
        assert parts.hostname == self.site.host(self.tenant)
        headers = {"cookie": f"{flow_cookie(self.site.door.platform.settings)}={cookie}"} if cookie else {}
        headers |= {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        return self.site.get(self.tenant, f"{parts.path}?{parts.query}", headers=headers, **more)

    def sign_in(self, account: str = "dana", then: str = "") -> httpx.Response:
        question, cookie = self.start(then)
        return self.callback(self.provider.sign_in(question, account), cookie)

    def me(self, response: httpx.Response) -> Any:
        """What the person who was signed in reads of themselves."""
        settings = self.site.door.platform.settings
        host = self.site.host(self.tenant)
        name = cookie_name(settings)
        token = session_token(f"{name}={cookies_of(response)[name]}", host, settings)
        caller = Caller(self.tenant, "test", host=host, token=token)
        return self.site.door.perform(caller, "me.read", {})


def cookies_of(response: httpx.Response) -> dict[str, str]:
    return {
        morsel.key: morsel.value for header in response.headers.get_list("set-cookie")
        for morsel in SimpleCookie(header).values()
    }


def text_of(response: httpx.Response) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", response.text))


def changed(address: str, **fields: str | None) -> str:
    """An answer of the provider with fields put in, or left out."""
    parts = urlsplit(address)
    query = {**dict(parse_qsl(parts.query)), **fields}
    kept = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()


@pytest.fixture(scope="module")
def visit(door: Door, site: Site, provider: RunningProvider) -> Visit:
    """A tenant whose provider's group `ops` are operators of claims."""
    return _visit(door, site, provider, "signed-on")


def _visit(door: Door, site: Site, provider: RunningProvider, slug: str, **more: Any) -> Visit:
    create_tenant(door.platform, slug=slug, name="Sso Tenant")
    tenant = door.platform.tenant(slug)
    admin = Caller(tenant, "test-cli", cli_user="tester")
    client = provider.know(f"{door.platform.settings.tenant_url(slug)}/auth/oidc/callback", **more)
    visit = Visit(site, tenant, provider, client, admin)
    for department in ("claims", "billing"):
        visit.perform("departments.create", {"slug": department, "name": department.title()})
    visit.perform("sso.map_group", {"group": "ops", "personas": ["operator"], "departments": ["claims"]})
    visit.perform("sso.map_group", {"group": "leads", "personas": ["dept_lead"], "departments": ["claims", "billing"]})
    visit.change()
    return visit


@pytest.fixture(autouse=True)
def _calm(visit: Visit) -> Any:
    """Each test begins and ends with a provider that does nothing wrong, and with the settings as they were."""
    yield
    visit.provider.calm()
    visit.change()


def refused(visit: Visit, response: httpx.Response, reason: Reason, chain: Chain) -> None:
    """Nobody was signed in, the reason was said in our words and is in the audit log, and the flow is over."""
    assert response.status_code == 401, text_of(response)
    assert SENTENCES[reason] in text_of(response)
    cookies = cookies_of(response)
    assert cookies == {flow_cookie(visit.site.door.platform.settings): ""}
    (entry,) = chain.new()
    assert entry.facts["event"] == "session.refused"
    assert entry.facts["detail"]["reason"] == reason
    assert entry.facts["detail"]["method"] == "oidc"


def test_somebody_new_comes_in_as_what_their_groups_are(visit: Visit, chain: Watch) -> None:
    here = chain(visit.tenant)
    account = visit.provider.account("mira", name="Mira\nOkafor", groups=["ops", "leads", "unknown"])
    response = visit.sign_in(account, then="/tasks?status=open")
    assert (response.status_code, response.headers["location"]) == (303, "/tasks?status=open")
    me = visit.me(response)
    assert me.name == "Mira Okafor"
    assert set(me.personas) == {Persona.OPERATOR, Persona.DEPT_LEAD}
    assert set(me.departments) == {"Claims", "Billing"}
    entry = here.new()[0].facts
    assert (entry["event"], entry["actor"].partition(":")[0]) == ("session.started", "person")
    assert entry["detail"]["method"] == "oidc"
    assert (entry["detail"]["added"], entry["detail"]["linked"]) == (True, False)
    assert entry["detail"]["personas_added"] == ["dept_lead", "operator"]


def test_the_question_binds_the_answer_to_this_browser(visit: Visit) -> None:
    question, _ = visit.start()
    other, _ = visit.start()
    asked, again = (dict(parse_qsl(urlsplit(address).query)) for address in (question, other))
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) == {"openid", "email", "profile", "groups"}
    assert asked["redirect_uri"] == "http://signed-on.localhost:3999/auth/oidc/callback"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43
        assert asked[name] != again[name]


def test_the_flows_cookie_is_sealed_short_lived_and_for_this_host(
    visit: Visit, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = visit.site.get(visit.tenant, "/auth/oidc/start")
    question = dict(parse_qsl(urlsplit(response.headers["location"]).query))
    (header,) = response.headers.get_list("set-cookie")
    (morsel,) = SimpleCookie(header).values()
    assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"]) == (True, "lax", "/", "")
    assert morsel["max-age"] == "600"
    assert question["state"] not in morsel.value
    assert question["nonce"] not in morsel.value
    production = door.platform.settings.model_copy(update={"env": Environment.PRODUCTION})
    assert flow_cookie(production).startswith("__Host-")


def test_the_next_sign_in_brings_personas_and_departments_to_the_mapping(visit: Visit, chain: Watch) -> None:
    account = visit.provider.account("omar", groups=["leads"])
    elsewhere = visit.sign_in(account)
    first = visit.me(elsewhere)
    assert visit.me(visit.sign_in(account)).person_id == visit.me(elsewhere).person_id, "nothing has changed"
    visit.provider.account("omar", groups=["ops"], email="omar.new@example.com", name="Other")
    here = chain(visit.tenant)
    second = visit.me(visit.sign_in(account))
    assert (second.person_id, second.name) == (first.person_id, first.name), "known by subject, whatever the email"
    assert set(second.personas) == {Persona.OPERATOR}
    assert second.departments == ["Claims"]
    detail = here.new()[0].facts["detail"]
    assert (detail["personas_added"], detail["personas_removed"]) == (["operator"], ["dept_lead"])
    assert (detail["departments_added"], detail["departments_removed"]) == (0, 1)
    assert detail["sessions"] == 2, "those of what they were have ended"
    with pytest.raises(NoSession):
        visit.me(elsewhere)


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "EdDSA"])
def test_each_signature_on_the_list_is_taken(
    algorithm: str, door: Door, site: Site, provider: RunningProvider
) -> None:
    made = _visit(door, site, provider, f"sso-{algorithm.lower()}", id_token_signed_response_alg=algorithm)
    assert made.sign_in().status_code == 303


def test_a_token_signed_with_our_own_secret_is_refused(
    door: Door, site: Site, provider: RunningProvider, chain: Watch
) -> None:
    made = _visit(door, site, provider, "sso-hs", id_token_signed_response_alg="HS256")
    here = chain(made.tenant)
    refused(made, made.sign_in(), Reason.WRONG_ALGORITHM, here)


def test_what_is_not_in_the_token_is_asked_for_beside_it(door: Door, site: Site) -> None:
    with running(conform=True) as provider:
        made = _visit(door, site, provider, "sso-thin")
        response = made.sign_in(provider.account("thin", groups=["ops"]))
        assert response.status_code == 303, text_of(response)
        assert provider.order()["/me"] == 1


FORGED = {
    "nonce": ({"claims": {"nonce": "another"}}, Reason.WRONG_NONCE),
    "no nonce": ({"without": ["nonce"]}, Reason.WRONG_CLAIMS),
    "audience": ({"claims": {"aud": "somebody else"}}, Reason.WRONG_AUDIENCE),
    "issuer": ({"claims": {"iss": "https://evil.example"}}, Reason.WRONG_ISSUER),
    "old": ({"claims": {"exp": 1_700_000_000}}, Reason.WRONG_TIME),
    "older than the sign-in": ({"claims": {"iat": 1_700_000_000}}, Reason.WRONG_TIME),
    "no subject": ({"claims": {"sub": ""}}, Reason.WRONG_CLAIMS),
    "other access token": ({"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}, Reason.WRONG_HASH),
    "email not verified": ({"claims": {"email_verified": False}}, Reason.EMAIL_NOT_VERIFIED),
    "email verified in a word": ({"claims": {"email_verified": "true"}}, Reason.EMAIL_NOT_VERIFIED),
    "no email": ({"claims": {"email": "nobody"}}, Reason.NO_EMAIL),
    "no group": ({"claims": {"groups": ["OPS", "ops "]}}, Reason.NO_GROUP),
    "groups of no kind": ({"claims": {"groups": {"ops": 1}}}, Reason.NO_GROUP),
}


@pytest.mark.parametrize("kind", list(FORGED))
def test_a_token_that_says_something_wrong_lets_nobody_in(kind: str, visit: Visit, chain: Watch) -> None:
    forge, reason = FORGED[kind]
    question, cookie = visit.start()
    visit.provider.order(forge=forge)
    here = chain(visit.tenant)
    refused(visit, visit.callback(visit.provider.sign_in(question), cookie), reason, here)


def test_an_answer_without_its_own_browser_is_refused(visit: Visit, chain: Watch, door: Door, site: Site) -> None:
    question, cookie = visit.start()
    answer = visit.provider.sign_in(question)
    _, of_another = visit.start()
    here = chain(visit.tenant)
    refused(visit, visit.callback(answer, ""), Reason.NO_FLOW, here)
    refused(visit, visit.callback(answer, of_another), Reason.WRONG_STATE, here)
    refused(visit, visit.callback(answer, "A" + cookie[1:]), Reason.NO_FLOW, here)
    refused(visit, visit.callback(answer, "garbage"), Reason.NO_FLOW, here)
    refused(visit, visit.callback(changed(answer, state="x"), cookie), Reason.WRONG_STATE, here)
    refused(visit, visit.callback(changed(answer, state=None), cookie), Reason.WRONG_STATE, here)
    refused(visit, visit.callback(answer + "&state=x", cookie), Reason.WRONG_STATE, here)
    assert visit.callback(answer, cookie).status_code == 303, "what others tried has used nothing up"


def test_a_cookie_of_another_tenant_is_refused(
    visit: Visit, door: Door, site: Site, provider: RunningProvider, chain: Watch
) -> None:
    other = _visit(door, site, provider, "sso-other")
    _, cookie = other.start()
    answer = visit.provider.sign_in(visit.start()[0])
    here = chain(visit.tenant)
    refused(visit, visit.callback(answer, cookie), Reason.NO_FLOW, here)


def test_an_answer_is_taken_once(visit: Visit, chain: Watch) -> None:
    question, cookie = visit.start()
    answer = visit.provider.sign_in(question)
    assert visit.callback(answer, cookie).status_code == 303
    here = chain(visit.tenant)
    refused(visit, visit.callback(answer, cookie), Reason.REPLAYED, here)


def test_an_answer_that_comes_late_is_refused(
    visit: Visit, chain: Watch, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    question, cookie = visit.start()
    answer = visit.provider.sign_in(question)
    now = door.clock
    here = chain(visit.tenant)
    monkeypatch.setattr(door, "clock", lambda: now() + timedelta(minutes=10))
    refused(visit, visit.callback(answer, cookie), Reason.FLOW_EXPIRED, here)


def test_an_answer_of_another_provider_is_refused(visit: Visit, chain: Watch) -> None:
    here = chain(visit.tenant)
    for name in ("https://evil.example", None):
        question, cookie = visit.start()
        answer = changed(visit.provider.sign_in(question), iss=name)
        refused(visit, visit.callback(answer, cookie), Reason.WRONG_ISSUER, here)


def test_a_provider_that_says_no_is_not_quoted(visit: Visit, chain: Watch) -> None:
    question, cookie = visit.start()
    here = chain(visit.tenant)
    answer = visit.provider.sign_in(question, refuse=True)
    assert "error_description" in answer
    response = visit.callback(changed(answer, error_description="said by <b>the</b> provider"), cookie)
    refused(visit, response, Reason.PROVIDER_REFUSED, here)
    assert "said by" not in response.text


def test_a_code_that_is_none_is_refused(visit: Visit, chain: Watch) -> None:
    question, cookie = visit.start()
    here = chain(visit.tenant)
    answer = changed(visit.provider.sign_in(question), code="x-planted-x")
    response = visit.callback(answer, cookie)
    refused(visit, response, Reason.CODE_REFUSED, here)
    assert "x-planted-x" not in response.text


def test_a_wrong_secret_is_told_to_be_ours(visit: Visit, chain: Watch) -> None:
    visit.change(client_secret="another secret than the provider's")
    question, cookie = visit.start()
    here = chain(visit.tenant)
    refused(visit, visit.callback(visit.provider.sign_in(question), cookie), Reason.CLIENT_REFUSED, here)


@pytest.mark.parametrize(("answer", "reason"), [
    ({"path": "/token", "status": 200, "body": "<html>"}, Reason.PROVIDER_GARBLED),
    ({"path": "/token", "status": 200, "body": "[" * 5000}, Reason.PROVIDER_GARBLED),
    ({"path": "/token", "status": 200, "body": "{}"}, Reason.PROVIDER_GARBLED),
    ({"path": "/token", "status": 200, "body": '{"id_token": "a.b.c"}'}, Reason.WRONG_CLAIMS),
    ({"path": "/token", "status": 500, "body": "{}"}, Reason.PROVIDER_DOWN),
    ({"path": "/token", "status": 200, "body": " " * 600_000}, Reason.PROVIDER_DOWN),
])
def test_a_provider_that_answers_garbage(answer: dict[str, Any], reason: Reason, visit: Visit, chain: Watch) -> None:
    question, cookie = visit.start()
    address = visit.provider.sign_in(question)
    visit.provider.order(answer=answer)
    here = chain(visit.tenant)
    refused(visit, visit.callback(address, cookie), reason, here)


def test_a_provider_that_is_down_is_said_to_be(door: Door, site: Site, chain: Watch) -> None:
    with running() as provider:
        made = _visit(door, site, provider, "sso-down")
        provider.stop()
        here = chain(made.tenant)
        response = made.site.get(made.tenant, "/auth/oidc/start")
        assert response.status_code == 401
        assert SENTENCES[Reason.PROVIDER_DOWN] in text_of(response)
        assert [entry.facts["detail"]["reason"] for entry in here.new()] == [Reason.PROVIDER_DOWN]
        provider.start()
        question, cookie = made.start()
        answer = provider.sign_in(question)
        provider.stop()
        refused(made, made.callback(answer, cookie), Reason.PROVIDER_DOWN, here)
        provider.start()


def test_keys_that_were_changed_are_asked_for_once(visit: Visit) -> None:
    assert visit.sign_in().status_code == 303
    before = visit.provider.order()["/jwks"]
    assert visit.sign_in().status_code == 303
    assert visit.provider.order()["/jwks"] == before, "known keys are not asked for again"
    question, cookie = visit.start()
    visit.provider.order(rotate=["RS256"])
    assert visit.callback(visit.provider.sign_in(question), cookie).status_code == 303
    assert visit.provider.order(rotate=["RS256", "PS256", "ES256", "EdDSA"])["/jwks"] == before + 1


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "x"])
def test_it_never_leads_to_another_site(then: str, visit: Visit) -> None:
    assert visit.sign_in(then=then).headers["location"] == "/start"


def test_a_deactivated_person_stays_out(visit: Visit, chain: Watch) -> None:
    account = visit.provider.account("gone", groups=["ops"])
    person = visit.me(visit.sign_in(account)).person_id
    _set(visit, "person", "status = 'deactivated'", person)
    here = chain(visit.tenant)
    refused(visit, visit.sign_in(account), Reason.DEACTIVATED, here)


def _set(visit: Visit, table: str, change: str, row_id: Any) -> None:
    from sqlalchemy import text

    from tests.web import AUDITOR

    with visit.site.door.platform.unit_of_work(visit.tenant, AUDITOR) as session:
        session.execute(text(f"UPDATE {table} SET {change} WHERE id = :id"), {"id": row_id})


def test_an_account_with_a_password_is_never_taken_over(visit: Visit, chain: Watch, person: MakePerson) -> None:
    person(visit.tenant, ["admin"], email="Vera@example.com")
    account = visit.provider.account("vera", groups=["ops"])
    here = chain(visit.tenant)
    refused(visit, visit.sign_in(account), Reason.NOT_LINKED, here)
    visit.change(link_by_email=True)
    here.new()
    refused(visit, visit.sign_in(account), Reason.HAS_PASSWORD, here)


def test_an_admin_hands_an_account_with_a_password_over(visit: Visit, person: MakePerson) -> None:
    theirs = person(visit.tenant, ["operator", "change_leader"], email="Ines@example.com")
    account = visit.provider.account("ines", groups=["ops"])
    with pytest.raises(Conflict, match="off, or links nobody"):
        visit.perform("sso.hand_over", {"email": "ines@example.com"})
    visit.change(link_by_email=True)
    handed = visit.perform("sso.hand_over", {"email": "ines@example.com"})
    login = {"email": "ines@example.com", "password": PASSWORD}
    assert visit.site.post(visit.tenant, "/auth/login", data=login).status_code == 401
    me = visit.me(visit.sign_in(account))
    assert me.person_id == handed.person_id
    assert me.personas == [Persona.OPERATOR], "and they are what their groups make them"
    with pytest.raises(NoSession):
        visit.site.door.perform(theirs, "me.read", {})
    with pytest.raises(Conflict, match="no password"):
        visit.perform("sso.hand_over", {"email": "ines@example.com"})
    with pytest.raises(Invalid, match="no such person"):
        visit.perform("sso.hand_over", {"email": "nobody@example.com"})


def test_an_invited_person_is_linked_where_that_is_allowed(visit: Visit, person: MakePerson) -> None:
    person(visit.tenant, ["admin"])  # or the one who comes would be the last, and stay one
    invited = visit.perform("people.create", {
        "email": "lee@example.com", "name": "Lee Invited", "personas": ["admin"],
    })
    account = visit.provider.account("lee", groups=["ops"])
    assert visit.sign_in(account).status_code == 401
    visit.change(link_by_email=True)
    me = visit.me(visit.sign_in(account))
    assert (me.person_id, me.name, set(me.personas)) == (invited.person_id, "Lee Invited", {Persona.OPERATOR})
    late = visit.site.post(
        visit.tenant, f"/invite/{invited.invitation_token}", data={"password": PASSWORD}
    )
    assert late.status_code == 409, "the link that they were sent sets no password any more"


def test_an_email_that_the_provider_gives_to_another_opens_nothing(visit: Visit, chain: Watch) -> None:
    visit.sign_in(visit.provider.account("kim", groups=["ops"]))
    visit.change(link_by_email=True)
    here = chain(visit.tenant)
    again = visit.provider.account("kim2", email="kim@example.com", groups=["ops"])
    refused(visit, visit.sign_in(again), Reason.OTHER_ACCOUNT, here)


def test_only_emails_of_the_domains_on_the_list(visit: Visit, chain: Watch) -> None:
    visit.change(domains=["Acme.example", "example.com"])
    assert visit.sign_in().status_code == 303
    here = chain(visit.tenant)
    refused(visit, visit.sign_in(visit.provider.account("a", email="a@b.example.com")), Reason.WRONG_DOMAIN, here)


def test_while_it_is_off_nobody_comes_in(visit: Visit, chain: Watch) -> None:
    question, cookie = visit.start()
    answer = visit.provider.sign_in(question)
    visit.change(enabled=False)
    here = chain(visit.tenant)
    refused(visit, visit.callback(answer, cookie), Reason.NOT_ENABLED, here)
    assert "single sign-on" not in text_of(visit.site.get(visit.tenant, "/login"))
    assert visit.site.get(visit.tenant, "/auth/oidc/start").status_code == 401


def test_the_sign_in_page_offers_it(visit: Visit) -> None:
    page = visit.site.get(visit.tenant, "/login?then=/tasks%3Fa%3D1%26b")
    assert 'href="/auth/oidc/start?then=%2Ftasks%3Fa%3D1%26b"' in page.text


def test_passwords_can_be_for_admins_alone(visit: Visit, person: MakePerson) -> None:
    person(visit.tenant, ["admin"], email="root@example.com")
    person(visit.tenant, ["operator"], email="ann@example.com")
    invited = visit.perform("people.create", {"email": "inv@example.com", "name": "I", "personas": ["operator"]})
    visit.change(passwords_for_admins_only=True)

    def sign_in(email: str, password: str = PASSWORD) -> httpx.Response:
        return visit.site.post(visit.tenant, "/auth/login", data={"email": email, "password": password})

    assert sign_in("root@example.com").status_code == 303
    no = [sign_in("ann@example.com"), sign_in("ann@example.com", "wrong password"), sign_in("nobody@example.com")]
    assert {response.status_code for response in no} == {401}
    assert len({re.sub(r'value="[^"]*"', "", response.text) for response in no}) == 1, "which it was is not told"
    assert "Passwords are for admins here" in text_of(no[0])
    link = f"/invite/{invited.invitation_token}"
    assert visit.site.post(visit.tenant, link, data={"password": PASSWORD}).status_code == 401
    visit.change()
    assert sign_in("ann@example.com").status_code == 303
    assert visit.site.post(visit.tenant, link, data={"password": PASSWORD}).status_code == 303


def test_too_many_from_one_address_are_refused(visit: Visit) -> None:
    answers = [visit.site.get(visit.tenant, "/auth/oidc/start", address="10.5.5.5") for _ in range(21)]
    assert {answer.status_code for answer in answers[:20]} == {303}
    assert answers[20].status_code == 429
    assert int(answers[20].headers["retry-after"]) > 0


def test_a_slow_provider_holds_up_its_own_tenant_alone(
    visit: Visit, door: Door, site: Site, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = _visit(door, site, provider, "sso-quick")
    go_on, waiting, real = threading.Event(), threading.Semaphore(0), signing_on.begin

    def slow(perform: Any, place: Any, *rest: Any, **more: Any) -> Any:
        if place.tenant_id == visit.tenant.info.id:
            waiting.release()
            assert go_on.wait(60)
        return real(perform, place, *rest, **more)

    monkeypatch.setattr(signing_on, "begin", slow)

    async def go() -> None:
        held = [asyncio.create_task(_begun(site, visit.tenant)) for _ in range(MOST_AT_ONCE)]
        for _ in held:
            assert await asyncio.to_thread(waiting.acquire, timeout=60)
        refused = await _begun(site, visit.tenant)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert (await _begun(site, other.tenant)).status_code == 303
        go_on.set()
        assert [response.status_code for response in await asyncio.gather(*held)] == [303] * MOST_AT_ONCE
        assert (await _begun(site, visit.tenant)).status_code == 303

    site._loop.run_until_complete(go())


async def _begun(site: Site, tenant: Tenant) -> httpx.Response:
    """The start of a sign-in, beside others in one loop."""
    transport = httpx.ASGITransport(site.app, client=(f"10.3.3.{next(_addresses)}", 4000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{site.host(tenant)}") as http:
        return await http.get("/auth/oidc/start")


def test_no_transaction_is_open_while_the_provider_is_asked(
    visit: Visit, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workreef_app.services.sso import provider as module

    used, real = [], module.call

    def call(*arguments: Any, **more: Any) -> Any:
        used.append([engine.pool.checkedout() for engine in _engines(door)])
        return real(*arguments, **more)

    monkeypatch.setattr(module, "call", call)
    module._metadata._found.clear()
    module._keys._found.clear()
    assert visit.sign_in().status_code == 303
    assert visit.perform("sso.test", {}).ok
    assert len(used) >= 5
    assert not any(any(counts) for counts in used)


def _engines(door: Door) -> list[Any]:
    return list(door.platform.engines._engines.values())


def test_a_locked_tenant_says_so(visit: Visit, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from workreef_app.services.vault.errors import KeyUnavailable

    real = door.platform.keyring.cipher

    def no_key(key: Any) -> Any:
        if key.tenant_id == visit.tenant.info.id:
            raise KeyUnavailable("gone")
        return real(key)

    monkeypatch.setattr(door.platform.keyring, "cipher", no_key)
    found = visit.site.get(visit.tenant, "/auth/oidc/start")
    assert found.status_code == 423
    assert "is locked" in text_of(found)
    monkeypatch.undo()
