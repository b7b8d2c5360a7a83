"""Tells every web process that sessions have ended, so that their open pages are closed at once.

The word goes by `NOTIFY` on the control plane's database, which all processes share. It holds ids and nothing else.
Whoever misses it still finds out: each event of an open page looks its session up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy import URL, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from workreef_app.services.operation import Work
from workreef_app.services.tenancy.platform import CONTROL

log = logging.getLogger("workreef.sessions")

CHANNEL: Final = "workreef_sessions_ended"
#: A notification holds at most 8,000 bytes; so many ids with commas between are well below that.
BATCH: Final = 200
#: How long a listener waits before it looks whether it is to stop, and before it connects again, in seconds.
BEAT: Final = 0.5
_NOTIFY = text("SELECT pg_notify(:channel, :ids)")


def tell(work: Work, ids: Iterable[UUID]) -> None:
    """Has these sessions' pages closed once the change is committed."""
    found = list(ids)
    if found:
        work.after_commit(partial(_notify, work.session.info[CONTROL], found))


def _notify(control: Engine, ids: list[UUID]) -> None:
    try:
        with control.begin() as connection:
            for begin in range(0, len(ids), BATCH):
                said = ",".join(str(one) for one in ids[begin:begin + BATCH])
                connection.execute(_NOTIFY, {"channel": CHANNEL, "ids": said})
    except SQLAlchemyError as error:
        # The sessions have ended; only their pages stay until their next event.
        log.error("open pages were not told of a session's end", extra={"error": type(error).__name__})


class Listener:
    """Hears of ended sessions in a thread of its own, and connects again when the connection is lost.

    `on_end` gets each session's id. `on_gap` is called after every connection but the first: what was said meanwhile
    is lost, so all open pages are to be looked at.
    """

    def __init__(self, url: URL, on_end: Callable[[UUID], object], on_gap: Callable[[], object]) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._on_end, self._on_gap = on_end, on_gap
        self._stop = threading.Event()
        #: Set while it is connected.
        self.hearing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sessions-ended", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and waits until it has."""
        self._stop.set()
        self._thread.join(timeout=10 * BEAT)

    def _run(self) -> None:
        first = True
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=3) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    if not first:
                        self._on_gap()
                    first = False
                    self.hearing.set()
                    self._hear(connection)
            except psycopg.Error as error:
                if self.hearing.is_set():
                    log.warning("lost the word of ended sessions", extra={"error": type(error).__name__})
            self.hearing.clear()
            self._stop.wait(BEAT)

    def _hear(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        while not self._stop.is_set():
            for notice in connection.notifies(timeout=BEAT):
                for word in notice.payload.split(","):
                    try:
                        self._on_end(UUID(word))
                    except ValueError:
                        log.warning("a notification was not understood")


@contextmanager
def listening(url: URL, on_end: Callable[[UUID], object], on_gap: Callable[[], object]) -> Iterator[Listener]:
    """A listener for as long as the block lasts."""
    listener = Listener(url, on_end, on_gap)
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()
