"""One flush for many commits: whoever finds no flush under way makes one for all who wait (group commit).

A server writes one log for all its databases, in order, so a flush that begins after a commit covers it, whoever
asked for it; unless the server crashed in between, and lost the commit. A connection does not outlive its server, so
one that was open before the work began, and still flushes, tells that it did not. See
Helland et al., "Group Commit Timers and High Volume Transaction Systems", 1987.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class _Waiter:
    """One who waits for a flush that began after their commit. A bare lock: an Event costs twice its time here."""

    __slots__ = ("asleep", "began", "flushed")

    def __init__(self, began: float) -> None:
        self.began = began
        self.asleep = threading.Lock()
        self.asleep.acquire()
        self.flushed = False


class SharedFlush:
    """The flushes of one process at one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Waiter] = []
        self._busy = False

    def wait(self, flush: Callable[[], object], *, connected: float, began: float) -> None:
        """Returns once a flush that began after this call is done: one's own `flush`, or that of somebody who led.

        `connected` is when the connection of `flush` was opened, `began` when the work on it began (monotonic seconds).
        Raises what one's own `flush` raises. One who was waiting for a flush that failed makes their own.
        """
        with self._lock:
            waiter = _Waiter(began) if self._busy else None
            if waiter is not None:
                self._waiting.append(waiter)
            self._busy = True
        if waiter is not None:
            waiter.asleep.acquire()
            if waiter.flushed:
                return
        self._lead(flush, connected)

    def _lead(self, flush: Callable[[], object], connected: float) -> None:
        with self._lock:
            served = [waiter for waiter in self._waiting if waiter.began >= connected]
            self._waiting = [waiter for waiter in self._waiting if waiter.began < connected]
        try:
            flush()
        except BaseException:
            with self._lock:
                self._waiting = served + self._waiting
            served = []
            raise
        finally:
            self._hand_over()
            for waiter in served:
                waiter.flushed = True
                waiter.asleep.release()

    def _hand_over(self) -> None:
        """Makes the first who came during the flush the next to lead."""
        with self._lock:
            following = self._waiting.pop(0) if self._waiting else None
            self._busy = following is not None
        if following is not None:
            following.asleep.release()
