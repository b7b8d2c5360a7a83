"""Values that were fetched, kept for a short while and in bounded number. Thread-safe."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """At most `most` values, each for `seconds`. Only what was fetched is kept, never that it could not be."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._found: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, fetch: Callable[[], Value], *, fresh: bool = False) -> Value:
        """The value of a key, fetched when there is none that is young enough, or a `fresh` one is wanted."""
        with self._lock:
            at, value = self._found.get(key, (0.0, None))
        if value is not None and not fresh and self._clock() - at < self._seconds:
            return value
        # Not under the lock: a provider that is slow must not hold up the others' people.
        value = fetch()
        with self._lock:
            self._found[key] = (self._clock(), value)
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return value
