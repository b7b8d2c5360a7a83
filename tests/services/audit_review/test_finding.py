"""Finding entries: each filter finds what it names and nothing else, in one's own scope, page after page and live."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import workreef_app
from workreef_app.services.audit_review import finding
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Invalid
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]


@pytest.fixture(params=[None, 2, 5], ids=["no checkpoint", "one in between", "one after"])
def made(door: Door, tenant: Tenant, cli: Cli, request: pytest.FixtureRequest) -> list[str]:
    """Ids of departments, each made by an entry of its own; what lies before a checkpoint is found by an index."""
    ids = []
    for number in range(6):
        created = door.perform(cli(tenant), "departments.create", {"slug": f"d{number}", "name": "Made"})
        ids.append(str(created.id))
        if number == request.param:
            door.perform(cli(tenant), "audit.checkpoint", {})
    return ids


def listed(door: Door, caller: Caller, **asked: Any) -> list[Any]:
    return list(door.perform(caller, "audit.list", asked).rows)


def test_an_id_alone_finds_whatever_it_belongs_to(door: Door, tenant: Tenant, cli: Cli, made: list[str]) -> None:
    admin = cli(tenant)
    assert [row.target for row in listed(door, admin, id=made[2])] == [f"department:{made[2]}"]
    assert [row.target for row in listed(door, admin, id=f"department:{made[2]}")] == [f"department:{made[2]}"]
    assert len(listed(door, admin, id=admin.cli_user)) == len(listed(door, admin, actor=f"cli:{admin.cli_user}")) - 1
    assert listed(door, admin, id="nowhere") == []
    assert listed(door, admin, id=made[2], event="data.read") == []


def test_pages_follow_each_other_without_a_gap(door: Door, tenant: Tenant, cli: Cli, made: list[str]) -> None:
    found, before = [], None
    while True:
        page = door.perform(cli(tenant), "audit.list", {
            "event": "department.created", "limit": 4, **({"before": before} if before else {}),
        })
        found += [row.seq for row in page.rows]
        assert (page.count, page.more) == (6, False)
        before = page.next_before
        if before is None:
            break
    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) == 6


def test_rows_carry_the_hash_before_them(door: Door, tenant: Tenant, cli: Cli, made: list[str]) -> None:
    rows = listed(door, cli(tenant))
    assert [row.previous_hash for row in rows[:-1]] == [row.chain_hash for row in rows[1:]]
    assert rows[-1].seq == 1
    assert len(rows[-1].previous_hash) == 64


def test_a_count_stops_somewhere(
    door: Door, tenant: Tenant, cli: Cli, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "COUNTED", 4)
    some = door.perform(cli(tenant), "audit.list", {"event": "department.created"})
    assert (some.count, some.more, len(some.rows)) == (4, True, 6)
    whole = door.perform(cli(tenant), "audit.list", {})
    assert (whole.count, whole.more) == (len(whole.rows), False), "the whole log is always counted to its end"


def test_a_tail_brings_what_was_added_and_leaves_nothing(
    door: Door, tenant: Tenant, cli: Cli, made: list[str]
) -> None:
    admin = cli(tenant)
    seen = listed(door, admin)[0].seq
    first = door.perform(admin, "audit.tail", {"after": seen})
    assert [row.event for row in first.rows] == ["data.read"], "the read that opened the view"
    for _ in range(3):
        assert door.perform(admin, "audit.tail", {"after": first.rows[0].seq}).rows == []
    door.perform(admin, "departments.create", {"slug": "late", "name": "Late"})
    later = door.perform(admin, "audit.tail", {"after": first.rows[0].seq, "event": "department.created"})
    assert ([row.seq for row in later.rows], later.more) == ([first.rows[0].seq + 1], False)


def test_a_clock_that_runs_backwards_hides_no_entry(door: Door, tenant: Tenant, cli: Cli, clock: Any) -> None:
    """Entries of hosts whose clocks differ by any time are found by the times that they give, page after page."""
    begun = clock.now
    for number, minutes in enumerate((0, 30, 21, 31, 60)):
        clock.now = begun + timedelta(minutes=minutes)
        door.perform(cli(tenant), "departments.create", {"slug": f"m{number}", "name": "Made"})

    def at(minutes: int) -> str:
        return (begun + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def found(**asked: str) -> list[int]:
        minutes, before = [], None
        while True:
            page = door.perform(cli(tenant), "audit.list", {
                "event": "department.created", "limit": 2, **asked, **({"before": before} if before else {}),
            })
            minutes += [(datetime.fromisoformat(row.at) - begun).seconds // 60 for row in page.rows]
            before = page.next_before
            if before is None:
                return minutes

    assert found(since=at(25)) == [60, 31, 30]
    assert found(until=at(25)) == [21, 0]
    assert found(since=at(1)) == [60, 31, 30, 21]
    assert found(since=at(20), until=at(31)) == [30, 21]
    assert found() == [60, 31, 21, 30, 0], "in the order of the chain, where no time is asked for"


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "2026-11-14T25:00:00Z"])
def test_a_day_that_there_is_not_is_refused(door: Door, standing: list[Tenant], cli: Cli, day: str) -> None:
    with pytest.raises(Invalid):
        door.perform(cli(standing[0]), "audit.list", {"since": day})


def test_every_kind_of_target_is_looked_through_for_an_id() -> None:
    """What stands before an id where the code says what an entry is about."""
    kinds = set()
    for path in Path(workreef_app.__file__).parent.joinpath("services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "target" and isinstance(node.value, ast.JoinedStr):
                first = node.value.values[0]
                if isinstance(first, ast.Constant) and str(first.value).endswith(":"):
                    kinds.add(str(first.value)[:-1])
    assert len(kinds) > 10
    in_the_platforms_log = {"platform_key", "signing_key"}
    assert kinds - in_the_platforms_log <= set(finding.TARGETS)
