"""Counts in Redis, for all processes together, behind a breaker: a Redis that is away slows no call down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage.redis import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from workreef_app.services.limiting.memory import Standing

log = logging.getLogger("workreef.limits")

#: How long a connection, and an answer, may take.
PATIENCE: Final = 0.25
#: How long to wait before Redis is asked again whether it is back.
PAUSE: Final = 1.0


Answer = TypeVar("Answer")


class Away(Exception):
    """Redis does not answer now, so nothing was counted there."""


class Shared:
    """Sliding windows in Redis. Once it has failed it is left alone until a thread of its own finds it back."""

    def __init__(self, url: str, *, pause: float = PAUSE) -> None:
        uri = url.replace("unix://", "redis+unix://", 1) if url.startswith("unix://") else url
        self._storage = RedisStorage(
            uri, key_prefix="workreef", socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # passed on to the client as it is
        )
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._pause = pause
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._away = False

    def close(self) -> None:
        self._closing.set()
        client = self._storage.get_connection()
        if isinstance(client, Redis):
            client.close()

    def hit(self, key: tuple[str, ...], amount: int, window: int, cost: int = 1) -> Standing:
        """Counts a call, unless there is no room for it. Raises Away."""
        item = _item(amount, window)

        def count() -> Standing:
            allowed = self._limiter.hit(item, *key, cost=cost)
            reset, remaining = self._limiter.get_window_stats(item, *key)
            return Standing(allowed, amount, window, int(remaining), max(0.0, reset - time.time()))

        return self._guarded(count)

    def clear(self, key: tuple[str, ...], amount: int, window: int) -> None:
        """Forgets a key's calls. Raises Away."""
        self._guarded(lambda: self._limiter.clear(_item(amount, window), *key))

    def answers(self) -> bool:
        """Whether Redis answers now."""
        try:
            self._guarded(self._ping)
        except Away:
            return False
        return True

    def _ping(self) -> None:
        self._storage.get_connection().ping()

    def _guarded(self, work: Callable[[], Answer]) -> Answer:
        if self._away:
            raise Away
        try:
            return work()
        except (RedisError, OSError) as error:
            self._trip(error)
            raise Away from None

    def _trip(self, error: Exception) -> None:
        """Leaves Redis alone from now on, and has a thread look for it."""
        with self._lock:
            if self._away or self._closing.is_set():
                return
            self._away = True
        log.warning("Redis does not answer: this process counts by itself", extra={"error": type(error).__name__})
        threading.Thread(target=self._look, name="redis", daemon=True).start()

    def _look(self) -> None:
        while not self._closing.wait(self._pause):
            try:
                self._ping()
            except (RedisError, OSError):
                continue
            self._away = False
            log.warning("Redis answers again")
            return


def _item(amount: int, window: int) -> RateLimitItem:
    return RateLimitItemPerSecond(amount, window)
