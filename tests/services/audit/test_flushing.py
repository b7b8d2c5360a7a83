"""Shared flushes: everybody returns only after a flush that began after they came, whoever made it."""

from __future__ import annotations

import threading
from itertools import count

import pytest

from workreef_app.services.audit.flushing import SharedFlush

WAIT_SECONDS = 10.0


class Disk:
    """Remembers which commits each flush covered. A flush under way is let on by `go`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.committed: list[int] = []
        self.durable: set[int] = set()
        self.flushes = 0
        self.begun = threading.Event()
        self.go = threading.Event()
        self.fails = 0

    def commit(self, number: int) -> None:
        with self.lock:
            self.committed.append(number)

    def flush(self) -> None:
        with self.lock:
            covered = list(self.committed)
            self.flushes += 1
            fails = self.flushes <= self.fails
        self.begun.set()
        assert self.go.wait(WAIT_SECONDS)
        if fails:
            raise OSError("the connection is gone")
        with self.lock:
            self.durable.update(covered)


def started(target: object, number: int) -> threading.Thread:
    thread = threading.Thread(target=target, args=(number,))  # type: ignore[arg-type]
    thread.start()
    return thread


def waiting(shared: SharedFlush, wanted: int) -> None:
    """Returns once so many wait for the next flush."""
    deadline = threading.Event()
    for _ in range(2000):
        if len(shared._waiting) == wanted:
            return
        deadline.wait(0.005)
    raise AssertionError(f"{len(shared._waiting)} wait, not {wanted}")


def test_many_share_one_flush_that_began_after_them() -> None:
    disk, shared = Disk(), SharedFlush()

    def write(number: int) -> None:
        disk.commit(number)
        shared.wait(disk.flush, connected=0.0, began=1.0)
        assert number in disk.durable

    first = started(write, 0)
    assert disk.begun.wait(WAIT_SECONDS)
    others = [started(write, number) for number in range(1, 9)]
    waiting(shared, 8)
    assert not disk.durable
    disk.go.set()
    for thread in [first, *others]:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    assert disk.durable == set(range(9))
    assert disk.flushes == 2


def test_who_waits_for_a_flush_that_failed_makes_their_own() -> None:
    disk, shared = Disk(), SharedFlush()
    disk.fails = 2
    outcomes: dict[int, bool] = {}

    def write(number: int) -> None:
        disk.commit(number)
        try:
            shared.wait(disk.flush, connected=0.0, began=1.0)
            outcomes[number] = True
        except OSError:
            outcomes[number] = False
        assert outcomes[number] == (number in disk.durable) or not outcomes[number]

    threads = [started(write, 0)]
    assert disk.begun.wait(WAIT_SECONDS)
    threads += [started(write, number) for number in range(1, 5)]
    waiting(shared, 4)
    disk.go.set()
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    assert sorted(outcomes) == list(range(5))
    assert [outcomes[n] for n in range(5)].count(False) == 2
    assert all(n in disk.durable for n, done in outcomes.items() if done)


def test_the_first_alone_flushes_at_once_and_hears_of_its_own_failure() -> None:
    disk, shared = Disk(), SharedFlush()
    disk.go.set()
    shared.wait(disk.flush, connected=0.0, began=1.0)
    assert disk.flushes == 1
    disk.fails = 5
    with pytest.raises(OSError, match="gone"):
        shared.wait(disk.flush, connected=0.0, began=1.0)
    disk.fails = 0
    shared.wait(disk.flush, connected=0.0, began=1.0)
    assert disk.flushes == 3


def test_nothing_is_lost_under_contention() -> None:
    disk, shared, numbers = Disk(), SharedFlush(), count()
    disk.go.set()
    failures: list[int] = []

    def write(_: int) -> None:
        for _ in range(300):
            number = next(numbers)
            disk.commit(number)
            shared.wait(disk.flush, connected=0.0, began=1.0)
            if number not in disk.durable:
                failures.append(number)

    threads = [started(write, number) for number in range(12)]
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures
    assert not shared._busy
    assert not shared._waiting


def test_a_connection_that_was_opened_after_the_work_began_serves_nobody_else() -> None:
    """The server may have crashed in between, and lost what the other committed."""
    disk, shared = Disk(), SharedFlush()
    order: list[int] = []

    def write(number: int) -> None:
        disk.commit(number)
        shared.wait(disk.flush, connected=float(number), began=float(number))
        order.append(number)

    threads = [started(write, 9)]
    assert disk.begun.wait(WAIT_SECONDS)
    threads += [started(write, number) for number in (7, 3, 5)]
    waiting(shared, 3)
    disk.go.set()
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    assert sorted(order) == [3, 5, 7, 9]
    # 3 is served by no connection but its own; 5 by its own or that of 3; 7 by any of the three.
    assert 3 <= disk.flushes <= 4
