"""Imports through the door: every line once, whatever the file is called and however it is cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from tests import imports
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Reach
from workreef_app.services.recommend.jobs import run_import
from workreef_app.services.signals import advancing, spool, state
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
Lines = list[dict[str, Any]]
HOUR, DAY = 60, 1440
ADMIN = Actor(id="test", extra_reach=frozenset(Reach))
#: Words that stand for one another in one place of a line; four of them open a wildcard there.
NAMES = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")


@pytest.fixture
def stored(door: Door) -> Callable[..., list[Any]]:
    """Runs a query on a tenant's database in an admin's scope."""

    def query(tenant: Tenant, sql: str) -> list[Any]:
        with door.platform.unit_of_work(tenant, ADMIN) as session:
            return [tuple(row) for row in session.execute(text(sql))]

    return query


def file(line: Callable[..., Any], first: int, last: int) -> Lines:
    """Lines of a log, one every ten minutes, from number to number; every third one twice in the same second."""
    lines = []
    for number in range(first, last):
        one = line(f"job {number} of queue {number % 3} failed", number * 10)
        lines += [one, one] if number % 3 == 0 else [one]
    return lines


def total(stored: Any, tenant: Tenant) -> int:
    return int(stored(tenant, "SELECT coalesce(sum(lines), 0) FROM observation")[0][0])


def test_a_file_is_counted_whole(tenant: Tenant, import_lines: Any, line: Any, stored: Any) -> None:
    lines = file(line, 0, 60)
    done = import_lines(tenant, lines, size=25)
    account = done
    assert (account.lines, account.added, account.repeated, account.skipped) == (80, 80, 0, {})
    assert (account.status, account.reason, account.told) == ("finished", None, "")
    assert account.bytes_counted == account.bytes_received > 0
    assert stored(tenant, "SELECT batches FROM import_run") == [(4,)]
    assert total(stored, tenant) == 80
    assert (done.signals, done.new_tasks) == (1, 1)


def test_repeated_renamed_grown_and_overlapping_files_add_only_their_new_lines(
    tenant: Tenant, import_lines: Any, line: Any, stored: Any
) -> None:
    whole = file(line, 0, 90)
    for lines, name, added in (
        (file(line, 0, 60), "app.log", 80),
        (file(line, 0, 60), "app.log", 0),
        (file(line, 0, 60), "renamed.log", 0),
        (file(line, 0, 75), "app.log", 20),
        (file(line, 60, 90), "app.log.1", 20),
        (list(reversed(whole)), "sorted.log", 0),
        (whole + whole[:5], "app.log", 5),
    ):
        done = import_lines(tenant, lines, name=name, size=17)
        assert (done.added, done.repeated) == (added, len(lines) - added), name
    assert total(stored, tenant) == len(whole) + 5


def test_what_was_told_of_every_line_adds_up(
    door: Door, tenant: Tenant, cli: Cli, line: Any, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advancing, "BATCH_LINES", 7)
    admin = cli(tenant)
    junk = b"no time\n\n\nno time either\n" + b"x" * 70_000 + b"\n\xff\xfe\n"
    escaped = b'{"time": "2026-10-01T00:00:00Z", "message": "half a pair \\ud800"}\n'
    text_ = b"".join([imports.as_text(file(line, n * 10, n * 10 + 15)) + junk + escaped for n in range(3)])
    imports.work(door, admin, imports.send(door, admin, text_))
    (row,) = door.perform(admin, "sources.list", {}).sources
    account = row.last_import
    assert account.skipped == {"undated": 6, "empty": 6, "too_long": 3, "undecodable": 6}
    assert account.lines == account.added + account.repeated + 21 == text_.count(b"\n")
    assert total(stored, tenant) == account.added


def test_like_lines_of_an_hour_are_one_observation_with_a_count(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any
) -> None:
    minutes = [0, 1, 59, 60, 61, DAY + 5]
    import_lines(tenant, [line(f"disk {n} full", m) for n, m in enumerate(minutes)], size=2)
    (task,) = door.perform(cli(tenant), "tasks.list", {}).rows
    found = door.perform(cli(tenant), "observations.list", {"task_id": task.task_id})
    assert [(row.hour.day, row.hour.hour, row.lines) for row in found.rows] == [(2, 0, 1), (1, 1, 2), (1, 0, 3)]
    assert [(row.first_at.minute, row.last_at.minute) for row in found.rows] == [(5, 5), (0, 1), (0, 59)]
    assert (found.count, found.lines, task.times, task.days) == (3, 6, 6, 2)
    assert {row.summary for row in found.rows} == {"disk <*> full"}


def test_hours_and_days_are_those_of_utc(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any
) -> None:
    """Half past midnight in Kolkata is seven in the evening of the day before in UTC."""
    lines = [line(f"disk {n} full", n, raw=str(n)) for n in range(6)]
    for number, one in enumerate(lines):
        one["at"] = f"2026-10-0{1 + number % 2}T00:30:{number:02}+05:30"
    import_lines(tenant, lines)
    (task,) = door.perform(cli(tenant), "tasks.list", {}).rows
    rows = door.perform(cli(tenant), "observations.list", {"task_id": task.task_id}).rows
    assert [row.hour for row in rows] == [datetime(2026, 10, 1, 19, tzinfo=UTC), datetime(2026, 9, 30, 19, tzinfo=UTC)]
    assert task.days == 2


def numbers_agree(door: Door, caller: Caller) -> list[Any]:
    """Checks that the digest, the lists and the rows behind them give the same counts; returns the tasks."""
    tasks = door.perform(caller, "tasks.list", {"limit": 200})
    digest = door.perform(caller, "digest.read", {})
    assert tasks.count == digest.tasks == len(tasks.rows)
    assert door.perform(caller, "proposals.list", {}).count == tasks.count
    by_id = {row.task_id: row for row in tasks.rows}
    assert all(by_id[row.task_id] == row for row in digest.opportunities)
    for row in tasks.rows:
        seen, hours, after = 0, 0, ""
        while True:
            page = door.perform(caller, "observations.list", {"task_id": row.task_id, "limit": 3, "after": after})
            seen, hours, after = seen + sum(o.lines for o in page.rows), hours + len(page.rows), page.next
            if not after:
                break
        assert (page.lines, seen, hours) == (row.times, row.times, page.count), row.title
        evidence = door.perform(caller, "tasks.read", {"task_id": row.task_id}).evidence
        assert sum(e.times for e in evidence) == row.times
        assert sum(e.hours for e in evidence) == hours
    return list(tasks.rows)


def test_the_count_behind_every_number_equals_it(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any
) -> None:
    import_lines(tenant, [
        *(line(f"disk {n} full", n * HOUR) for n in range(30)),
        *(line(f"backup {n} of volume {n} failed", n * DAY) for n in range(12)),
        *(line("session opened", n) for n in range(400)),
        *(line(f"only {n} times", n) for n in range(4)),
    ], size=100)
    assert sorted(row.times for row in numbers_agree(door, cli(tenant))) == [12, 30, 400]


def test_only_the_window_up_to_the_newest_line_of_its_own_counts(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any
) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "signals.window_days", "number": 7})
    import_lines(tenant, [line(f"disk {n} full", n * DAY) for n in range(20)])
    (row,) = numbers_agree(door, cli(tenant))
    assert (row.times, row.days, row.window_days) == (7, 7, 7)
    assert row.as_of == datetime(2026, 10, 20, tzinfo=UTC)
    import_lines(tenant, [line("job 1 done", 60 * DAY)])
    (row,) = numbers_agree(door, cli(tenant))
    assert (row.times, row.as_of) == (7, datetime(2026, 10, 20, tzinfo=UTC))


def test_numbers_name_the_window_that_they_were_counted_over(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any
) -> None:
    """A changed setting counts from the next import on."""
    import_lines(tenant, [line(f"disk {n} full", n * DAY) for n in range(20)])
    door.perform(cli(tenant), "settings.change", {"name": "signals.window_days", "number": 7})
    (row,) = numbers_agree(door, cli(tenant))
    assert (row.times, row.window_days) == (20, 30)
    import_lines(tenant, [line("disk 20 full", 20 * DAY)])
    (row,) = numbers_agree(door, cli(tenant))
    assert (row.times, row.window_days) == (7, 7)


def words(line: Callable[..., Any], names: tuple[str, ...], start: int, each: int = 6) -> Lines:
    """Lines that differ in one free word; enough different words make one template of them."""
    return [
        line(f"service {name} was refused by the gateway", start + n * HOUR * 5 + k)
        for k, name in enumerate(names) for n in range(each)
    ]


def test_templates_that_become_one_in_a_later_batch_keep_every_line(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any, stored: Any
) -> None:
    lines = words(line, NAMES, 0)
    done = import_lines(tenant, lines, size=6)
    assert done.signals == 1
    assert total(stored, tenant) == len(lines)
    (row,) = numbers_agree(door, cli(tenant))
    assert (row.times, row.title) == (len(lines), "service … was refused by the gateway")


def test_tasks_that_become_one_in_a_later_import_keep_every_line(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any, stored: Any
) -> None:
    first, later = words(line, NAMES[:2], 0), words(line, NAMES[2:], 10 * DAY)
    assert import_lines(tenant, first).new_tasks == 2
    assert len(numbers_agree(door, cli(tenant))) == 2
    done = import_lines(tenant, later)
    assert done.signals == 1
    assert total(stored, tenant) == len(first) + len(later)
    rows = numbers_agree(door, cli(tenant))
    assert max(row.times for row in rows) == len(first) + len(later)


def test_a_task_that_somebody_decided_stays_when_its_signal_goes_into_another(
    door: Door, tenant: Tenant, cli: Cli, person: Any, import_lines: Any, line: Any, log: Any
) -> None:
    import_lines(tenant, words(line, NAMES[:2], 0))
    leader = person(tenant, ["change_leader"])
    for row in door.perform(leader, "proposals.list", {}).rows:
        door.perform(leader, "proposals.decide", {"proposal_id": row.proposal_id, "choice": "accept"})
    import_lines(tenant, words(line, NAMES[2:], 10 * DAY))
    rows = numbers_agree(door, leader)
    assert sorted((row.times, row.status) for row in rows) == [(0, "accepted"), (48, "accepted")]
    assert "scope.denied" not in [event for event, _, _ in log(tenant)]


def test_the_same_lines_give_the_same_numbers_however_they_are_cut(
    door: Door, make_tenant: Callable[..., Tenant], cli: Cli, import_lines: Any, line: Any
) -> None:
    lines = [*words(line, NAMES, 0), *file(line, 0, 30), *words(line, NAMES, 30 * HOUR)]
    results = []
    for size in (5000, 7):
        tenant = make_tenant()
        import_lines(tenant, lines, size=size)
        results.append(Counter((r.title, r.times, r.days) for r in numbers_agree(door, cli(tenant))))
    assert results[0] == results[1]


def forget() -> None:
    """What a restart of the process does to the miners."""
    state._kept.clear()


def test_a_restart_between_batches_changes_nothing(
    door: Door, make_tenant: Callable[..., Tenant], cli: Cli, line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advancing, "BATCH_LINES", 8)
    lines = [*words(line, NAMES, 0, each=3), *file(line, 0, 12), *words(line, NAMES[::-1], 20 * HOUR, each=3)]
    results = []
    for restart in (lambda name: None, lambda name: forget()):
        tenant = make_tenant()
        admin = cli(tenant)
        run = imports.send(door, admin, imports.as_text(lines))
        run_import(imports.Watched(imports.take(door, admin, run), before=restart))
        with door.platform.unit_of_work(tenant, ADMIN) as session:
            signals = session.execute(text("SELECT template_id, times, days, hours, constant_tokens, total_tokens"
                                           " FROM signal ORDER BY template_id"))
            results.append((list(map(tuple, signals)), [
                (r.title, r.times) for r in sorted(numbers_agree(door, admin), key=lambda r: r.title)
            ]))
    assert results[0] == results[1]


@contextmanager
def failing_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The next batch is mined and stored, and fails before it is committed."""

    def fail(*args: Any, **named: Any) -> None:
        raise RuntimeError("the machine went")

    with monkeypatch.context() as broken:
        broken.setattr(spool, "erase_counted", fail)
        yield


def test_a_batch_that_is_rolled_back_counts_nothing_and_is_counted_by_the_next_worker(
    door: Door, tenant: Tenant, cli: Cli, line: Any, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advancing, "BATCH_LINES", 16)
    admin, lines = cli(tenant), words(line, NAMES, 0)
    run = imports.send(door, admin, imports.as_text(lines))
    for counted in (0, 16, 32):
        with failing_after(monkeypatch), pytest.raises(RuntimeError):
            run_import(again(door, admin, run))
        assert total(stored, tenant) == counted
        with pytest.raises(imports.Killed):
            run_import(again(door, admin, run, after=imports.at("imports.advance", 1)))
        assert total(stored, tenant) == counted + 16
    run_import(again(door, admin, run))
    assert total(stored, tenant) == len(lines) == 48
    assert len(numbers_agree(door, admin)) == 1


def again(door: Door, admin: Caller, run: Any, **hooks: Any) -> imports.Watched:
    """The job as the next worker has it, however many it has killed."""
    with door.platform.unit_of_work(admin.tenant, ADMIN) as session:
        session.execute(text("UPDATE job SET crashes = 0"))
    return imports.Watched(imports.take(door, admin, run), **hooks)


def test_the_miner_of_a_rolled_back_batch_is_never_believed(
    door: Door, tenant: Tenant, cli: Cli, line: Any, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when another process has brought the source to the very revision that was rolled back here."""
    admin = cli(tenant)

    def count(*lines: dict[str, Any]) -> None:
        imports.work(door, admin, imports.send(door, admin, imports.as_text(lines)))

    count(line("disk 1 full", 0))
    lost = imports.send(door, admin, imports.as_text([line("never stored at all", 1)]))
    with failing_after(monkeypatch), pytest.raises(RuntimeError):
        run_import(imports.take(door, admin, lost))
    ours = dict(state._kept)
    door.perform(admin, "imports.cancel", {"import_id": lost.id})
    assert imports.work(door, admin, lost).status == "stopped"
    forget()
    count(line("another process wrote this", 2))
    state._kept.clear()
    state._kept.update(ours)
    count(line("another process wrote this", 3), line("never stored at all", 4))
    assert total(stored, tenant) == 4
    assert stored(tenant, "SELECT times FROM signal ORDER BY times") == [(1,), (1,), (2,)]


def test_two_miners_of_two_tenants_do_not_mix(
    door: Door, make_tenant: Callable[..., Tenant], cli: Cli, import_lines: Any, line: Any
) -> None:
    one, two = make_tenant(), make_tenant()
    import_lines(one, words(line, NAMES, 0))
    import_lines(two, [line(f"disk {n} full", n) for n in range(9)])
    import_lines(one, [line(f"disk {n} full", n) for n in range(9)])
    titles = [[row.title for row in numbers_agree(door, cli(tenant))] for tenant in (one, two)]
    assert sorted(titles[0]) == ["disk … full", "service … was refused by the gateway"]
    assert titles[1] == ["disk … full"]


def test_sources_are_one_for_each_department_and_each_counts_for_itself(
    door: Door, tenant: Tenant, cli: Cli, department: Any, import_lines: Any, line: Any
) -> None:
    department(tenant, "claims")
    for name in ("claims", None, "claims"):
        import_lines(tenant, file(line, 0, 30), name)
    rows = door.perform(cli(tenant), "sources.list", {}).sources
    assert sorted(row.name for row in rows) == ["Log files, Claims", "Log files, no department"]
    assert [row.last_import.added for row in rows] == [0, 40]
    assert sorted(row.times for row in numbers_agree(door, cli(tenant))) == [40, 40]


@pytest.mark.parametrize("message", [
    "x" * 65_000, "é" * 10_000, "a " * 32_000, "\x01 " * 9_000, '"' * 32_000, "\\" * 32_000, "<*> <#> <*>", "a" * 300,
    " ".join(NAMES) * 50, "1 2 3", "\U0001f600 " * 3000, "x\ty\x85z\u2028w",
])
def test_any_message_is_counted(
    door: Door, shared: Tenant, cli: Cli, import_lines: Any, line: Any, own_department: str, message: str
) -> None:
    lines = [line(message, n, raw=f"{n}") for n in range(6)]
    assert import_lines(shared, lines, own_department, size=3).added == 6
    (row,) = door.perform(cli(shared), "tasks.list", {"department": own_department}).rows
    assert row.times == 6
    assert door.perform(cli(shared), "observations.list", {"task_id": row.task_id}).lines == 6
    door.perform(cli(shared), "proposals.read", {"proposal_id": row.proposal_id})


def test_an_import_of_nothing_is_an_import(door: Door, tenant: Tenant, cli: Cli, import_lines: Any) -> None:
    done = import_lines(tenant, [])
    assert (done.lines, done.signals, done.new_tasks) == (0, 0, 0)
    (row,) = door.perform(cli(tenant), "sources.list", {}).sources
    assert (row.as_of, row.signals) == (None, 0)
