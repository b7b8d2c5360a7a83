"""What is done after the caller has been answered, so that the time of the answer tells nothing of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

log = logging.getLogger("workreef.afterwards")

#: Beyond so many that wait, whoever brings one more does it and waits: none is ever dropped.
WAITING = 1000


class Afterwards:
    """Does one thing after the other, in the order in which they came, in a thread of its own."""

    def __init__(self, waiting: int = WAITING) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="afterwards")
        self._room = BoundedSemaphore(waiting)

    def do(self, task: Callable[[], object]) -> None:
        """Has the task done soon. What it raises is logged by its kind."""
        if not self._room.acquire(blocking=False):
            _done(task)
            return
        self._pool.submit(_done, task).add_done_callback(lambda _: self._room.release())

    def settle(self) -> None:
        """Waits until all that was brought so far is done."""
        self._pool.submit(lambda: None).result()

    def close(self) -> None:
        """Waits until everything is done; nothing more can be brought."""
        self._pool.shutdown(wait=True)


def _done(task: Callable[[], object]) -> None:
    try:
        task()
    except Exception as error:  # nobody waits for it
        log.error("failed", extra={"error": type(error).__name__})
