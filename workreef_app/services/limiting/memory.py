"""Counts in this process's own memory: a sliding window, of bounded size whoever calls."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: Keys that are kept; the one unused for longest goes first. About 300 bytes each.
MOST: Final = 50_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with a limit of `amount` in `window` seconds after a call.

    `reset` is in how many seconds there is room for another call, or, where there is room, the window is over.
    """

    allowed: bool
    amount: int
    window: int
    remaining: int
    reset: float


@dataclass(slots=True)
class _Window:
    """Calls in the window that began at `begin`, and in the one before it."""

    begin: float
    count: int = 0
    before: int = 0


class Memory:
    """Sliding windows: the calls of this window, and of the one before it the part that still counts.

    A key's windows follow each other from its first call on, so that what is kept of it is two counts and a time.
    """

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._windows: OrderedDict[tuple[str, ...], _Window] = OrderedDict()
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._windows)

    def hit(self, key: tuple[str, ...], amount: int, window: int, cost: int = 1) -> Standing:
        """Counts a call of `cost`, unless there is no room for it."""
        with self._lock:
            now = self._clock()
            found = self._window(key, now, window)
            passed = now - found.begin
            used = math.floor(found.before * (window - passed) / window) + found.count
            if used + cost > amount:
                wait = _wait(found, passed, amount, window, cost)
                return Standing(False, amount, window, max(0, amount - used), wait)
            found.count += cost
            return Standing(True, amount, window, amount - used - cost, window - passed)

    def clear(self, key: tuple[str, ...]) -> None:
        """Forgets a key's calls."""
        with self._lock:
            self._windows.pop(key, None)

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._windows.clear()

    def _window(self, key: tuple[str, ...], now: float, window: int) -> _Window:
        """The key's window as of now, most recently used."""
        found = self._windows.get(key)
        if found is None:
            found = self._windows[key] = _Window(now)
            while len(self._windows) > self._most:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(key)
        if now - found.begin >= 2 * window:
            found.begin, found.count, found.before = now, 0, 0
        elif now - found.begin >= window:
            found.begin, found.count, found.before = found.begin + window, 0, found.count
        return found


def _wait(found: _Window, passed: float, amount: int, window: int, cost: int) -> float:
    """In how many seconds a refused call of `cost` has room, if none comes before it."""
    room = amount - cost + 1 - found.count
    if room > 0 and found.before:
        return max(0.0, window - passed - room * window / found.before)
    after = window - (amount - cost + 1) * window / found.count if found.count else 0.0
    return window - passed + max(0.0, after)
