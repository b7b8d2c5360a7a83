"""Every registered handler, ours and the page framework's own, called over a real socket by those it is not for.

Whatever it is, it changes no row of any table, tells nothing, and leaves nothing but the refusal in the audit log.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
from dataclasses import replace
from functools import cache
from typing import Any

import httpx
import psycopg
import pytest
from reflex_base.registry import RegistrationContext
from sqlalchemy import text

from tests.serving import PASSWORD, Served, import_lines, lines
from tests.sockets.tab import ROOT, SHELL, Message, Tab, handler, leaving
from tests.sockets.test_socket import ALL_CALLS, SHELL_LOAD, handlers
from tests.web import AUDITOR, end_session
from workreef_app.services.door import Caller
from workreef_app.services.operation import REGISTRY, Event, Persona
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.state import guard

#: Of the frame: what says why something is not shown or was not done, and where the tab is.
TROUBLE = {"trouble", "trouble_text", "status", "status_href", "refused", "loaded"}
#: Handlers take these; more than that is passed to all of them, since anybody can.
ARGUMENTS: dict[str, Message] = {
    **ALL_CALLS,
    "search": {"form": {"event": "data.read", "text": "note"}}, "ask_operation": {"form": {"operation": "me.read"}},
    "ask_row": {"form": {"kind": "task", "row_id": "1"}}, "add": {"form": {"text": "planted"}},
    "withdraw": {"note_id": "01a20e33-a75f-7152-8c64-33b8ff94f2d5"}, "save": {},
    "save_zone": {"form": {"time_zone": "UTC"}},
    "update_vars_internal": {"vars": {f"{SHELL}.personas_rx_state_": ["admin"]}},
    "handle_frontend_exception": {"info": "planted", "component_stack": "planted"},
}


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    """The application's handlers are known before anything asks for them."""
    assert len(handlers()) > 20


@pytest.fixture(scope="module")
def house(served: Served) -> tuple[Served, str]:
    """A tenant of this module alone, with one person of each persona and some work."""
    slug = f"walk-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"
    create_tenant(served.door.platform, slug=slug, name="Walk", demo=True)
    admin = served.admin(slug)
    served.door.perform(admin, "departments.create", {"slug": "claims", "name": "Claims"})
    for persona in Persona:
        invited = served.door.perform(admin, "people.create", {
            "email": served.email(slug, persona.value), "name": f"{persona.value} of Walk", "personas": [persona],
            "departments": ["claims"],
        })
        served.door.perform(
            served.browser(slug), "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}
        )
    import_lines(served.door, admin, "claims", lines(slug, "claims", 200))
    return served, slug


@cache
def operations_of(name: str) -> frozenset[str]:
    """The operations that a handler of ours may ask the door for, itself or by the methods that it calls.

    Read from the source, so that a handler that somebody adds is walked too.
    """
    state = RegistrationContext.get().event_handlers[name].handler.fn
    module = inspect.getmodule(state)
    assert module is not None
    found: set[str] = set()
    _collect(ast.parse(inspect.getsource(module)), state.__qualname__.split(".")[-2:], found, set())
    return frozenset(found)


def _collect(tree: ast.Module, place: list[str], found: set[str], seen: set[str]) -> None:
    functions = {
        f.name: f for part in ast.walk(tree) if isinstance(part, ast.ClassDef) and part.name == place[0]
        for f in part.body if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    waiting = [place[1]]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Constant) and node.value in REGISTRY:
                found.add(str(node.value))
            if isinstance(node, ast.Attribute):
                waiting.append(node.attr)


def wrong_for(persona: Persona) -> list[str]:
    """Handlers of ours all of whose operations are closed to a persona."""
    ours = [name for name in handlers() if "workreef_app___state___" in name and not name.endswith(".setvar")]
    return [
        name for name in ours
        if operations_of(name) and not any(persona in REGISTRY[o].by for o in operations_of(name))
    ]


def fingerprint(served: Served, slug: str) -> dict[str, str]:
    """Of every table of the tenant but the audit log, all that it holds, by the role that owns it."""
    database = str(served.door.platform.tenant(slug).url.database)
    url = served.door.platform.url.set(database=database, drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"SET ROLE {server.owner_role(database)}")
        tables = [row[0] for row in connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND relname NOT IN ('audit_entry', 'audit_head')"
        ).fetchall()]
        assert len(tables) > 20
        return {
            table: str(connection.execute(
                f'SELECT md5(coalesce(string_agg(t::text, \'|\' ORDER BY t::text), \'\')) FROM "{table}" t'
            ).fetchone())
            for table in tables
        }


def entries(served: Served, slug: str, caller: Caller, after: int = 0) -> list[dict[str, Any]]:
    """What the audit log holds of a person, after the entry of that number."""
    known = served.door.actor(caller)
    assert known is not None
    with served.door.platform.unit_of_work(served.door.platform.tenant(slug), AUDITOR) as session:
        rows = session.execute(
            text("SELECT seq, content FROM audit_entry WHERE actor = :who AND seq > :after ORDER BY seq"),
            {"who": known[0].id, "after": after},
        ).all()
    return [{"seq": row.seq, **json.loads(row.content)} for row in rows]


def calls(tab: Tab, name: str, path: str = "/") -> list[Message]:
    """What comes of calling a handler: with what it takes, with nothing, and with what it does not take."""
    given = ARGUMENTS.get(name.rsplit(".", 1)[1], {})
    for payload in (given, {}, {"planted": {"personas": ["admin"]}, **given}):
        tab.send(name, payload, path)
    return tab.settled(path)


def said(messages: list[Message]) -> dict[str, dict[str, Any]]:
    """All that the messages changed in the page, by state; the end mark and the address apart."""
    marked, found = handler("proposal", "proposal_state", "x").removesuffix(".x"), dict[str, dict[str, Any]]()
    for message in messages:
        for state, delta in (message.get("delta") or {}).items():
            known = {name.removesuffix("_rx_state_"): value for name, value in delta.items()}
            known = {n: v for n, v in known.items() if not (state == marked and n == "reason")}
            if known and state != ROOT[:-1]:
                found.setdefault(state, {}).update(known)
    return found


def test_the_walk_knows_what_handlers_ask_for() -> None:
    assert operations_of(handler("proposal", "proposal_state", "decide")) == {"proposals.decide", "proposals.read"}
    assert operations_of(handler("contributor", "my_work_state", "add")) == {
        "notes.add", "notes.list", "my_work.read"
    }
    assert operations_of(handler("settings", "settings_state", "save")) >= {"settings.change"}
    for persona in Persona:
        assert len(wrong_for(persona)) > 3, persona
    internal = {name.rsplit(".", 1)[1] for name in handlers()} - {"load"}
    assert {"setvar", "update_vars_internal", "on_load_internal", "hydrate"} <= internal


@pytest.mark.parametrize("persona", list(Persona))
def test_a_wrong_persona_gets_nothing_from_any_handler(house: tuple[Served, str], persona: Persona) -> None:
    served, slug = house
    caller = served.person(slug, persona.value)
    names = wrong_for(persona)
    before, mark = fingerprint(served, slug), max([e["seq"] for e in entries(served, slug, caller)], default=0)
    with Tab(served, slug, served.cookie(caller)).join() as tab:
        tab.send(SHELL_LOAD)
        tab.settled()
        began = max([e["seq"] for e in entries(served, slug, caller, mark)], default=mark)
        for name in names:
            told = said(calls(tab, name))
            own = name.rsplit(".", 1)[0]
            assert set(told) <= {SHELL, own}, name
            assert set(_content(told.get(SHELL, {}))) <= TROUBLE, (name, told)
            assert not _content(told.get(own, {})), (name, told)
    left = entries(served, slug, caller, began)
    assert {entry["event"] for entry in left} == {Event.SCOPE_DENIED.value}
    assert {entry["detail"]["reason"] for entry in left} == {"persona"}
    asked = {entry["detail"]["operation"] for entry in left}
    assert asked <= {operation for name in names for operation in operations_of(name)}
    after = fingerprint(served, slug)
    assert {table for table in after if after[table] != before[table]} <= _moved_by_the_system(served, slug, mark)


def _content(delta: dict[str, Any]) -> dict[str, Any]:
    """What of a state's change is neither empty nor a flag."""
    return {name: value for name, value in delta.items() if value not in ("", [], None, 0, False, True, {})}


def _moved_by_the_system(served: Served, slug: str, mark: int) -> set[str]:
    """Tables that the house itself wrote meanwhile, which has entries of its own."""
    with served.door.platform.unit_of_work(served.door.platform.tenant(slug), AUDITOR) as session:
        events = session.execute(
            text("SELECT event FROM audit_entry WHERE seq > :mark AND actor LIKE 'system:%'"), {"mark": mark}
        ).scalars().all()
    moved = {"alarm"} if any(event.startswith("alarm.") for event in events) else set()
    if "checkpoint.made" in events:
        moved |= {"audit_checkpoint", "audit_lookup", "audit_node"}
    return moved


@pytest.mark.parametrize("persona", list(Persona))
def test_what_is_the_frameworks_own_and_not_needed_does_nothing_for_anybody(
    house: tuple[Served, str], persona: Persona
) -> None:
    """Setters, uploads, the browser's storage, errors of the page: refused for every persona."""
    served, slug = house
    caller = served.person(slug, persona.value)
    refused = sorted(set(handlers()) - guard.allowed_handlers())
    assert {name.rsplit(".", 1)[1] for name in refused} >= {"setvar", "update_vars_internal"}
    before = fingerprint(served, slug)
    with Tab(served, slug, served.cookie(caller)).join() as tab:
        tab.send(SHELL_LOAD)
        tab.settled()
        mark = max([e["seq"] for e in entries(served, slug, caller)], default=0)
        for name in refused:
            assert said(calls(tab, name)) == {}, name
    assert entries(served, slug, caller, mark) == []
    after = fingerprint(served, slug)
    assert {table for table in after if after[table] != before[table]} <= _moved_by_the_system(served, slug, mark)


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_without_a_session_every_handler_only_sends_the_tab_away(house: tuple[Served, str], how: str) -> None:
    """The socket of a session that has ended; without one no socket is opened at all."""
    served, slug = house
    caller = served.person(slug, "admin")
    with Tab(served, slug, served.cookie(caller)).join() as tab:
        tab.send(SHELL_LOAD)
        tab.settled()
        end_session(served.door, caller, expire=how == "expired")
        before, mark = fingerprint(served, slug), _head(served, slug)
        for name in handlers():
            tab.send(name, ARGUMENTS.get(name.rsplit(".", 1)[1], {}))
            tab.send(SHELL_LOAD)
            seen = tab.until(lambda message: leaving(message) is not None)
            if name in guard.allowed_handlers():
                seen += tab.until(lambda message: leaving(message) is not None)
            for message in seen:
                delta = message.get("delta") or {}
                assert delta in ({}, {SHELL: {"leave_to_rx_state_": "/login"}}), (name, delta)
    after = fingerprint(served, slug)
    assert {table for table in after if after[table] != before[table]} <= _moved_by_the_system(served, slug, mark)
    gone = replace(caller, token=None)
    assert gone.token is None
    assert _by_people(served, slug, mark) == 0, "nobody was asked for, so nobody did anything"


def _head(served: Served, slug: str) -> int:
    with served.door.platform.unit_of_work(served.door.platform.tenant(slug), AUDITOR) as session:
        return int(session.execute(text("SELECT seq FROM audit_head")).scalar_one())


def _by_people(served: Served, slug: str, mark: int) -> int:
    with served.door.platform.unit_of_work(served.door.platform.tenant(slug), AUDITOR) as session:
        return int(session.execute(
            text("SELECT count(*) FROM audit_entry WHERE seq > :mark AND actor NOT LIKE 'system:%'"), {"mark": mark}
        ).scalar_one())


@pytest.mark.parametrize("path", ["/.git/config", "/.env", "/workreef_app/", "/assets/", "/../pyproject.toml"])
def test_nothing_but_the_built_pages_is_served(house: tuple[Served, str], path: str) -> None:
    served, slug = house
    answer = httpx.get(served.base + path, headers=served.host(slug), cookies=served.sign_in(slug, "admin"))
    assert answer.status_code == 404, answer.text[:200]


def test_a_trace_is_not_echoed(house: tuple[Served, str]) -> None:
    served, slug = house
    own = {**served.host(slug), "Origin": f"http://{served.host(slug)['Host']}", "X-Planted": "planted-trace"}
    answer = httpx.request("TRACE", served.base + "/login", headers=own)
    assert answer.status_code >= 400
    assert "planted-trace" not in answer.text
