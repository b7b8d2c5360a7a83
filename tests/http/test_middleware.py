"""What stands before everything: hosts, proxies, origins, sizes, headers, failures, and a log without content."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from tests.conftest import PASSWORD
from tests.web import POLICY, Site
from workreef_app.http import bounds, logs
from workreef_app.http.bounds import BODY_LIMIT, UPLOAD_LIMIT, limit_of
from workreef_app.http.middleware import CLOSED, PERMISSIONS, shown_path
from workreef_app.services.door import Caller, Door
from workreef_app.services.tenancy.errors import Busy, SchemaNotCurrent
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.settings import Environment

MakePerson = Callable[..., Caller]
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Place:
    """A tenant and somebody signed in there."""

    site: Site
    tenant: Tenant
    operator: Caller

    @property
    def host(self) -> str:
        return self.site.host(self.tenant)


@pytest.fixture(scope="module")
def place(site: Site, door: Door) -> Place:
    """One tenant for all tests here, none of which leaves anything behind."""
    create_tenant(door.platform, slug="front", name="Front & Sons")
    tenant = door.platform.tenant("front")
    admin = Caller(tenant, "test", cli_user="tester")
    invited = door.perform(admin, "people.create", {"email": "o@example.com", "name": "O", "personas": ["operator"]})
    host = site.host(tenant)
    granted = door.perform(
        Caller(tenant, "test", host=host, address="10.5.0.1"), "invitations.accept",
        {"token": invited.invitation_token, "password": PASSWORD},
    )
    return Place(site, tenant, Caller(tenant, "test", host=host, address="10.5.0.1", token=granted.token))


@pytest.fixture
def configured(door: Door, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes settings of the running platform for one test."""

    def change(**values: Any) -> None:
        monkeypatch.setattr(door.platform, "settings", door.platform.settings.model_copy(update=values))

    return change


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"status", "code", "detail", "request_id", "fields"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def hosts(place: Place) -> dict[str, str]:
    return {
        "a tenant": place.host, "with a port": f"{place.host}:8443", "in capitals": place.host.upper(),
        "mixed": "FrOnT.LocalHost:3999",
    }


def test_a_tenant_is_found_by_its_host_in_any_case_and_at_any_port(place: Place) -> None:
    for kind, host in hosts(place).items():
        response = place.site.send("GET", "/login", host)
        assert response.status_code == 200, kind
        assert "Front &amp; Sons" in response.text


@pytest.mark.parametrize("host", [
    "nobody.localhost", "localhost.", "front.localhost.", "a.front.localhost", "front.localhost.evil.example",
    "evil.example", ".localhost", "127.0.0.1", "127.0.0.1:3999", "[::1]", "[::1]:3999", "[front.localhost]",
    "front.localhost:80:90", "front%2elocalhost", "front.localhost@evil.example", "FRONT", "",
])  # fmt: skip
def test_an_unknown_host_gets_a_page_or_a_problem_that_says_so(host: str, place: Place) -> None:
    page = place.site.send("GET", "/login", host, [("host", host)])
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "No organisation is at this address" in page.text
    problem_of(place.site.send("POST", "/api/v1/me.read", host, [("host", host)]), 404, "unknown_host")


def test_two_host_headers_are_no_host(place: Place) -> None:
    other = "nobody.localhost"
    for pair in ([place.host, place.host], [place.host, other], [other, place.host]):
        response = place.site.send("GET", "/login", "", [("host", host) for host in pair])
        assert response.status_code == 404


def test_the_platforms_own_host_shows_where_to_go_and_nothing_else(place: Place) -> None:
    for path, status in (("/", 200), ("/login", 404), ("/api/v1/me.read", 404), ("/start", 404), ("/audit", 404)):
        response = place.site.send("GET", path, "localhost:3999")
        assert response.status_code == status
        assert "your organisation's own address" in response.text.replace("&#x27;", "'")
    for path in ("/healthz", "/readyz"):
        assert place.site.send("GET", path, "localhost").status_code == 200


def test_forwarded_headers_count_only_from_a_trusted_proxy(place: Place, configured: Callable[..., None]) -> None:
    forwarded = {"x-forwarded-host": place.host, "x-forwarded-for": "203.0.113.7"}
    assert place.site.send("GET", "/login", "nobody.localhost", forwarded, address="10.1.1.1").status_code == 404
    assert place.site.send(
        "GET", "/login", place.host, {"x-forwarded-host": "nobody.localhost"}, address="10.1.1.1"
    ).status_code == 200
    configured(trusted_proxies="10.1.1.1")
    assert place.site.send("GET", "/login", "internal", forwarded, address="10.1.1.1").status_code == 200
    assert place.site.send("GET", "/login", "internal", forwarded, address="10.1.1.2").status_code == 404
    chosen = {"x-forwarded-host": f"{place.host}, nobody.localhost"}
    assert place.site.send("GET", "/login", "internal", chosen, address="10.1.1.1").status_code == 404


def test_limits_see_the_address_that_the_last_trusted_proxy_saw(
    place: Place, configured: Callable[..., None]
) -> None:
    """A client cannot choose the address that it is limited by."""
    configured(trusted_proxies="10.1.1.1,10.1.1.2")
    sent = {"refused": "for what it holds, after it was counted"}

    def attempt(chain: str) -> int:
        headers = {"x-forwarded-for": chain, "origin": place.site.origin(place.host)}
        return place.site.send(
            "POST", "/api/v1/sessions.start", place.host, headers, json=sent, address="10.1.1.1"
        ).status_code

    answers = {attempt(f"198.51.100.{n}, 203.0.113.9, 10.1.1.2") for n in range(20)}
    assert answers == {422}
    assert attempt("198.51.100.99, 203.0.113.9, 10.1.1.2") == 429
    assert attempt("203.0.113.10") == 422


@pytest.mark.parametrize(("site_is", "mode", "path", "status"), [
    ("same-origin", "navigate", "/export/audit", 403), ("none", "navigate", "/export/audit", 403),
    ("same-origin", "cors", "/api/v1/openapi.json", 200), ("none", "cors", "/api/v1/openapi.json", 200),
    ("cross-site", "navigate", "/export/audit", "origin"), ("same-site", "navigate", "/export/audit", "origin"),
    ("cross-site", "no-cors", "/export/audit", "origin"), ("cross-site", "navigate", "/api/v1/openapi.json", "origin"),
    ("same-site", "cors", "/api/v1/openapi.json", "origin"), ("cross-site", "navigate", "/start", 303),
    ("same-site", "navigate", "/start", 303), ("cross-site", "no-cors", "/start", "origin"),
    ("same-site", "cors", "/start", "origin"), ("cross-site", "websocket", "/start", "origin"),
])  # fmt: skip
def test_reads_from_other_sites_are_refused_but_following_a_link_is_not(
    site_is: str, mode: str, path: str, status: int | str, place: Place
) -> None:
    """The operator may not export: 403 by persona shows that the request came through."""
    headers = {"sec-fetch-site": site_is, "sec-fetch-mode": mode}
    response = place.site.get(place.tenant, path, place.operator, headers=headers)
    if status == "origin":
        assert problem_of(response, 403, "wrong_origin")["detail"] == "This request comes from another site."
    else:
        assert response.status_code == status
        assert "another site" not in response.text


@pytest.mark.parametrize("path", ["/api/v1/sessions.start", "/auth/login", "/invite/x"])
def test_a_body_over_the_limit_is_answered_413(path: str, place: Place) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    headers = JSON if path.startswith("/api/") else form

    async def chunks() -> Any:
        for _ in range(3):
            yield b"a" * (BODY_LIMIT // 2)

    for body in (b"a" * (BODY_LIMIT + 1), chunks()):
        response = place.site.post(place.tenant, path, content=body, headers=headers)
        assert response.status_code == 413
        if path.startswith("/api/"):
            problem_of(response, 413, "too_large")
        else:
            assert response.headers["content-type"].startswith("text/html")
        assert "larger than this address takes" in response.text


def test_a_body_at_the_limit_is_read(place: Place) -> None:
    body = json.dumps({"email": "a", "password": "b"}).ljust(BODY_LIMIT).encode()
    assert place.site.post(place.tenant, "/api/v1/sessions.start", content=body, headers=JSON).status_code == 401


SECURITY = {
    "content-security-policy": POLICY, "referrer-policy": "same-origin", "x-content-type-options": "nosniff",
    "x-frame-options": "DENY", "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin", "permissions-policy": PERMISSIONS,
}


def test_every_answer_has_the_security_headers(place: Place) -> None:
    site, tenant, foreign = place.site, place.tenant, {"origin": "https://evil.example"}
    answers = [
        site.get(tenant, "/login"), site.get(tenant, "/start", place.operator), site.get(tenant, "/tasks"),
        site.get(tenant, "/healthz"), site.get(tenant, "/nothing.css"), site.get(tenant, "/api/v1/nothing"),
        site.send("GET", "/", "localhost"), site.send("GET", "/", "nobody.localhost"), site.get(tenant, "/ping"),
        site.call(tenant, "me.read", {}), site.call(tenant, "me.read", {}, place.operator, headers=foreign),
        site.call(tenant, "me.read", {"a": 1}, place.operator), site.send("OPTIONS", "/login", place.host),
        site.post(tenant, "/auth/login", content=b"a" * (BODY_LIMIT + 1)),
        site.get(tenant, "/auth/login"), site.send("TRACE", "/login", place.host),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        names = [name.lower() for name, _ in answer.headers.multi_items()]
        assert len(names) == len(set(names)), "a header is sent twice"
        assert {name: answer.headers[name] for name in SECURITY} == SECURITY
        assert "strict-transport-security" not in answer.headers
        assert not any(name.startswith("access-control") for name in names)


def test_production_asks_for_tls_alone(place: Place, configured: Callable[..., None]) -> None:
    configured(env=Environment.PRODUCTION)
    for path in ("/login", "/healthz", "/nothing"):
        assert "max-age=63072000" in place.site.get(place.tenant, path).headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/login", "/api/v1/me.read", "/export/audit", "/tasks"])
def test_options_allow_a_foreign_page_nothing(path: str, place: Place) -> None:
    for origin in ("https://evil.example", place.site.origin(place.host)):
        cookie = place.site.cookie(place.operator)
        headers = {"origin": origin, "access-control-request-method": "POST", "cookie": cookie}
        response = place.site.send("OPTIONS", path, place.host, headers)
        assert response.status_code in {403, 404, 405}
        assert not any(name.startswith("access-control") for name in response.headers)


@pytest.mark.parametrize(
    "path", ["/ping", "/_health", "/_upload", "/_upload/x", "/_all_routes", "/auth-codespace", "/ping/"]
)
def test_built_in_endpoints_of_the_page_framework_are_closed(path: str, place: Place) -> None:
    assert CLOSED.fullmatch(path)
    for method in ("GET", "POST"):
        headers = {"cookie": place.site.cookie(place.operator), "origin": place.site.origin(place.host)}
        assert place.site.send(method, path, place.host, headers).status_code == 404


@pytest.mark.parametrize(("asked", "then"), [
    ("/", ""), ("/tasks", "/tasks"), ("/tasks?status=open&after=1~2", "/tasks?status=open&after=1~2"),
    ("/proposals/0191?x=%26%3D", "/proposals/0191?x=%26%3D"), ("/audit", "/audit"), ("/export/audit", "/export/audit"),
    ("//evil.example/x", "//evil.example/x"), ("/%0d%0aSet-Cookie:%20a=b", "/\r\nSet-Cookie: a=b"),
])  # fmt: skip
def test_a_page_without_a_session_leads_to_sign_in_and_back(asked: str, then: str, place: Place) -> None:
    for caller in (None, Caller(place.tenant, "test", host=place.host, token="unknown")):
        headers = {"cookie": place.site.cookie(caller)} if caller else {}
        response = place.site.send("GET", f"http://{place.host}{asked}", place.host, headers)
        assert response.status_code == 303
        location = response.headers["location"]
        assert location == "/login" if not then else response.next_request is not None
        assert location.startswith("/login")
        assert "\r" not in location
        assert "\n" not in location
        assert "set-cookie" not in response.headers
        if then:
            assert response.next_request is not None
            assert response.next_request.url.params["then"] == then


def test_programs_without_a_session_are_told_and_not_led(place: Place) -> None:
    problem_of(place.site.send("POST", "/api/v1/me.read", place.host), 401, "no_session")
    problem_of(place.site.send("GET", "/api/v1/me.read", place.host), 404, "not_found")
    problem_of(place.site.get(place.tenant, "/api/other"), 404, "not_found")


@pytest.mark.parametrize(("body", "said"), [
    (b"{", "JSON"), (b"\xff\xfe", "JSON"), (b"[]", "object"), (b'"text"', "object"), (b"null", "object"),
    (b"1", "object"), (b'{"a":' * 40 + b"1" + b"}" * 40, "nested"), (b"[" * 100_000, "JSON"),
    (b'{"a":' * 20_000, "JSON"),
    (b'{"email": "\\ud800", "password": "x"}', "valid text"), (b'{"\\udc00": 1}', "valid text"),
    (b'{"email": "a", "email": "b", "password": "x"}', "twice"), (b'{"email": 1e999, "password": "x"}', "email"),
    (b'{"email": "a\\u0000", "password": "x"}', "email"), (b'{"email": "a"}', "password"), (b"", "email, password"),
    (b'{"email": NaN, "password": "x"}', "email"), (b'{"email": ' + b"9" * 5000 + b"}", "JSON"),
])  # fmt: skip
def test_a_body_that_is_not_as_expected_is_422(body: bytes, said: str, place: Place) -> None:
    response = place.site.post(place.tenant, "/api/v1/sessions.start", content=body, headers=JSON)
    assert said in problem_of(response, 422, "invalid")["detail"]


@pytest.mark.parametrize(("body", "fields"), [
    (b"email=a&email=b&password=x", {"email"}), (b"email=a&password=x&password=y", {"password"}),
    (b"email=a%00&password=x", {"email"}), (b"email=a&password=x&more=1", {"more"}), (b"", {"email", "password"}),
    (b"email=a&password=x&more=1&more=2", {"more"}),
])  # fmt: skip
def test_a_form_names_the_field_at_fault(body: bytes, fields: set[str], place: Place) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = place.site.post(place.tenant, "/api/v1/sessions.start", content=body, headers=headers)
    assert set(problem_of(response, 422, "invalid")["fields"]) == fields


def test_a_forms_bytes_that_are_no_text_and_files_are_no_error_of_ours(place: Place) -> None:
    site, path = place.site, "/api/v1/sessions.start"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert site.post(place.tenant, path, content=b"email=%ff%ed%a0%80&password=x", headers=form).status_code == 401
    files = {"email": ("a.txt", b"a"), "password": (None, "x")}
    assert site.post(place.tenant, path, files=files).json()["fields"] == {"email": "is a file"}
    broken = {"content-type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n\xff\xfe\r\n--b--\r\n'
    for body in (b"--b\r\nbroken", part):
        assert 400 <= site.post(place.tenant, path, content=body, headers=broken).status_code < 500
    for path in ("/auth/login", "/invite/x"):
        assert 400 <= site.post(place.tenant, path, content=b"--b\r\nx", headers=broken).status_code < 500


def _raise(error: Exception) -> Callable[..., Any]:
    @contextmanager
    def failing(*_: Any, **__: Any) -> Iterator[None]:
        raise error
        yield

    return failing


SECRET_TEXT = "SELECT secret FROM person WHERE name = 'Ada'"
UNAVAILABLE = {
    "busy": (Busy("internal words"), "Too many requests are waiting"),
    "no connection": (NoConnection(SECRET_TEXT), "Too many requests are waiting"),
    "old schema": (SchemaNotCurrent("schema 0001 needs 0002"), "brought up to date"),
    "database": (OperationalError(SECRET_TEXT, {}, Exception("10.0.0.5 refused")), "The database does not answer"),
    "driver": (InterfaceError(SECRET_TEXT, {}, Exception("10.0.0.5 refused")), "The database does not answer"),
}


def _clean(response: Any) -> None:
    for word in ("Traceback", "SELECT", "Ada", "10.0.0.5", "schema 0001", "internal words", "Error"):
        assert word not in response.text
    # A form is shown again with the sentence in it; everything else tells the request's number.
    assert (response.headers["x-request-id"] in response.text) != ("<form" in response.text)
    assert {name: response.headers[name] for name in SECURITY} == SECURITY


@pytest.mark.parametrize("kind", sorted(UNAVAILABLE))
def test_what_passes_is_503_with_a_sentence(
    kind: str, place: Place, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, sentence = UNAVAILABLE[kind]
    monkeypatch.setattr(door.platform, "unit_of_work", _raise(error))
    site = place.site
    answers = [
        site.call(place.tenant, "me.read", {}, place.operator),
        site.call(place.tenant, "sessions.start", {"email": "a", "password": "b"}),
    ]
    for answer in answers:
        assert sentence in problem_of(answer, 503, "unavailable")["detail"]
    pages = [
        site.get(place.tenant, "/tasks", place.operator), site.get(place.tenant, "/start", place.operator),
        site.post(place.tenant, "/auth/login", data={"email": "a", "password": "b"}),
        site.post(place.tenant, "/auth/logout", place.operator),
        site.post(place.tenant, "/invite/x", data={"password": PASSWORD}),
        site.get(place.tenant, "/export/audit", place.operator),
    ]
    for page in pages:
        assert page.status_code == 503
        assert sentence in page.text
        assert page.headers["content-type"].startswith("text/html")
    for response in [*answers, *pages]:
        assert response.headers["retry-after"] == "5"
        _clean(response)


def test_a_control_plane_that_is_down_is_503_and_not_ready(
    place: Place, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real refusal of a real connection, at the first thing that a request needs."""
    gone = create_engine("postgresql+psycopg://nobody:x@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    monkeypatch.setattr(door.platform, "control", gone)
    monkeypatch.setattr(door.platform, "_found", {})
    _clean(place.site.get(place.tenant, "/login"))
    assert place.site.get(place.tenant, "/login").status_code == 503
    problem_of(place.site.call(place.tenant, "me.read", {}, place.operator), 503, "unavailable")
    ready = place.site.get(place.tenant, "/readyz")
    assert ready.status_code == 503
    since = ready.json().pop("since")
    assert ready.json() == {"ready": False, "database": "does not answer", "since": since}
    assert datetime.fromisoformat(since) == door.outage.since.replace(microsecond=0)
    assert place.site.get(place.tenant, "/healthz").status_code == 200


def test_a_platform_key_that_does_not_answer_is_503(
    place: Place, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise KeyUnavailable("local:platform cannot be read")

    monkeypatch.setattr(door.platform, "platform_cipher", gone)
    monkeypatch.setattr(door.platform, "_found", {})
    response = place.site.get(place.tenant, "/login")
    assert response.status_code == 503
    assert "local:platform" not in response.text


def test_ready_and_healthy(place: Place) -> None:
    for host in (place.host, "localhost", "nobody.localhost", "127.0.0.1:3999", ""):
        assert place.site.send("GET", "/healthz", host).text == "ok\n"
        ready = place.site.send("GET", "/readyz", host)
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "database": "answers"})


def _json_log(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(logs.JsonLines().format(record) for record in caplog.records)


@pytest.mark.parametrize("where", ["in the door", "before it"])
def test_the_unforeseen_is_500_with_a_request_id_and_no_internals(
    where: str, place: Place, door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(SECRET_TEXT)

    monkeypatch.setattr(door, "perform" if where == "in the door" else "actor", fail)
    with caplog.at_level(logging.INFO):
        answer = place.site.call(place.tenant, "me.read", {}, place.operator)
        page = place.site.get(place.tenant, "/start", place.operator)
    problem_of(answer, 500, "failed")
    assert page.status_code == 500
    assert "Nothing was changed" in page.text
    _clean(answer)
    _clean(page)
    log = _json_log(caplog)
    assert "Ada" not in log
    assert "secret" not in log
    for response in (answer, page):
        lines = [json.loads(line) for line in log.splitlines() if response.headers["x-request-id"] in line]
        failed = [line for line in lines if line["message"] == "failed"]
        assert [line["error"] for line in failed] == ["RuntimeError"]
        assert any("test_middleware.py" in spot for spot in failed[0]["where"])


def test_doing_the_same_at_the_same_moment_is_a_conflict(
    place: Place, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    raced = IntegrityError(SECRET_TEXT, {}, UniqueViolation())
    monkeypatch.setattr(door, "_run", lambda *_: (_ for _ in ()).throw(raced))
    response = place.site.call(place.tenant, "me.read", {}, place.operator)
    problem_of(response, 409, "conflict")
    assert "Ada" not in response.text


def test_tokens_bodies_and_queries_are_never_in_the_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    site, token, word = place.site, "tok3n-of-an-invitation", "pl4nted-word"
    cookie = site.cookie(place.operator)
    with caplog.at_level(logging.DEBUG):
        site.get(place.tenant, f"/invite/{token}")
        site.post(place.tenant, f"/invite/{token}", data={"password": word})
        site.get(place.tenant, f"/invite/{token}/more")
        site.post(place.tenant, "/auth/login", data={"email": f"{word}@example.com", "password": word})
        site.call(place.tenant, "sessions.start", {"email": word, "password": word, word: word})
        site.get(place.tenant, f"/tasks?after={word}")
        site.call(place.tenant, "me.read", {word: word}, place.operator)
        site.send("GET", "/login", f"{word}.localhost")
        site.get(place.tenant, "/start", place.operator, headers={"referer": f"https://x/{word}", "user-agent": word})
    records = [record for record in caplog.records if record.name.startswith("workreef")]
    log = "\n".join(logs.JsonLines().format(record) for record in records)
    assert len(records) >= 9
    assert '"path": "/invite/…"' in log
    for secret in (token, word, cookie, place.operator.token or "", PASSWORD):
        assert secret not in log
    line = json.loads(log.splitlines()[-1])
    assert line["tenant"] == "front"
    assert line["status"] == 303
    assert line["method"] == "GET"
    assert line["request"]


def test_a_path_in_the_log_is_bounded_and_one_line() -> None:
    assert shown_path("/invite/a/b\nc") == "/invite/…"
    assert [shown_path(f"/{link}/secret") for link in ("reset", "signup")] == ["/reset/…", "/signup/…"]
    assert len(shown_path("/" + "x" * 10_000)) == 200
    record = logging.LogRecord("workreef.access", logging.INFO, "f", 1, "request", (), None)
    record.path = "/a\n{\"level\": \"fake\"}"
    assert "\n" not in logs.JsonLines().format(record)


@pytest.mark.parametrize(
    "path", ["/tasks%0d%0aX-Planted:%201", "/tasks?a=%0d%0aX-Planted:%201", "/%0d%0aSet-Cookie:x=y"]
)
def test_no_address_adds_a_header_to_the_redirect_to_sign_in(path: str, place: Place) -> None:
    response = place.site.get(place.tenant, path)
    assert response.status_code == 303
    assert "x-planted" not in response.headers
    assert "set-cookie" not in response.headers
    assert response.headers["location"].startswith("/login?then=%2F")
    assert not set("\r\n") & set(response.headers["location"])


def test_security_txt_names_the_contact_on_every_host(place: Place, configured: Callable[..., None]) -> None:
    for host in (place.host, "localhost"):
        assert place.site.send("GET", "/.well-known/security.txt", host).status_code == 404
    configured(security_contact="mailto:security@workreef.example")
    for host in (place.host, "localhost"):
        found = place.site.send("GET", "/.well-known/security.txt", host)
        assert found.headers["content-type"].startswith("text/plain")
        lines = dict(line.split(": ", 1) for line in found.text.splitlines())
        assert lines["Contact"] == "mailto:security@workreef.example"
        assert datetime.fromisoformat(lines["Expires"]) > datetime.now(UTC)


@pytest.mark.parametrize(("path", "limit"), [
    ("/api/v1/tasks.list", 1 << 20), ("/auth/login", 1 << 20), ("/v1/chat/completions", 8 << 20),
    ("/v10", 1 << 20), ("/upload/imports", UPLOAD_LIMIT), ("/upload/form", UPLOAD_LIMIT), ("/upload/more", 1 << 20),
])
def test_what_an_address_takes_is_bounded(path: str, limit: int) -> None:
    assert limit_of(path) == limit


def test_what_is_larger_than_a_model_call_may_be_is_refused_before_it_is_read(place: Place) -> None:
    headers = {"authorization": "Bearer wrk_x", "content-length": str((8 << 20) + 1)}
    response = place.site.send("POST", "/v1/chat/completions", place.host, headers, content=b"")
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_an_address_that_sends_too_much_is_told_when_to_try_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, files and operations count together, and another address is not held up."""
    monkeypatch.setattr(bounds, "ADDRESS", "3/minute")
    for path in ("/login", "/favicon.svg", "/nowhere.txt"):
        assert place.site.send("GET", path, place.host, address="10.77.0.1").status_code != 429
    page = place.site.send("GET", "/login", place.host, address="10.77.0.1")
    assert (page.status_code, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert 0 < int(page.headers["retry-after"]) <= 60
    told = place.site.send("POST", "/api/v1/me.read", place.host, JSON, address="10.77.0.1", content=b"{}")
    assert (told.status_code, told.json()["code"]) == (429, "limited")
    assert place.site.send("GET", "/login", place.host, address="10.77.0.2").status_code == 200
    assert place.site.send("GET", "/healthz", place.host, address="10.77.0.1").status_code == 200
