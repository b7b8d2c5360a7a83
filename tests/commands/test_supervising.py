"""Processes that are kept up, and end with the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workreef_app.commands import supervising
from workreef_app.commands.supervising import Child

WAIT_SECONDS = 20.0
TELL = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(60)"
NEST = """
import os, sys, time
from workreef_app.commands.supervising import Child
log = open(sys.argv[1], "ab")
child = Child([sys.executable, "-c", sys.argv[2]], os.environ, log)
time.sleep(60)
"""


@pytest.fixture
def log() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "log"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "FIRST_PAUSE_SECONDS", 0.01)


def until(condition: Callable[[], Any]) -> Any:
    turn = threading.Event()
    for _ in range(int(WAIT_SECONDS / 0.02)):
        if found := condition():
            return found
        turn.wait(0.02)
    raise AssertionError("it did not come to that in time")


def told(log: Path, count: int) -> list[int] | None:
    lines = log.read_text().split() if log.exists() else []
    return [int(line) for line in lines] if len(lines) >= count else None


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_killed_process_is_begun_again_and_a_stopped_one_is_not(log: Path) -> None:
    with log.open("ab") as file:
        child = Child([sys.executable, "-c", TELL], os.environ, file)
        (first,) = until(lambda: told(log, 1))
        os.kill(first, signal.SIGKILL)
        _, second = until(lambda: told(log, 2))
        child.stop()
        child.join()
    assert gone(first)
    assert gone(second)
    assert len(told(log, 2) or []) == 2


def test_it_ends_with_the_process_that_started_it_even_a_killed_one(log: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", NEST, str(log), TELL])
    (pid,) = until(lambda: told(log, 1))
    starter.kill()
    starter.wait()
    until(lambda: gone(pid))


def test_one_that_does_not_end_is_killed(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 0.2)
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {TELL}"
    with log.open("ab") as file:
        child = Child([sys.executable, "-c", stubborn], os.environ, file)
        (pid,) = until(lambda: told(log, 1))
        child.stop()
        child.join()
    assert gone(pid)
