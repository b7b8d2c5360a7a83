"""Counts in a real Redis: shared by processes, and counted by each process alone while it is away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from workreef_app.services.access.operations import SessionGranted
from workreef_app.services.door import Caller, Door
from workreef_app.services.limiting.limiter import Limiter
from workreef_app.services.operation import Limited, SignInRefused
from workreef_app.services.posture import watching
from workreef_app.services.tenancy.platform import Tenant

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Redis:
    """A Redis server on a socket of its own, that can be killed and started again."""

    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "these tests need redis-server (Debian: redis-server)"
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no",
                   "--dir", str(self.folder)]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.socket.exists)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.socket.unlink(missing_ok=True)
            self.process = None


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


@pytest.fixture
def redis() -> Iterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="workreef-redis-") as folder:
        server = Redis(Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture
def limiters(redis: Redis) -> Iterator[Callable[[], Limiter]]:
    """Makes limiters of several processes on one Redis."""
    made: list[Limiter] = []

    def make() -> Limiter:
        limiter = Limiter(redis.url)
        limiter._shared._pause = 0.02  # type: ignore[union-attr]
        made.append(limiter)
        return limiter

    yield make
    for limiter in made:
        limiter.close()


def test_processes_count_together(limiters: Callable[[], Limiter]) -> None:
    one, two = limiters(), limiters()
    assert [limiter.hit("3/minute", "a").allowed for limiter in (one, two, one, two)] == [True, True, True, False]
    standing = one.hit("3/minute", "a")
    assert (standing.amount, standing.window, standing.remaining) == (3, 60, 0)
    assert 0 < standing.reset <= 60
    one.clear("3/minute", "a")
    assert two.hit("3/minute", "a").remaining == 2
    assert not one.degraded()


def test_no_call_is_refused_or_held_up_because_redis_is_away(redis: Redis, limiters: Callable[[], Limiter]) -> None:
    limiter = limiters()
    assert limiter.hit("3/minute", "a").remaining == 2
    redis.kill()
    began = time.monotonic()
    counts = [limiter.hit("3/minute", "a") for _ in range(4)]
    assert [c.allowed for c in counts] == [True, True, True, False], "the process's own memory limits meanwhile"
    for _ in range(1000):
        limiter.hit("5000/minute", "b")
    assert time.monotonic() - began < 2.0
    assert limiter.degraded()
    redis.start()
    wait_until(lambda: not limiter.degraded())
    assert limiter.hit("3/minute", "a").remaining == 2, "Redis counts again"


def test_a_redis_that_accepts_and_says_nothing_holds_up_one_call_alone(
    redis: Redis, limiters: Callable[[], Limiter]
) -> None:
    limiter = limiters()
    limiter.hit("3/minute", "a")
    assert redis.process is not None
    os.kill(redis.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(50):
            limiter.hit("500/minute", "b")
        assert time.monotonic() - began < 1.0
    finally:
        os.kill(redis.process.pid, signal.SIGCONT)
    wait_until(lambda: not limiter.degraded())


def test_an_address_where_nothing_listens_is_no_fault_of_the_caller() -> None:
    limiter = Limiter("redis://127.0.0.1:1/0")
    assert limiter.hit("1/minute", "a").allowed
    assert not limiter.hit("1/minute", "a").allowed
    assert limiter.degraded()
    limiter.close()


def test_without_redis_nothing_is_degraded() -> None:
    assert not Limiter().degraded()


@pytest.fixture
def on_redis(door: Door, limiters: Callable[[], Limiter], monkeypatch: pytest.MonkeyPatch) -> Door:
    """The door, counting in Redis."""
    monkeypatch.setattr(door.limits, "limiter", limiters())
    return door


def test_sign_in_goes_on_and_stays_limited_while_redis_is_away(
    on_redis: Door, redis: Redis, tenant: Tenant, person: Callable[..., Caller], browser: Callable[[Tenant], Caller]
) -> None:
    person(tenant, ["operator"], ["claims"], email="ann@example.com")
    right, wrong = ({"email": "ann@example.com", "password": p} for p in (PASSWORD, "x" * 12))
    at = replace(browser(tenant), address="10.1.1.1")
    assert isinstance(on_redis.perform(at, "sessions.start", right), SessionGranted)
    redis.kill()
    assert isinstance(on_redis.perform(at, "sessions.start", right), SessionGranted)
    for _ in range(19):
        with pytest.raises(SignInRefused):
            on_redis.perform(at, "sessions.start", wrong)
    with pytest.raises(Limited):
        on_redis.perform(at, "sessions.start", right)


def test_the_watch_notes_it_and_raises_the_alarm_until_redis_answers(on_redis: Door, redis: Redis) -> None:
    told: list[tuple[str, str]] = []

    def tell(slug: str, operation: str, payload: dict[str, str]) -> None:
        if payload["kind"] == "limiter_unreachable":
            told.append((slug, operation))

    watch = watching.Watch(on_redis.platform, tell, on_redis.limits.limiter.degraded)
    tenants = len(on_redis.platform.tenants())
    watch.look(NOW)
    assert told == []
    redis.kill()
    for seconds in (10, 15, 20, 30):
        watch.look(NOW + timedelta(seconds=seconds))
        assert len(told) == (0 if seconds < 20 else tenants)
    assert {operation for _, operation in told} == {"alarms.raise"}
    told.clear()
    redis.start()
    wait_until(lambda: not on_redis.limits.limiter.degraded())
    watch.look(NOW + timedelta(seconds=40))
    watch.look(NOW + timedelta(seconds=50))
    assert {operation for _, operation in told} == {"alarms.clear"}
    assert len(told) == tenants
