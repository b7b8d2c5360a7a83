"""Keeps a leased embedded Postgres up: a thread in each process that uses it starts it again when it has died.

Every user watches, so that it comes back whoever is left. They meet at `setup.lock`: the first starts it, the others
find it running. It comes back on the same socket with the same passwords, so that connection pools only reconnect.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from workreef_app.services.tenancy import embedded
from workreef_app.services.tenancy.embedded import Embedded, answers
from workreef_app.services.tenancy.embedded_errors import EmbeddedError
from workreef_app.services.tenancy.embedded_files import is_server, postmaster

log = logging.getLogger("workreef.database")

_POLL: Final = 0.2
_ASK_EVERY: Final = 5.0
#: A server that lives and does not answer may only be slow: it is left alone for so long.
_SILENCE: Final = 20.0
#: Between starts in vain, ever longer.
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 10.0
#: One that dies sooner than this after its start is started again only after a wait, of at most `_SOON`.
_STEADY, _SOON = 5.0, 0.5


@dataclass(frozen=True, slots=True)
class Trouble:
    """A server that is down: since when, how often it was started in vain, and why it did not start."""

    since: datetime
    attempts: int = 0
    reason: str = ""


class Keeper:
    """Watches one server from one process. `trouble` is None while it runs."""

    def __init__(self, data_dir: Path, server: Embedded, restart: Callable[[], object]) -> None:
        self.trouble: Trouble | None = None
        self._pgdata = data_dir.resolve() / "pgdata"
        self._socket_dir = server.socket_dir
        self._restart = restart
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="postgres-keeper", daemon=True)
        self._wait = 0.0
        self._asked = self._heard = self._started = time.monotonic()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch; a start under way is waited for."""
        self._ending.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ending.wait(_POLL):
            if not self._runs():
                self._bring_back()

    def _runs(self) -> bool:
        """Whether the server's first process lives and, asked now and then, has not been silent for long."""
        found, now = postmaster(self._pgdata), time.monotonic()
        if found is None or not is_server(found.pid, self._pgdata):
            return False
        if now - self._started > _STEADY:
            self._wait = 0.0
        if now - self._asked > _ASK_EVERY:
            if answers(self._socket_dir):
                self._heard = time.monotonic()
            self._asked = time.monotonic()
        return self._asked - self._heard < _SILENCE

    def _bring_back(self) -> None:
        begun, trouble = time.monotonic(), Trouble(datetime.now(UTC))
        self.trouble = trouble
        while not self._ending.wait(self._wait):
            self._wait = min(_LONGEST_WAIT, max(_FIRST_WAIT, self._wait * 2))
            try:
                with _NO_FORK:
                    self._restart()
                break
            except Exception as error:  # whatever it was, the next try may succeed
                reason = str(error) if isinstance(error, EmbeddedError) else type(error).__name__
                if reason != trouble.reason:
                    log.error("Postgres has gone and cannot be started: %s It is tried again until it can.", reason)
                trouble = replace(trouble, attempts=trouble.attempts + 1, reason=reason)
                self.trouble = trouble
        else:
            return
        self._asked = self._heard = self._started = time.monotonic()
        self._wait = min(self._wait, _SOON)
        self.trouble = None
        log.warning("Postgres was gone; it runs again after %.1f s.", self._started - begun)


#: Held during a start: a process forked then would inherit the server's lock, and seem to be the server for ever.
_NO_FORK = threading.Lock()
os.register_at_fork(before=_NO_FORK.acquire, after_in_parent=_NO_FORK.release, after_in_child=_NO_FORK.release)


@contextmanager
def kept(data_dir: Path) -> Iterator[tuple[Embedded, Keeper]]:
    """Use the server for the length of the block, and have it started again whenever it dies. Raises EmbeddedError.

    A child that this process forks watches nothing and ends nothing.
    """
    with embedded.lease(data_dir) as server:
        keeper = Keeper(data_dir, server, lambda: embedded.restart(data_dir, server.socket_dir))
        keeper.start()
        holder = os.getpid()
        try:
            yield server, keeper
        finally:
            if os.getpid() == holder:
                keeper.stop()
