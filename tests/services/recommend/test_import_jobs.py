"""Whatever is killed, cancelled or broken: each line is counted once, and nothing raw stays."""

from __future__ import annotations

import gzip
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests import imports
from workreef_app.services.door import Caller, Door, JobClaim
from workreef_app.services.jobs.kinds import Cancelled, Released
from workreef_app.services.jobs.ledger import Fenced
from workreef_app.services.operation import Actor, Conflict, DiskFull, Reach
from workreef_app.services.recommend.jobs import run_import
from workreef_app.services.signals import advancing, spool
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
ADMIN = Actor(id="test", extra_reach=frozenset(Reach))
LINES = 60
STEPS = 4


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of fifteen lines, so that a small file takes several."""
    monkeypatch.setattr(advancing, "BATCH_LINES", LINES // STEPS)


@pytest.fixture
def admin(tenant: Tenant, cli: Cli) -> Caller:
    return cli(tenant)


def content(first: int = 0, last: int = LINES, word: str = "zebra") -> bytes:
    """Lines of three hours each; every fourth is there twice."""
    rows = []
    for n in range(first, last):
        day, hour = 1 + n // 8, 3 * (n % 8)
        row = f"2026-10-{day:02}T{hour:02}:00:00Z patient {word} {n // 4 if n % 4 == 3 else n} waits\n"
        rows.append(row)
    return "".join(rows).encode()


def query(door: Door, admin: Caller, sql: str) -> list[Any]:
    with door.platform.unit_of_work(admin.tenant, ADMIN) as session:
        return [tuple(row) for row in session.execute(text(sql))]


def total(door: Door, admin: Caller) -> int:
    return int(query(door, admin, "SELECT coalesce(sum(lines), 0) FROM observation")[0][0])


def spooled(door: Door, admin: Caller) -> int:
    return int(query(door, admin, "SELECT count(*) FROM spool_chunk")[0][0])


def read(door: Door, admin: Caller, run: Any) -> Any:
    return door.perform(admin, "imports.read", {"import_id": run.id})


def forgive(door: Door, admin: Caller) -> None:
    """The job has killed nobody yet: these tests kill more workers than quarantine allows."""
    with door.platform.unit_of_work(admin.tenant, ADMIN) as session:
        session.execute(text("UPDATE job SET crashes = 0"))


def is_whole(door: Door, admin: Caller, run: Any, lines: int = LINES) -> None:
    """Each line is counted once, and nothing of the file is left."""
    done = imports.work(door, admin, run)
    assert (done.status, done.lines, done.added, done.repeated) == ("finished", lines, lines, 0)
    assert done.bytes_counted == done.bytes_received
    assert (total(door, admin), spooled(door, admin)) == (lines, 0)


PLACES = [
    ("before", "imports.take_up", 1), ("after", "imports.take_up", 1), ("before", "imports.chunk", 2),
    ("before", "imports.advance", 1), ("after", "imports.advance", 1), ("before", "imports.advance", 3),
    ("after", "imports.advance", 3), ("after", "imports.advance", STEPS), ("before", "imports.finish", 1),
    ("after", "imports.finish", 1),
]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("when", "name", "times"), PLACES)
def test_a_worker_killed_anywhere_costs_no_line_and_doubles_none(
    door: Door, admin: Caller, when: str, name: str, times: int, packed: bool
) -> None:
    file = gzip.compress(content()) if packed else content()
    run = imports.send(door, admin, file, chunk=300, gzip=packed)
    worker = imports.Watched(imports.take(door, admin, run), **{when: imports.at(name, times)})
    with pytest.raises(imports.Killed):
        run_import(worker)
    is_whole(door, admin, run)


@pytest.mark.parametrize("seed", range(4))
def test_workers_killed_again_and_again_cost_no_line(door: Door, admin: Caller, seed: int) -> None:
    chance = random.Random(seed)

    def perhaps(name: str) -> None:
        if chance.random() < 0.2:
            raise imports.Killed

    run = imports.send(door, admin, content(), chunk=200)
    for _ in range(12):
        forgive(door, admin)
        try:
            run_import(imports.Watched(imports.take(door, admin, run), before=perhaps, after=perhaps))
        except imports.Killed:
            continue
        break
    forgive(door, admin)
    is_whole(door, admin, run)


def test_chunks_are_erased_as_they_are_counted(door: Door, admin: Caller) -> None:
    run = imports.send(door, admin, content(), chunk=100)
    left: list[int] = []

    def look(name: str) -> None:
        if name == "imports.advance":
            left.append(spooled(door, admin))

    run_import(imports.Watched(imports.take(door, admin, run), after=look))
    assert left == sorted(left, reverse=True)
    assert left[0] < run.chunks
    assert left[-1] == 0


def test_a_worker_that_was_given_up_does_nothing_more(door: Door, admin: Caller) -> None:
    run = imports.send(door, admin, content())
    zombie = imports.take(door, admin, run)
    resume = threading.Event()
    asleep = threading.Event()
    ended: list[BaseException] = []

    def sleep(name: str) -> None:
        if name == "imports.advance":
            asleep.set()
            assert resume.wait(60)

    def wander() -> None:
        try:
            run_import(imports.Watched(zombie, before=sleep))
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=wander)
    thread.start()
    assert asleep.wait(60)
    is_whole(door, admin, run)
    resume.set()
    thread.join(60)
    assert [type(error) for error in ended] == [Fenced]
    assert total(door, admin) == LINES


STEP = {
    "batch": 0, "lines": [], "skipped": {"undated": 2}, "bytes_counted": 9,
    "state": {"bytes_read": 9, "after_record": False, "begun": True, "in_long_line": False},
}


@pytest.mark.parametrize(("name", "more"), [
    ("imports.take_up", {}), ("imports.chunk", {"number": 0}), ("imports.advance", STEP), ("imports.finish", {}),
])
def test_no_step_is_taken_under_an_old_claim_or_without_a_job(
    door: Door, admin: Caller, name: str, more: dict[str, Any]
) -> None:
    run = imports.send(door, admin, content())
    old = imports.take(door, admin, run)
    imports.take(door, admin, run)
    before = read(door, admin, run)
    with pytest.raises(Fenced):
        old.perform(name, {"import_id": run.id, **more})
    for claim in (JobClaim(run.job_id), JobClaim(run.id, 1)):
        with pytest.raises(Fenced):
            door.perform(Caller(admin.tenant, "test", job=claim), name, {"import_id": run.id, **more})
    assert read(door, admin, run) == before


def test_a_step_that_is_repeated_under_the_same_claim_is_done_once(door: Door, admin: Caller) -> None:
    run = imports.send(door, admin, content())
    worker = imports.take(door, admin, run)
    worker.perform("imports.take_up", {"import_id": run.id})
    first = worker.perform("imports.advance", {"import_id": run.id, **STEP})
    assert worker.perform("imports.advance", {"import_id": run.id, **STEP}) == first
    assert first.lines == 2
    with pytest.raises(Conflict, match="batch 1 is next"):
        worker.perform("imports.advance", {"import_id": run.id, **STEP, "batch": 5})


def test_two_workers_at_once_count_each_line_once(door: Door, admin: Caller) -> None:
    """The second one takes the job from the first, which is alive, as a reclaimer that errs would."""
    run = imports.send(door, admin, content(), chunk=150)
    workers = [imports.take(door, admin, run) for _ in range(2)]
    ended: list[object] = []

    def count(worker: Any) -> None:
        try:
            run_import(worker)
            ended.append("done")
        except Fenced:
            ended.append("fenced")

    threads = [threading.Thread(target=count, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, ended)) == ["done", "fenced"]
    assert (total(door, admin), spooled(door, admin), read(door, admin, run).added) == (LINES, 0, LINES)


def test_imports_into_one_source_are_counted_one_after_the_other(door: Door, admin: Caller) -> None:
    """Equal lines are told apart by their import, so two at once would count some too few."""
    first, second = (imports.send(door, admin, content()) for _ in range(2))
    with pytest.raises(imports.Killed):
        run_import(imports.Watched(imports.take(door, admin, first), after=imports.at("imports.advance", 2)))
    with pytest.raises(Released) as waits:
        run_import(imports.take(door, admin, second))
    assert 2 <= waits.value.delay <= 30
    assert read(door, admin, second).status == "queued"
    assert imports.work(door, admin, first).added == LINES
    known = imports.work(door, admin, second)
    assert (known.status, known.added, known.repeated) == ("finished", 0, LINES)


def test_imports_into_two_sources_do_not_wait_for_each_other(door: Door, admin: Caller, department: Any) -> None:
    department(admin.tenant, "claims")
    first, second = imports.send(door, admin, content()), imports.send(door, admin, content(), "claims")
    with pytest.raises(imports.Killed):
        run_import(imports.Watched(imports.take(door, admin, first), after=imports.at("imports.advance", 1)))
    assert imports.work(door, admin, second).added == LINES


def numbers_agree(door: Door, admin: Caller) -> int:
    """The task's number is that of the rows behind it, at this moment; how many lines it is."""
    (task,) = door.perform(admin, "tasks.list", {}).rows
    rows = door.perform(admin, "observations.list", {"task_id": task.task_id, "limit": 200})
    assert task.times == rows.lines == sum(row.lines for row in rows.rows)
    assert rows.count == len(rows.rows)
    return int(task.times)


def test_numbers_agree_with_the_rows_behind_them_at_every_step(door: Door, admin: Caller) -> None:
    imports.work(door, admin, imports.send(door, admin, content(0, 20)))
    run, seen = imports.send(door, admin, content()), []

    def look(name: str) -> None:
        if name == "imports.advance":
            seen.append(numbers_agree(door, admin))

    run_import(imports.Watched(imports.take(door, admin, run), after=look))
    assert seen == [20, 30, 45, 60]
    assert numbers_agree(door, admin) == LINES


def cancel(door: Door, admin: Caller, run: Any) -> Any:
    return door.perform(admin, "imports.cancel", {"import_id": run.id})


def test_an_import_that_receives_is_cancelled_at_once(door: Door, admin: Caller) -> None:
    run = door.perform(admin, "imports.start", {"kind": "log_file", "file_name": "a.log"})
    door.perform(admin, "imports.add_chunk", {"import_id": run.id, "number": 0, "content": content()})
    now = cancel(door, admin, run)
    assert (now.status, now.reason, now.told) == ("stopped", "cancelled", "It was cancelled.")
    assert now.finished_at is not None
    assert spooled(door, admin) == 0
    for name, more in (("add_chunk", {"number": 1, "content": b"x"}), ("close", {"whole": True})):
        with pytest.raises(Conflict):
            door.perform(admin, f"imports.{name}", {"import_id": run.id, **more})


def test_a_queued_import_is_cancelled_at_once_and_its_job_with_it(door: Door, admin: Caller) -> None:
    run = imports.send(door, admin, content())
    assert cancel(door, admin, run).reason == "cancelled"
    assert query(door, admin, "SELECT status FROM job") == [("cancelled",)]
    after = imports.work(door, admin, run)
    assert (after.status, after.lines, spooled(door, admin)) == ("stopped", 0, 0)


@pytest.mark.parametrize("by", ["imports.cancel", "jobs.cancel"])
def test_a_running_import_is_cancelled_at_its_next_step_and_keeps_what_it_counted(
    door: Door, admin: Caller, by: str
) -> None:
    run = imports.send(door, admin, content())
    key = {"imports.cancel": {"import_id": run.id}, "jobs.cancel": {"job_id": run.job_id}}[by]
    count = iter(range(9))

    def interrupt(name: str) -> None:
        if name == "imports.advance" and next(count) == 1:
            door.perform(admin, by, key)

    worker = imports.take(door, admin, run)
    with pytest.raises(Cancelled):
        run_import(imports.Watched(worker, after=interrupt))
    assert read(door, admin, run).status == "running"
    worker.perform("jobs.end", {"outcome": "cancelled"})
    now = read(door, admin, run)
    assert (now.status, now.reason, now.added, now.new_tasks) == ("stopped", "cancelled", 30, 1)
    assert (total(door, admin), spooled(door, admin)) == (30, 0)
    assert numbers_agree(door, admin) == 30
    whole = imports.work(door, admin, imports.send(door, admin, content()))
    assert (whole.added, whole.repeated, total(door, admin)) == (30, 30, LINES)


def test_an_import_whose_worker_died_is_cancelled_by_the_next(door: Door, admin: Caller) -> None:
    run = imports.send(door, admin, content())
    with pytest.raises(imports.Killed):
        run_import(imports.Watched(imports.take(door, admin, run), after=imports.at("imports.advance", 1)))
    assert cancel(door, admin, run).status == "running"
    now = imports.work(door, admin, run)
    assert (now.reason, now.added, total(door, admin), spooled(door, admin)) == ("cancelled", 15, 15, 0)


def test_what_has_ended_is_not_cancelled(door: Door, admin: Caller) -> None:
    run = imports.send(door, admin, content())
    imports.work(door, admin, run)
    with pytest.raises(Conflict, match="finished already"):
        cancel(door, admin, run)
    other = imports.send(door, admin, content())
    cancel(door, admin, other)
    with pytest.raises(Conflict, match="stopped already"):
        cancel(door, admin, other)
    with pytest.raises(Conflict, match="has been erased"):
        door.perform(admin, "jobs.retry", {"job_id": other.job_id})


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_file_that_was_cut_off_counts_up_to_its_last_whole_line(door: Door, admin: Caller, packed: bool) -> None:
    # At its fourth step the plain one ends within a line; packed data ends wherever it can be unpacked to.
    file = gzip.compress(content())[:-40] if packed else content()[:-10]
    done = imports.work(door, admin, imports.send(door, admin, file, whole=False, gzip=packed))
    assert (done.status, done.reason) == ("stopped", "interrupted")
    assert done.told == "The file stopped coming before its end."
    assert 0 < done.lines == done.added == total(door, admin) < LINES
    if not packed:
        assert done.lines == LINES - 1
    assert spooled(door, admin) == 0
    assert imports.work(door, admin, imports.send(door, admin, content())).added == LINES - done.added


@pytest.mark.parametrize(("file", "packed", "fault", "kept"), [
    (b"\x1f\x8b\x08\x00" + b"x" * 50, False, "gzip", 0),
    ("2026-10-01 a\n".encode("utf-16"), False, "utf_16", 0),
    (b"a\x00\x00b\x00c\x01\x00\x00\n", False, "binary", 0),
    (content(), True, "not_gzip", 0),
    (gzip.compress(gzip.compress(content())), True, "gzip_twice", 0),
    (gzip.compress(content()) + b"rubbish", True, "gzip_damaged", LINES),
])
def test_a_file_that_cannot_be_read_ends_at_once_and_says_why(
    door: Door, admin: Caller, file: bytes, packed: bool, fault: str, kept: int
) -> None:
    run = imports.send(door, admin, file, gzip=packed)
    done = imports.work(door, admin, run)
    assert (done.status, done.reason, done.fault) == ("stopped", "unreadable", fault)
    assert done.told.startswith(("This", "The gzip data"))
    assert (done.added, spooled(door, admin)) == (kept, 0)
    assert query(door, admin, "SELECT status FROM job") == [("done",)]


def test_a_full_disk_stops_the_import_which_goes_on_once_there_is_room(
    door: Door, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = imports.send(door, admin, content())
    erase, count = spool.erase_counted, iter(range(9))

    def full(*arguments: Any) -> None:
        if next(count) == 2:
            raise DiskFull
        erase(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(spool, "erase_counted", full)
        stopped = imports.work(door, admin, run)
    assert (stopped.status, stopped.reason, stopped.added) == ("stopped", "disk_full", 30)
    assert "free some space" in stopped.told
    assert query(door, admin, "SELECT status, error FROM job") == [("failed", "disk_full")]
    assert (total(door, admin), spooled(door, admin)) == (30, 1)
    door.perform(admin, "jobs.retry", {"job_id": run.job_id})
    assert read(door, admin, run).status == "queued"
    is_whole(door, admin, run)


@pytest.fixture
def failed(door: Door, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An import that has counted a part and failed three times."""
    run = imports.send(door, admin, content())
    with pytest.raises(imports.Killed):
        run_import(imports.Watched(imports.take(door, admin, run), after=imports.at("imports.advance", 1)))

    def fail(*arguments: Any) -> None:
        raise RuntimeError("patient zebra")

    with monkeypatch.context() as broken:
        broken.setattr(spool, "erase_counted", fail)
        for _ in range(3):
            stopped = imports.work(door, admin, run)
    assert (stopped.status, stopped.reason, stopped.added) == ("stopped", "failed", 15)
    return stopped


def test_an_import_that_failed_is_taken_up_again(door: Door, admin: Caller, failed: Any) -> None:
    assert "retry its job" in failed.told
    door.perform(admin, "jobs.retry", {"job_id": failed.job_id})
    is_whole(door, admin, failed)


def test_an_import_that_failed_can_be_given_up(door: Door, admin: Caller, failed: Any) -> None:
    assert spooled(door, admin) == 1
    now = cancel(door, admin, failed)
    assert (now.reason, now.new_tasks, spooled(door, admin)) == ("cancelled", 1, 0)
    with pytest.raises(Conflict, match="has been erased"):
        door.perform(admin, "jobs.retry", {"job_id": failed.job_id})


def test_another_import_into_the_source_ends_the_chance_of_one_that_failed(
    door: Door, admin: Caller, failed: Any
) -> None:
    whole = imports.work(door, admin, imports.send(door, admin, content()))
    assert (whole.added, total(door, admin), spooled(door, admin)) == (LINES - 15, LINES, 0)
    with pytest.raises(Conflict, match="Import it again"):
        door.perform(admin, "jobs.retry", {"job_id": failed.job_id})


def test_a_job_in_quarantine_stops_its_import_which_can_be_retried(door: Door, admin: Caller) -> None:
    run = imports.send(door, admin, content())
    for _ in range(3):
        with pytest.raises(imports.Killed):
            run_import(imports.Watched(imports.take(door, admin, run), before=imports.at("imports.advance", 1)))
    now = imports.work(door, admin, run)
    assert query(door, admin, "SELECT status FROM job") == [("quarantined",)]
    assert (now.status, now.reason, now.lines) == ("stopped", "failed", 0)
    door.perform(admin, "jobs.retry", {"job_id": run.job_id})
    is_whole(door, admin, run)


def sweep(door: Door, admin: Caller) -> Any:
    number = query(door, admin, "SELECT count(*) FROM job")[0][0]
    system = Caller(admin.tenant, "test", system="scheduler")
    job_id = door.perform(
        system, "jobs.schedule", {"kind": "import_sweep", "key": f"import_sweep:{number}"}
    ).job_id
    claimed = door.perform(Caller(admin.tenant, "test", job=JobClaim(job_id)), "jobs.claim", {})
    worker = Caller(admin.tenant, "test", job=JobClaim(job_id, claimed.claim))
    found = door.perform(worker, "imports.sweep", {})
    assert door.perform(worker, "imports.sweep", {}) == type(found)(abandoned=0, erased=0)
    return found


def test_an_import_that_nobody_sends_any_more_is_ended_after_an_hour(door: Door, admin: Caller, clock: Any) -> None:
    run = door.perform(admin, "imports.start", {"kind": "log_file", "file_name": "a.log"})
    clock.turn(minutes=50)
    door.perform(admin, "imports.add_chunk", {"import_id": run.id, "number": 0, "content": content()})
    clock.turn(minutes=60)
    assert sweep(door, admin).abandoned == 0
    clock.turn(seconds=1)
    assert sweep(door, admin).abandoned == 1
    now = read(door, admin, run)
    assert (now.status, now.reason, spooled(door, admin)) == ("stopped", "abandoned", 0)
    assert sweep(door, admin).abandoned == 0


def test_the_sweep_leaves_what_waits_for_its_job_and_what_may_go_on(
    door: Door, admin: Caller, failed: Any, clock: Any
) -> None:
    queued = imports.send(door, admin, content(word="yak"))
    clock.now = failed.finished_at
    clock.turn(days=3)
    assert (sweep(door, admin).erased, spooled(door, admin)) == (0, 2)
    clock.turn(seconds=1)
    assert (sweep(door, admin).erased, spooled(door, admin)) == (1, 1)
    assert read(door, admin, queued).status == "queued"
    assert read(door, admin, failed).reason == "failed"


def leftovers(sql_as_owner: Any, tenant: Tenant, word: str) -> list[str]:
    """Rows of any table of the tenant that hold the word, plain or as bytes, packed or not."""
    with sql_as_owner(tenant) as owner:
        tables = [r[0] for r in owner.execute("SELECT relname FROM pg_class WHERE relkind = 'r'"
                                              " AND relnamespace = 'public'::regnamespace")]
        rows = [str(row) for table in tables for row in owner.execute(f'SELECT t::text FROM "{table}" t')]
    assert len(rows) > 20
    return [row for row in rows if word in row or word.encode().hex() in row]


def test_no_raw_text_is_left_and_the_spool_is_empty_however_an_import_ends(
    door: Door, admin: Caller, tenant: Tenant, sql_as_owner: Any, department: Any
) -> None:
    for slug in ("finished", "cancelled", "interrupted", "unreadable", "failed"):
        department(tenant, slug)
    assert imports.work(door, admin, imports.send(door, admin, content(), "finished", name="zebra")).reason is None
    cancel(door, admin, imports.send(door, admin, content(), "cancelled", name="zebra"))
    imports.work(door, admin, imports.send(door, admin, content()[:-9], "interrupted", whole=False))
    damaged = gzip.compress(content()) + b"rubbish"
    imports.work(door, admin, imports.send(door, admin, damaged, "unreadable", gzip=True))
    assert spooled(door, admin) == 0
    waiting = imports.send(door, admin, content(), "failed")
    assert leftovers(sql_as_owner, tenant, "zebra") == []
    cancel(door, admin, waiting)
    assert spooled(door, admin) == 0
    reasons = query(door, admin, "SELECT reason FROM import_run ORDER BY id")
    assert reasons == [(None,), ("cancelled",), ("interrupted",), ("unreadable",), ("cancelled",)]


def test_an_empty_file_and_one_without_a_usable_line_are_imports(door: Door, admin: Caller) -> None:
    empty = imports.work(door, admin, imports.send(door, admin, b""))
    assert (empty.status, empty.lines, empty.signals) == ("finished", 0, 0)
    useless = imports.work(door, admin, imports.send(door, admin, b"\n" * 5000 + b"no time"))
    assert (useless.status, useless.lines) == ("finished", 5001)
    assert useless.skipped == {"empty": 5000, "undated": 1}


def test_zone_and_year_date_the_lines_that_lack_them(door: Door, admin: Caller) -> None:
    imports.work(door, admin, imports.send(
        door, admin, b"Jan  1 00:30:00 host app: disk full\n", timezone="Europe/Berlin", year=2020
    ))
    (source,) = door.perform(admin, "sources.list", {}).sources
    assert source.as_of.isoformat() == "2019-12-31T23:30:00+00:00"
