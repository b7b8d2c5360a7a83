"""The process's own counts: a sliding window that lets no more through than it says, in bounded memory."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.limiting.limiter import terms
from workreef_app.services.limiting.memory import Memory

KEY = ("tasks.list", "harbor", "person:1")


@dataclass
class Hand:
    """A clock that stands until it is turned."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_what_a_limit_says() -> None:
    assert terms("60/minute") == (60, 60)
    assert terms("30/15 minutes") == (30, 900)
    with pytest.raises(ValueError):
        terms("often")


def test_so_many_pass_and_the_next_is_told_when_to_come_again(hand: Hand) -> None:
    memory = Memory(clock=hand)
    assert [memory.hit(KEY, 3, 60).remaining for _ in range(3)] == [2, 1, 0]
    refused = memory.hit(KEY, 3, 60)
    assert (refused.allowed, refused.remaining, refused.amount, refused.window) == (False, 0, 3, 60)
    hand.now = refused.reset - 0.01
    assert not memory.hit(KEY, 3, 60).allowed
    hand.now = refused.reset + 0.01
    assert memory.hit(KEY, 3, 60).allowed


def test_what_is_refused_is_not_counted(hand: Hand) -> None:
    memory = Memory(clock=hand)
    assert not memory.hit(KEY, 3, 60, cost=4).allowed
    assert memory.hit(KEY, 3, 60, cost=3).allowed


def test_keys_are_apart_and_can_be_forgotten(hand: Hand) -> None:
    memory = Memory(clock=hand)
    assert memory.hit(KEY, 1, 60).allowed
    assert memory.hit((*KEY, "x"), 1, 60).allowed
    assert not memory.hit(KEY, 1, 60).allowed
    memory.clear(KEY)
    assert memory.hit(KEY, 1, 60).allowed


def test_after_two_windows_all_is_forgotten(hand: Hand) -> None:
    memory = Memory(clock=hand)
    memory.hit(KEY, 10, 60, cost=10)
    hand.now = 120
    assert memory.hit(KEY, 10, 60, cost=10).allowed


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=120))
@settings(max_examples=60)
def test_no_window_lets_more_through_than_it_says(amount: int, steps: list[float]) -> None:
    """By any rhythm of calls."""
    hand = Hand()
    memory, passed = Memory(clock=hand), Counter[float]()
    for step in steps:
        hand.now += step
        standing = memory.hit(KEY, amount, 60)
        if standing.allowed:
            passed[memory._windows[KEY].begin] += 1
        else:
            assert 0 <= standing.reset <= 120
    assert all(count <= amount for count in passed.values())


@given(st.integers(1, 50), st.floats(0, 59.9), st.integers(1, 50))
@settings(max_examples=60)
def test_the_time_that_a_refusal_names_is_enough(amount: int, later: float, before: int) -> None:
    hand = Hand()
    memory = Memory(clock=hand)
    memory.hit(KEY, amount, 60, cost=min(before, amount))
    hand.now = 60 + later
    while (standing := memory.hit(KEY, amount, 60)).allowed:
        pass
    hand.now += standing.reset + 0.001
    assert memory.hit(KEY, amount, 60).allowed


def test_a_hundred_thousand_callers_take_bounded_memory(hand: Hand) -> None:
    memory = Memory(most=1000, clock=hand)
    memory.hit(KEY, 1, 60)
    for number in range(100_000):
        memory.hit(("sessions.start", "harbor", f"10.{number}"), 20, 60)
        if number % 500 == 0:
            assert not memory.hit(KEY, 1, 60).allowed, "who calls on and on is not forgotten"
    assert len(memory) == 1000


def test_the_bound_that_is_served_with_holds_a_few_megabytes() -> None:
    memory = Memory()
    for number in range(100_000):
        memory.hit(("sessions.start", "harbor", f"10.{number}"), 20, 60)
    assert len(memory) == 50_000
    each = sum(sys.getsizeof(part) for part in next(iter(memory._windows.items()))) + 3 * 60
    assert each * len(memory) < 25_000_000


def test_threads_together_pass_no_more_than_one_would() -> None:
    memory, passed = Memory(clock=Hand()), []

    def call() -> None:
        for _ in range(200):
            if memory.hit(KEY, 300, 60).allowed:
                passed.append(1)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 300
