"""The logs and the parts that the measurements stand on."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks import worlds
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Invalid, NoSession
from workreef_app.services.signals.miner import Miner
from workreef_app.services.signals.reader import Line, read_lines
from workreef_app.services.tenancy.platform import Tenant


def test_a_log_is_the_same_each_time_and_every_line_of_it_is_dated(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    worlds.write_log(first, 500)
    worlds.write_log(second, 500)
    assert first.read_bytes() == second.read_bytes()
    with first.open("rb") as file:
        found = list(read_lines(file, zone=UTC, year=None, now=datetime(2026, 11, 23, tzinfo=UTC)))
    assert [type(line) for line in found] == [Line] * 500


def test_every_message_is_a_template_of_its_own() -> None:
    miner, chance = Miner(), random.Random(1)
    for form in worlds.MESSAGES * 30:
        miner.add(f"web-{chance.randrange(40)} app: {worlds.message(chance, form)}")
    last = {form: miner.add(f"web-1 app: {worlds.message(chance, form)}").template for form in worlds.MESSAGES}
    assert len(set(last.values())) == len(worlds.MESSAGES)


def test_the_environment_of_a_child_holds_nothing_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKREEF_DATABASE_URL", "postgresql://elsewhere/production")
    monkeypatch.setenv("WORKREEF_SMTP_URL", "smtps://elsewhere")
    found = worlds.environment(tmp_path)
    assert found["WORKREEF_DATABASE_URL"] == ""
    assert found["WORKREEF_DATA_DIR"] == str(tmp_path)
    assert "WORKREEF_SMTP_URL" not in found


def test_the_bare_operation_sees_what_its_caller_may_see(door: Door, tenant: Tenant) -> None:
    reader = worlds.people(door, tenant, "change_leader", 1)[0]
    before = _entries(door, tenant)
    assert worlds.bare_seconds(door, reader, "sources.list", {}) > 0
    assert _entries(door, tenant) == before
    door.perform(reader, "sources.list", {})
    assert _entries(door, tenant) == before + 1


def _entries(door: Door, tenant: Tenant) -> int:
    with door.platform.unit_of_work(tenant, Actor(id="test")) as session:
        return int(session.execute(text("SELECT seq FROM audit_head")).scalar_one())


def test_the_bare_operation_refuses_a_session_that_does_not_hold(
    door: Door, tenant: Tenant, browser: Callable[[Tenant], Caller]
) -> None:
    with pytest.raises(NoSession):
        worlds.bare_seconds(door, browser(tenant), "sources.list", {})


def test_the_bare_operation_refuses_what_the_operation_does_not_take(door: Door, tenant: Tenant) -> None:
    with pytest.raises(Invalid):
        worlds.bare_seconds(door, worlds.admin(tenant), "sources.list", {"colour": "blue"})
