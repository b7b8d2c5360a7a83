"""The event socket of a real server: who may open it, and what a call of any handler gets."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from reflex_base.registry import RegistrationContext
from sqlalchemy import text

from tests.registry.examples import raw_lines
from tests.serving import PASSWORD, Served, environment, free_port, import_lines, launch
from tests.sockets.tab import ROOT, SHELL, Message, Tab, event, handler, leaving, refused
from tests.web import AUDITOR, end_session, forged
from workreef_app.http import frontend
from workreef_app.services.access import sessions
from workreef_app.services.browser import cookie_name
from workreef_app.services.operation import Persona

BOOT = event(ROOT + "hydrate_and_load", {"vars": {}, "hashes": {}})
DIGEST = handler("work", "digest_state", "load")
SHELL_LOAD = handler("shell", "shell_state", "load")
#: What only some may see, as it would look in a message.
WORK = re.compile(r"disk full|nightly export|queue backlog|certificate for|session opened|patient record")
AUDIT = re.compile(r'"chain_hash[^"]*": "[0-9a-f]{64}"')
SETTINGS = re.compile(r"Minutes without activity")
MY_WORK = re.compile(r"Nothing about how you work has changed")
MAY_SEE = {
    "operator": {WORK, AUDIT}, "dept_lead": {WORK, AUDIT}, "change_leader": {WORK, AUDIT},
    "contributor": {MY_WORK, AUDIT},
    "admin": {WORK, AUDIT, SETTINGS}, "security_reviewer": {AUDIT, SETTINGS},
}


@cache
def handlers() -> tuple[str, ...]:
    """Every handler that the application registers, ours and Reflex's own."""
    import workreef_app.workreef_app  # noqa: F401 - registers them; takes a second

    return tuple(sorted(RegistrationContext.get().event_handlers))


@pytest.fixture(scope="module")
def health(served: Served) -> Served:
    """The server, with its handlers known."""
    assert len(handlers()) > 20
    return served


def _words(messages: list[Message]) -> str:
    return json.dumps(messages, ensure_ascii=False)


def test_the_own_page_gets_its_state(health: Served) -> None:
    """The positive case, without which the others would prove nothing."""
    with Tab(health, "health", health.sign_in("health", "operator")).join(BOOT) as tab:
        seen = tab.until(lambda message: WORK.search(_words([message])) is not None)
        assert SHELL in _words(seen)


def _foreign_origins(served: Served) -> list[str | None]:
    host = f"{served.host_name('health')}:{served.port}"
    return [
        None, "null", "https://evil.example", f"https://{host}", f"http://{served.host_name('harbor')}:{served.port}",
        f"http://localhost:{served.port}", f"http://{served.host_name('health')}", f"http://{host}.evil.example",
        f"http://{host}/", f"http://evil.example@{host}", "file://",
    ]


def test_a_socket_from_another_origin_or_without_one_is_refused(health: Served) -> None:
    cookie = health.sign_in("health", "operator")
    assert refused(health, "health", cookie, origin="") == 101
    for origin in _foreign_origins(health):
        assert refused(health, "health", cookie, origin=origin) == 403, origin


def test_a_stolen_client_token_without_the_cookie_is_refused(health: Served) -> None:
    cookie = health.sign_in("health", "operator")
    name = cookie_name(health.settings)
    with Tab(health, "health", cookie).join(BOOT) as tab:
        tab.settled()
        for other in (None, {}, {name: ""}, {name: "a.b"}, {name: forged(cookie[name])}, {"other": cookie[name]}):
            assert refused(health, "health", other, origin="", token=tab.token) == 403


def test_a_stolen_client_token_with_another_session_is_refused(health: Served) -> None:
    """Also one of the same person: a tab belongs to one session while it is open."""
    owner = Tab(health, "health", health.sign_in("health", "operator")).join(BOOT)
    owner.settled()
    for who in ("contributor", "admin", "operator"):
        assert refused(health, "health", health.sign_in("health", who), origin="", token=owner.token) == 403
    other = health.sign_in("health", "contributor")
    assert refused(health, "health", other, origin="", token="mine", query=f"&token={owner.token}") == 403
    written = f"{owner.token[:-1]}%{ord(owner.token[-1]):02x}"
    assert refused(health, "health", other, origin="", token=written) == 403
    owner.close()


def test_a_closed_tabs_token_opens_nothing_of_it(health: Served) -> None:
    with Tab(health, "health", health.sign_in("health", "operator")).join(BOOT) as tab:
        tab.until(lambda message: WORK.search(_words([message])) is not None)
        token = tab.token
    cookie = health.sign_in("health", "contributor")
    _wait_until(lambda: refused(health, "health", cookie, origin="", token=token) == 101)
    with Tab(health, "health", cookie, token=token).join(event(ROOT + "hydrate")) as tab:
        tab.settled()
        assert not WORK.search(_words(tab.seen))


def test_a_tab_that_closes_while_its_first_event_is_looked_at_is_forgotten_too(health: Served) -> None:
    own, other = health.sign_in("health", "operator"), health.sign_in("health", "contributor")
    tokens = []
    for _ in range(12):
        with Tab(health, "health", own).join(BOOT) as tab:
            tokens.append(tab.token)
    for token in tokens:
        _wait_until(lambda token=token: refused(health, "health", other, origin="", token=token) == 101)


def test_another_tenants_host_refuses_this_tenants_cookie(health: Served) -> None:
    here, there = health.person("health", "operator"), health.person("harbor", "operator")
    name, secret = cookie_name(health.settings), health.settings.secret_key.get_secret_value()
    moved = {name: sessions.sign(here.token or "", there.host, secret)}
    for cookie in (health.cookie(here), moved):
        assert refused(health, "harbor", cookie, origin="") == 403
    assert refused(health, "nobody", health.cookie(here), origin="") == 403
    assert refused(health, "harbor", health.cookie(there), origin="") == 101


def test_a_session_that_ended_opens_no_socket(health: Served) -> None:
    for expire in (True, False):
        caller = health.person("health", "operator")
        end_session(health.door, caller, expire=expire)
        assert refused(health, "health", health.cookie(caller), origin="") == 403


@pytest.mark.parametrize("path", ["/_event", "/_event/", "/_event/?EIO=4&transport=polling"])
def test_the_socket_has_no_way_in_over_plain_requests(path: str, health: Served) -> None:
    own = {**health.host("health"), "Origin": f"http://{health.host('health')['Host']}"}
    cookie = health.sign_in("health", "operator")
    assert httpx.get(health.base + path, headers=health.host("health"), follow_redirects=False).status_code != 200
    for method in ("GET", "POST"):
        answer = httpx.request(method, health.base + path, headers=own, cookies=cookie)
        assert answer.status_code >= 400
        assert "sid" not in answer.text


def _things(served: Served, department: str) -> tuple[Any, list[str]]:
    """A new task of a department, and the pages about it and about an audit entry."""
    word, admin = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:12]), served.admin("health")
    import_lines(served.door, admin, department, raw_lines(word))
    rows = served.door.perform(admin, "tasks.list", {"department": department, "limit": 200}).rows
    row = next(row for row in rows if word in row.title)
    return row, ["/", "/audit/1", f"/tasks/{row.task_id}", f"/proposals/{row.proposal_id}", f"/tasks/{uuid4()}"]


#: Arguments by which a handler of ours does what it can.
ARGUMENTS: dict[str, Message] = {
    "decide": {"choice": "accept"}, "set_reason": {"value": "because"}, "search": {"form": {"event": "data.read"}},
    "choose_department": {"slug": "claims"}, "choose": {"path": "/tasks", "name": "status", "value": "open"},
    "review": {"form": {"digest.hour": "x"}}, "undo": {"change_id": "none"}, "choose_history": {"name": ""},
    "save_zone": {"form": {"time_zone": ""}},
}
ALL_CALLS = {"setvar": {"var_name": "personas", "value": ["admin"]}, **ARGUMENTS}


@pytest.mark.parametrize("who", ["contributor", "security_reviewer", "admin", "operator", "dept_lead", "change_leader"])
def test_every_handler_gives_a_persona_only_what_is_its_own(who: str, health: Served) -> None:
    row, paths = _things(health, "claims")
    with Tab(health, "health", health.sign_in("health", who)).join() as tab:
        for path in paths:
            for name in handlers():
                tab.send(name, ALL_CALLS.get(name.rsplit(".", 1)[1]), path)
                if leaving(tab.settled(path)[-1]):
                    pytest.fail(f"{name} ended the tab of a session that holds")
        words = _words(tab.seen)
    found = {pattern.pattern for pattern in (WORK, AUDIT, SETTINGS, MY_WORK) if pattern.search(words)}
    assert found == {pattern.pattern for pattern in MAY_SEE[who]}
    if Persona(who) not in {Persona.OPERATOR, Persona.DEPT_LEAD, Persona.CHANGE_LEADER}:
        detail = health.door.perform(health.admin("health"), "proposals.read", {"proposal_id": row.proposal_id})
        assert detail.row.status is row.status, "decided by somebody who may not"
        assert not detail.decisions


def test_an_operator_sees_nothing_of_another_department(health: Served) -> None:
    row, paths = _things(health, "member-services")
    with Tab(health, "health", health.sign_in("health", "operator")).join() as tab:
        for path in paths[2:4]:
            for name in (n for n in handlers() if ".workreef_app___state___" in n):
                tab.send(name, ARGUMENTS.get(name.rsplit(".", 1)[1]), path)
            tab.settled(path)
        for message in tab.seen:  # what the tab itself said of its address is told back to it
            message.get("delta", {}).pop(ROOT[:-1], None)
            message.get("delta", {}).get(SHELL, {}).pop("loaded_rx_state_", None)
        words = _words(tab.seen)
    assert WORK.search(words), "it sees what is its own"
    assert "member-services" not in words
    assert "Member services" not in words
    detail = health.door.perform(health.admin("health"), "proposals.read", {"proposal_id": row.proposal_id})
    assert not detail.decisions


REFUSED = (
    ROOT + "setvar", handler("shell", "shell_state", "setvar"), handler("work", "digest_state", "setvar"),
    ROOT + "reflex___state____update_vars_internal_state.update_vars_internal",
    ROOT + "reflex___state____frontend_event_exception_state.handle_frontend_exception",
    ROOT + "reflex___istate___shared____shared_state_base_internal.setvar",
    ROOT + "nothing", "nothing.at.all", "", ROOT + "__init__", ROOT + "_reset_client_storage", ROOT + "get_state",
    handler("shell", "shell_state", "ask"), handler("shell", "shell_state", "act"),
    handler("work", "digest_state", "reset"),
)


def test_built_in_and_unknown_handlers_do_nothing_and_tell_nothing(health: Served) -> None:
    planted, cookie = f"planted-{uuid4()}", health.sign_in("health", "contributor")
    payloads: list[Message] = [
        {"var_name": "personas", "value": ["admin", planted]}, {"vars": {f"{SHELL}.personas_rx_state_": [planted]}},
        {"info": f"TypeError: Cannot read properties of null {planted}", "component_stack": planted},
        {planted: planted},
    ]
    with Tab(health, "health", cookie).join() as tab:
        tab.send(SHELL_LOAD)
        tab.settled()
        for name in REFUSED:
            for payload in payloads:
                tab.send(name, payload)
        seen = tab.settled()
    assert planted not in _words(seen)
    assert "_call_" not in _words(seen)
    assert {name for message in seen for name in message.get("delta", {})} <= {
        ROOT[:-1], handler("proposal", "proposal_state", "x").removesuffix(".x")
    }
    log = health.log.read_text()
    assert planted not in log
    _no_cookie_in(log, cookie)


def test_what_is_no_event_is_refused_and_not_logged(health: Served) -> None:
    planted, cookie = f"planted-{uuid4()}", health.sign_in("health", "operator")
    for data in (planted, [planted], {"name": planted}, {planted: 1}, None, 5, {"name": DIGEST, "payload": planted}):
        with Tab(health, "health", cookie).join() as tab:
            tab._emit("event", data)
            tab._emit(planted, data)
            tab._emit("client_error", {"message": planted, "data": data})
            tab.send(DIGEST, {"unknown": planted})
            tab.settled()
            assert planted not in _words(tab.seen)
    log = health.log.read_text()
    assert planted not in log
    _no_cookie_in(log, cookie)


def _no_cookie_in(log: str, cookie: dict[str, str]) -> None:
    for name, value in cookie.items():
        assert name not in log
        assert value.rsplit(".", 1)[0] not in log


@pytest.mark.parametrize("name", [DIGEST, SHELL_LOAD, ROOT + "hydrate", handler("verifying", "verify_state", "step")])
def test_after_the_session_ended_a_tab_is_only_sent_away(name: str, health: Served) -> None:
    caller = health.person("health", "operator")
    with Tab(health, "health", health.cookie(caller)).join(BOOT) as tab:
        tab.until(lambda message: WORK.search(_words([message])) is not None)
        tab.settled()
        end_session(health.door, caller)
        tab.send(name)
        seen = tab.until(lambda message: leaving(message) is not None)
        assert seen[-1]["delta"] == {SHELL: {"leave_to_rx_state_": "/login"}}
        assert not WORK.search(_words(seen))
        tab.send(ROOT + "hydrate")
        again = tab.until(lambda message: leaving(message) is not None)
        assert not WORK.search(_words(again)), "the state was not forgotten"


def test_a_persona_that_was_taken_away_is_gone_at_the_next_event(health: Served) -> None:
    invited = health.door.perform(health.admin("harbor"), "people.create", {
        "email": f"{uuid4()}@harbor.example", "name": "For A Moment", "personas": ["change_leader"],
    })
    granted = health.door.perform(
        health.browser("harbor"), "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}
    )
    caller = health.person("harbor", "operator")
    cookie = health.cookie(type(caller)(caller.tenant, "test", host=caller.host, token=granted.token))
    with Tab(health, "harbor", cookie).join() as tab:
        tab.send(DIGEST)
        assert WORK.search(_words(tab.settled()))
        with health.door.platform.unit_of_work(caller.tenant, AUDITOR) as session:
            session.execute(text("UPDATE person_persona SET persona = 'contributor' WHERE person_id = :id"),
                            {"id": invited.person_id})
        tab.send(handler("work", "list_state", "load_tasks"), path="/tasks")
        assert not WORK.search(_words(tab.settled("/tasks")))


def test_two_tabs_of_one_session_are_apart(health: Served) -> None:
    """A second tab with the first one's token is given a token of its own."""
    cookie = health.sign_in("health", "operator")
    with Tab(health, "health", cookie).join() as one, Tab(health, "health", cookie, token=one.token).join() as two:
        two.send(DIGEST)
        assert WORK.search(_words(two.settled()))
        assert not WORK.search(_words(one.settled()))


def _wait_until(done: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        threading.Event().wait(0.05)


# What only the served application shows of the layer in front: Reflex and the server around it.


@pytest.mark.parametrize("path", ["/login", "/tasks", "/api/v1/me.read", "/_event/"])
def test_nothing_of_the_served_application_is_open_to_another_origin(path: str, health: Served) -> None:
    cookie = health.sign_in("health", "operator")
    for method in ("OPTIONS", "GET", "POST", "HEAD"):
        answer = httpx.request(method, health.base + path, cookies=cookie, headers={
            **health.host("health"), "Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
        })
        assert "access-control-allow-origin" not in answer.headers, method
        assert "access-control-allow-credentials" not in answer.headers, method


@pytest.mark.parametrize("path", ["/", "/tasks", "/audit/3", "/nothing", "/404", "/workreef.css"])
def test_pages_are_served_with_their_policy(path: str, health: Served) -> None:
    answer = httpx.get(health.base + path, headers=health.host("health"), cookies=health.sign_in("health", "operator"))
    assert answer.status_code == (404 if path in {"/nothing", "/404"} else 200)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in policy
    for script in frontend.inline_scripts(answer.text if "html" in answer.headers["content-type"] else ""):
        assert frontend._hash(script) in policy
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/ping", "/_health", "/_upload", "/_all_routes", "/auth-codespace"])
def test_built_in_endpoints_are_closed(path: str, health: Served) -> None:
    answer = httpx.get(health.base + path, headers=health.host("health"), cookies=health.sign_in("health", "admin"))
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


@pytest.mark.parametrize("length", [True, False])
def test_a_body_too_large_is_answered_over_the_wire(length: bool, health: Served) -> None:
    body: Any = b"a" * (3 << 20) if length else (b"a" * (1 << 16) for _ in range(48))
    answer = httpx.post(health.base + "/api/v1/sessions.start", headers=health.host("health"), content=body)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_two_host_headers_over_the_wire_are_no_host(health: Served) -> None:
    host = health.host("health")["Host"]
    for pair in ((host, host), (host, "evil.example"), ("evil.example", host)):
        status = _raw(health.port, "GET /login HTTP/1.1", *(f"Host: {name}" for name in pair))
        assert status in {400, 404}
    assert _raw(health.port, "GET /login HTTP/1.1", f"Host: {host}") == 200


def _raw(port: int, *lines: str) -> int:
    with socket.create_connection(("127.0.0.1", port), 15) as wire:
        wire.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        return int(wire.recv(64).split()[1])


# Its end.


@contextmanager
def _audit_log_held(served: Served) -> Iterator[threading.Event]:
    """Holds the lock that every audited operation of harbor needs, until the event is set."""
    release, held = threading.Event(), threading.Event()

    def hold() -> None:
        tenant = served.door.platform.tenant("harbor")
        with suppress(TimeoutError), served.door.platform.unit_of_work(tenant, AUDITOR) as session:
            session.execute(text("SELECT audit_append(:content)"), {"content": "{}"})
            held.set()
            release.wait(30)
            raise TimeoutError  # and nothing was appended

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(15)
    try:
        yield release
    finally:
        release.set()
        thread.join()


def test_sigterm_ends_the_server_in_order(served: Served, tmp_path: Path) -> None:
    """A request under way is answered, nothing new is taken, the exit is clean."""
    port, log = free_port(), (tmp_path / "server.log").open("w")
    web_dir = next(path for path in (frontend.ROOT / ".pytest_cache/workreef-pages/pages").iterdir()
                   if (path / "complete").exists())
    pages = frontend.Pages(web_dir, web_dir / "build/client", "", rebuilt=False)
    process = launch(served.settings.data_dir, pages, port, log)
    own = {"Host": f"harbor.localhost:{port}", "Origin": f"http://harbor.localhost:{port}"}
    cookie, answers = served.sign_in("harbor", "admin"), []
    own |= served.token(cookie, "harbor")

    def ask() -> None:
        answers.append(httpx.post(
            f"http://127.0.0.1:{port}/api/v1/settings.read", headers=own, cookies=cookie, json={}, timeout=30
        ))

    try:
        with _audit_log_held(served) as release:
            thread = threading.Thread(target=ask)
            thread.start()
            _wait_until(lambda: _waiting_for_the_log(served))
            os.kill(process.pid, signal.SIGTERM)
            _wait_until(lambda: not _answers(port))
            assert process.poll() is None, "it did not wait for the request"
            release.set()
            thread.join()
        assert [answer.status_code for answer in answers] == [200]
        assert process.wait(20) == 0
    finally:
        process.kill()
    log.close()
    text_of_log = (tmp_path / "server.log").read_text()
    assert "Traceback" not in text_of_log
    assert "error" not in text_of_log


def _waiting_for_the_log(served: Served) -> bool:
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with served.door.platform.control.connect() as connection:
        return bool(connection.execute(query).scalar())


def _answers(port: int) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    return False


def test_the_servers_environment_is_its_own(tmp_path: Path) -> None:
    """Tests run beside a demonstration, and with whatever is set in a developer's shell."""
    made = environment(tmp_path, 4000)
    assert made["WORKREEF_DATA_DIR"] == str(tmp_path)
    assert {name for name in made if name.startswith(("WORKREEF_", "REFLEX_"))} == {
        "WORKREEF_ENV", "WORKREEF_DATA_DIR", "WORKREEF_PORT", "WORKREEF_PUBLIC_URL", "WORKREEF_SECRET_KEY",
    }
