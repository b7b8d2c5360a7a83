"""The tenant's settings: bounds, versions, and the history of every change."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from workreef_app.services.access.tenant_settings import ALL, KNOWN, WORDS, read, time_zone
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Conflict, Invalid, Locked, Refusal, WrongPersona
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.vault.errors import KeyUnavailable

Cli = Callable[[Tenant], Caller]


def rows(door: Door, caller: Caller) -> dict[str, Any]:
    return {row.name: row for row in door.perform(caller, "settings.read", {}).settings}


def history(door: Door, caller: Caller, **asked: Any) -> list[tuple[str, Any, Any]]:
    found = door.perform(caller, "settings.history", asked)
    return [(row.name, row.before, row.after) for row in found.rows]


def test_settings_have_defaults_and_bounds(door: Door, tenant: Tenant, cli: Cli) -> None:
    found = rows(door, cli(tenant))
    assert set(found) == set(ALL)
    for name, known in KNOWN.items():
        row = found[name]
        assert (row.kind, row.number, row.word, row.default) == ("number", known.default, None, known.default)
        assert row.minimum <= row.default <= row.maximum
    for name, word in WORDS.items():
        row = found[name]
        assert (row.kind, row.number, row.word, row.default) == ("zone", None, word.default, word.default)
    assert all(row.meaning.endswith(".") and row.unit and row.version == 0 for row in found.values())
    assert all(row.changed_at is None and row.changed_by == "" for row in found.values())


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_setting_changes_within_its_bounds(door: Door, shared: Tenant, cli: Cli, name: str) -> None:
    tenant, known = shared, KNOWN[name]
    for number in (known.minimum, known.maximum):
        assert door.perform(cli(tenant), "settings.change", {"name": name, "number": number}).number == number
        assert rows(door, cli(tenant))[name].number == number
    for number in (known.minimum - 1, known.maximum + 1, 2**70, -(2**70)):
        with pytest.raises(Invalid, match="out of bounds"):
            door.perform(cli(tenant), "settings.change", {"name": name, "number": number})


@pytest.mark.parametrize("payload", [
    {"name": "session.lifetime", "number": 1}, {"name": "", "number": 1}, {"name": "session.idle_minutes"},
    {"name": "session.idle_minutes", "number": "many"}, {"name": "session.idle_minutes", "number": 1.5},
    {"name": "session.idle_minutes", "word": "UTC"}, {"name": "session.idle_minutes", "number": 1, "word": "UTC"},
    {"name": "time_zone", "number": 1}, {"name": "time_zone", "word": ""}, {"name": "time_zone", "word": "Mars/Phobos"},
    {"name": "time_zone", "word": "x" * 65}, {"name": "time_zone", "word": "UTC", "number": 0}, {"name": "time_zone"},
    {"name": "digest.hour", "number": 1, "version": -1}, {"name": "digest.hour", "number": 1, "version": "new"},
])
def test_what_is_no_setting_is_refused(door: Door, standing: list[Tenant], cli: Cli, payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        door.perform(cli(standing[0]), "settings.change", payload)
    assert history(door, cli(standing[0])) == []


def test_the_tenants_zone_is_read_where_nobody_asks(door: Door, tenant: Tenant, cli: Cli) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "time_zone", "word": "America/St_Johns"})
    with door.platform.unit_of_work(tenant, Actor(id="test")) as session:
        assert time_zone(session) == "America/St_Johns"
        assert "time_zone" not in read(session), "the numbers stay numbers"


def test_a_change_is_told_with_both_numbers_and_leads_to_its_entry(
    door: Door, tenant: Tenant, cli: Cli, person: Any
) -> None:
    reviewer = person(tenant, ["security_reviewer"])
    admin = person(tenant, ["admin"])
    door.perform(admin, "settings.change", {"name": "signals.min_times", "number": 9})
    newest = door.perform(reviewer, "audit.list", {}).rows[0]
    assert (newest.event, newest.target) == ("setting.changed", "setting:signals.min_times")
    detail = json.loads(door.perform(reviewer, "audit.read", {"seq": newest.seq}).content)["detail"]
    assert (detail["before"], detail["after"]) == (5, 9)
    (row,) = door.perform(reviewer, "settings.history", {}).rows
    assert (row.before, row.after, row.unit, row.entry) == (5, 9, "times", newest.seq)
    name = door.perform(admin, "me.read", {}).name
    assert row.by == name
    setting = rows(door, reviewer)["signals.min_times"]
    assert (setting.changed_by, setting.changed_at, setting.version) == (name, row.at, 1)
    with pytest.raises(Refusal):
        door.perform(reviewer, "settings.change", {"name": "signals.min_times", "number": 5})


def test_a_name_is_told_as_a_hash_in_the_log_and_in_clear_in_the_history(
    door: Door, tenant: Tenant, cli: Cli, sql_as_owner: Any
) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "time_zone", "word": "Asia/Tokyo"})
    door.perform(cli(tenant), "settings.change", {"name": "time_zone", "word": "UTC"})
    assert history(door, cli(tenant)) == [("time_zone", "Asia/Tokyo", "UTC"), ("time_zone", "UTC", "Asia/Tokyo")]
    with sql_as_owner(tenant) as owner:
        told = [json.loads(row[0])["detail"] for row in owner.execute(
            "SELECT content FROM audit_entry WHERE event = 'setting.changed' ORDER BY seq").fetchall()]
        stored = str(owner.execute("SELECT setting_change::text FROM setting_change").fetchall())
    assert (told[0]["before"], told[0]["after"]) == (told[1]["after"], told[1]["before"])
    assert "Tokyo" not in str(told)
    assert "Tokyo" not in stored


def test_the_same_value_again_is_no_change_in_the_history(door: Door, tenant: Tenant, cli: Cli) -> None:
    for _ in range(2):
        door.perform(cli(tenant), "settings.change", {"name": "digest.hour", "number": 7})
    assert history(door, cli(tenant)) == [("digest.hour", 5, 7)]


def test_nobody_overwrites_a_change_that_they_have_not_seen(door: Door, tenant: Tenant, cli: Cli) -> None:
    def change(number: int, version: int) -> int:
        done = door.perform(cli(tenant), "settings.change", {
            "name": "digest.hour", "number": number, "version": version,
        })
        return int(done.version)

    assert change(6, 0) == 1
    for stale in (0, 2, 10**18):
        with pytest.raises(Conflict, match="since you read it"):
            change(8, stale)
    assert rows(door, cli(tenant))["digest.hour"].number == 6
    assert change(8, 1) == 2


def test_of_many_at_once_who_read_the_same_one_changes_it(door: Door, tenant: Tenant, cli: Cli) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def change(number: int) -> None:
        start.wait()
        try:
            door.perform(cli(tenant), "settings.change", {"name": "digest.hour", "number": number, "version": 0})
            outcomes.append("changed")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=change, args=(number,)) for number in range(10, 16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["changed", *["conflict"] * 5]
    ((name, before, after),) = history(door, cli(tenant))
    assert (name, before) == ("digest.hour", 5)
    assert rows(door, cli(tenant))["digest.hour"].number == after


def test_changing_back_is_a_change_of_its_own(door: Door, tenant: Tenant, cli: Cli) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "digest.hour", "number": 7})
    (row,) = door.perform(cli(tenant), "settings.history", {}).rows
    door.perform(cli(tenant), "settings.change", {"name": row.name, "number": row.before, "version": 1})
    assert history(door, cli(tenant)) == [("digest.hour", 7, 5), ("digest.hour", 5, 7)]


def test_the_history_is_read_page_by_page_and_by_setting(door: Door, tenant: Tenant, cli: Cli) -> None:
    for number in range(10, 17):
        door.perform(cli(tenant), "settings.change", {"name": "digest.hour", "number": number})
        door.perform(cli(tenant), "settings.change", {"name": "signals.min_times", "number": number})
    for name, total in (("", 14), ("digest.hour", 7)):
        seen: list[Any] = []
        after = ""
        while True:
            page = door.perform(cli(tenant), "settings.history", {"name": name, "after": after, "limit": 3})
            assert page.count == total
            seen += page.rows
            after = page.next
            if not after:
                break
        assert len({row.id for row in seen}) == len(seen) == total
        assert [row.at for row in seen] == sorted((row.at for row in seen), reverse=True)
        assert all(row.entry for row in seen)
        assert {row.name for row in seen} <= ({name} if name else set(ALL))


@pytest.mark.parametrize("asked", [
    {"name": "no.such"}, {"after": "~"}, {"after": "x"}, {"limit": 0}, {"limit": 201}, {"name": "x" * 82}, {"more": 1},
])
def test_a_question_that_makes_no_sense_is_refused(
    door: Door, standing: list[Tenant], cli: Cli, asked: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        door.perform(cli(standing[0]), "settings.history", asked)


@pytest.mark.parametrize("persona", ["operator", "dept_lead", "change_leader", "contributor"])
@pytest.mark.parametrize("name", ["settings.read", "settings.history"])
def test_settings_are_for_admins_and_reviewers(
    door: Door, shared: Tenant, person: Any, persona: str, name: str
) -> None:
    with pytest.raises(WrongPersona):
        door.perform(person(shared, [persona]), name, {})


def test_the_history_is_only_added_to(tenant: Tenant, door: Door, cli: Cli, sql_as_app: Any, scoped: Any) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "digest.hour", "number": 7})
    with sql_as_app(tenant) as connection:
        scoped(connection, actor="cli:tester", reach="settings,all_audit")
        assert connection.execute("SELECT count(*) FROM setting_change").fetchone() == (1,)
        for statement in ("DELETE FROM setting_change", "UPDATE setting_change SET actor = 'nobody'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        scoped(connection, actor="person:x", reach="all_work")
        assert connection.execute("SELECT count(*) FROM setting_change").fetchone() == (0,)


def test_with_a_dead_key_settings_are_read_and_their_history_is_not(
    door: Door, tenant: Tenant, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "digest.hour", "number": 7})

    def dead(*_: Any) -> None:
        raise KeyUnavailable("The key does not answer.")

    monkeypatch.setattr(door.platform.keyring, "cipher", dead)
    assert rows(door, cli(tenant))["digest.hour"].number == 7
    assert rows(door, cli(tenant))["digest.hour"].changed_by == "cli:tester"
    for name, payload in (("settings.history", {}), ("settings.change", {"name": "digest.hour", "number": 8})):
        with pytest.raises(Locked):
            door.perform(cli(tenant), name, payload)
