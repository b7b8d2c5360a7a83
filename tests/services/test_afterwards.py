"""What is done after the answer: in order, all of it, and whatever fails."""

from __future__ import annotations

import logging
import threading

import pytest

from workreef_app.services.afterwards import Afterwards


def test_it_does_one_after_the_other_in_a_thread_of_its_own() -> None:
    later, done = Afterwards(), []
    for number in range(50):
        later.do(lambda number=number: done.append((number, threading.get_ident())))  # type: ignore[misc]
    later.settle()
    assert [number for number, _ in done] == list(range(50))
    assert {thread for _, thread in done} != {threading.get_ident()}
    assert len({thread for _, thread in done}) == 1


def test_what_fails_is_logged_by_its_kind_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    later, done = Afterwards(), []

    def fail() -> None:
        raise RuntimeError("planted content")

    with caplog.at_level(logging.ERROR, logger="workreef.afterwards"):
        later.do(fail)
        later.do(lambda: done.append(1))
        later.settle()
    assert done == [1]
    (record,) = caplog.records
    assert record.__dict__["error"] == "RuntimeError"
    assert "planted" not in caplog.text


def test_where_too_many_wait_the_next_is_done_at_once() -> None:
    later, release, done = Afterwards(waiting=2), threading.Event(), []
    later.do(lambda: release.wait(30))
    later.do(lambda: done.append("waited"))
    later.do(lambda: done.append("at once"))
    assert done == ["at once"], "by whoever brought it, who is held back so"
    release.set()
    later.settle()
    assert done == ["at once", "waited"]
    later.do(lambda: done.append("room again"))
    later.settle()
    assert done[-1] == "room again"


def test_closing_waits_for_what_is_left() -> None:
    later, release, done = Afterwards(), threading.Event(), []
    later.do(lambda: release.wait(30))
    later.do(lambda: done.append(1))
    threading.Timer(0.05, release.set).start()
    later.close()
    assert done == [1]
    with pytest.raises(RuntimeError):
        later.do(lambda: done.append(2))
