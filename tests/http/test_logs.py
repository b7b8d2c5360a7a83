"""The log: one JSON object a line, from everybody, without content."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from io import StringIO

import pytest

from workreef_app.http import logs


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], StringIO]]:
    """Sets logging up as in the server; gives what is written to standard error from then on."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def begin() -> StringIO:
        written = StringIO()
        monkeypatch.setattr(sys, "stderr", written)
        logs.configure()
        return written

    yield begin
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(log: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_ours_are_told_in_full_and_others_only_as_they_are_written(configure: Callable[[], StringIO]) -> None:
    log = configure()
    logging.getLogger("workreef.http").info("took %s", "9 ms")
    logging.getLogger("some.library").warning("event %s of %s", "secret-1", {"cookie": "secret-2"})
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <exception=Fault('secret-3')>")
    logging.getLogger("some.library").info("not a warning")
    logging.getLogger("workreefer").warning("%s", "secret-4")
    assert [line["message"] for line in lines(log)] == [
        "took 9 ms", "event %s of %s", "Task exception was never retrieved", "%s",
    ]
    assert "secret" not in log.getvalue()


def test_an_exception_is_told_by_its_places(configure: Callable[[], StringIO]) -> None:
    log = configure()
    try:
        raise ValueError("secret")
    except ValueError as error:
        logging.getLogger("some.library").exception("failed")
        logging.getLogger("workreef.http").error("failed", exc_info=error)
    for line in lines(log):
        assert line["where"] == [f"test_logs.py:{line_of_raise()} test_an_exception_is_told_by_its_places"]
    assert "secret" not in log.getvalue()


def line_of_raise() -> int:
    code = test_an_exception_is_told_by_its_places.__code__
    return code.co_firstlineno + 3


def test_a_library_with_a_handler_of_its_own_writes_no_second_way(configure: Callable[[], StringIO]) -> None:
    library, other = logging.getLogger("library.with.handler"), StringIO()
    library.addHandler(logging.StreamHandler(other))
    library.propagate = False
    log = configure()
    library.error("failed with %s", "secret")
    assert not other.getvalue()
    assert [line["message"] for line in lines(log)] == ["failed with %s"]


def test_only_known_fields_are_written(configure: Callable[[], StringIO]) -> None:
    log = configure()
    logging.getLogger("workreef.access").info("request", extra={"path": "/a", "status": 200, "body": "secret"})
    (line,) = lines(log)
    assert set(line) == {"at", "level", "logger", "message", "path", "status"}
