"""The limiter of a process: in Redis where there is one, in its own memory where there is none or it is away."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Final

from limits import parse

from workreef_app.services.limiting.memory import Memory, Standing
from workreef_app.services.limiting.shared import Away, Shared


@lru_cache(maxsize=256)
def terms(limit: str) -> tuple[int, int]:
    """How many calls in how many seconds, of a limit such as `60/minute`. Raises ValueError."""
    item = parse(limit)
    return item.amount, item.get_expiry()


def answers(redis_url: str) -> bool:
    """Whether the Redis of this address answers now."""
    try:
        shared = Shared(redis_url)
    except ValueError:
        return False
    try:
        return shared.answers()
    finally:
        shared.close()


#: All calls of a tenant's people and programs together, so that one tenant cannot take a process for itself.
TENANT: Final = "30000/minute"
#: Attempts for one account that did not succeed, from wherever they come.
ACCOUNT: Final = "30/15 minutes"
#: API tokens that do not hold, by the address that they come from.
TOKENS: Final = "60/minute"


class Limiter:
    """Counts calls. `storage` is the process's own memory; `redis_url` is empty where there is no Redis."""

    def __init__(self, redis_url: str = "") -> None:
        self.storage = Memory()
        self._shared = Shared(redis_url) if redis_url else None

    def close(self) -> None:
        if self._shared is not None:
            self._shared.close()

    def hit(self, limit: str, *key: str, cost: int = 1) -> Standing:
        """Counts a call of `cost` against a limit; what is refused is not counted."""
        amount, window = terms(limit)
        if self._shared is not None:
            with suppress(Away):
                return self._shared.hit(key, amount, window, cost)
        return self.storage.hit(key, amount, window, cost)

    def clear(self, limit: str, *key: str) -> None:
        """Forgets what was counted for a key."""
        self.storage.clear(key)
        if self._shared is not None:
            with suppress(Away):
                self._shared.clear(key, *terms(limit))

    def degraded(self) -> bool:
        """Whether calls are counted in this process alone though they should be counted for all together."""
        return self._shared is not None and not self._shared.answers()
