"""What the guard answers while the database is away: a sentence in the status region, and nothing else."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from reflex_base.event import Event
from reflex_base.event.context import EventContext
from sqlalchemy import create_engine

from workreef_app.services.door import Door
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.state import guard
from workreef_app.state.guard import Guard
from workreef_app.state.shell import ShellState

EVENT = Event(name="ours", payload={})


def answer(monkeypatch: pytest.MonkeyPatch, host: str) -> tuple[Any, list[str]]:
    """What an event of a tab at this host is answered, and what was done to its state."""
    done: list[str] = []
    state: Any = SimpleNamespace(reset=lambda: done.append("reset"))
    context = SimpleNamespace(router_data={"headers": {"host": host}, "ip": "10.1.1.1"}, token="tab")
    monkeypatch.setattr(EventContext, "get", lambda: context)
    monkeypatch.setattr(guard, "allowed_handlers", lambda: frozenset({"ours"}))
    return asyncio.run(Guard().preprocess(None, state, EVENT)), done  # type: ignore[arg-type]


def test_an_outage_is_said_and_the_tab_stays(
    door: Door, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"{tenant.info.slug}.{door.platform.settings.public_host}"
    gone = create_engine("postgresql+psycopg://nobody:x@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    with monkeypatch.context() as away:
        away.setattr(door.platform, "control", gone)
        away.setattr(door.platform, "_found", {})
        told, done = answer(monkeypatch, host)
    shown = told.delta[ShellState.get_full_name()]
    assert "The database does not answer since" in shown["status_rx_state_"]
    assert "nothing was lost, try again" in shown["status_rx_state_"]
    assert shown["refused_rx_state_"] is True
    assert set(told.delta) == {ShellState.get_full_name()}
    assert done == []
    left, done = answer(monkeypatch, host)
    assert left.delta == guard.leave("/login").delta
    assert done == ["reset"]


def test_an_event_of_a_tab_that_closed_meanwhile_binds_nothing(
    door: Door, tenant: Tenant, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing would ever release it: the next session that the tab is opened with would stay outside."""
    caller = person(tenant, ["operator"], [])
    context = SimpleNamespace(router_data={"headers": {}, "ip": ""}, token="tab")
    monkeypatch.setattr(EventContext, "get", lambda: context)
    monkeypatch.setattr(guard, "allowed_handlers", lambda: frozenset({"ours"}))
    monkeypatch.setattr(guard, "browser_caller", lambda *_: caller)
    for is_open in (False, True):
        gate = Guard(lambda _, is_open=is_open: is_open)
        answered = asyncio.run(gate.preprocess(None, SimpleNamespace(), EVENT))  # type: ignore[arg-type]
        assert (answered is None, gate.owner("tab") is not None, len(gate.callers())) == (is_open, is_open, is_open)


def test_a_fault_of_ours_is_not_called_an_outage(
    door: Door, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(guard, "browser_caller", fail)
    with pytest.raises(ZeroDivisionError):
        answer(monkeypatch, f"{tenant.info.slug}.{door.platform.settings.public_host}")
