"""When the database fails: which failures pass, what was done and what was not, and since when it has not answered."""

from __future__ import annotations

import errno
import logging
import threading
from datetime import datetime
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnection

from workreef_app.services.operation import DiskFull, OutcomeUnknown, Refusal, Unavailable
from workreef_app.services.tenancy.errors import Busy

log = logging.getLogger("workreef.database")

_DISK_FULL: Final = "53100"
_FULL: Final = frozenset({"53200", "53300"})
#: Two changes in each other's way: the server undid this one, whole.
_COLLIDED: Final = frozenset({"40001", "40P01", "55P03"})
_CANCELLED: Final = "57014"
_READ_ONLY: Final = "25006"
#: The connection, or the server, is gone or going: connection exceptions, shutdowns, timeouts of an idle transaction.
_GONE: Final = ("08", "57P", "25P03", "25P04")

_BUSY: Final = "Too many requests are waiting for the database. Try again in a moment."


class Outage:
    """Since when the database has not answered this process."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self._lock = threading.Lock()

    def seen(self, now: datetime) -> datetime:
        """Notes that the database did not answer; returns since when."""
        with self._lock:
            if self.since is None:
                log.error("The database does not answer.")
                self.since = now
            return self.since

    def over(self, now: datetime) -> None:
        """Notes that the database answered."""
        if self.since is None:
            return
        with self._lock:
            since, self.since = self.since, None
        if since is not None:
            log.warning("The database answers again after %.1f s.", (now - since).total_seconds())

    def refusal(self, error: BaseException, now: datetime, *, committing: bool = False) -> Refusal | None:
        """What to tell whoever's call failed so; None for a fault that is none of the database's.

        `committing` says that the work was done, and only whether it was kept is open.
        """
        if isinstance(error, OSError):
            return DiskFull() if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
        if isinstance(error, (Busy, NoConnection)):
            return Unavailable(_BUSY)
        if is_gone(error):
            return self._gone(now, committing=committing)
        return _told(sqlstate(error))

    def _gone(self, now: datetime, *, committing: bool) -> Refusal:
        since = f"{self.seen(now):%H:%M:%S} UTC"
        if committing:
            return OutcomeUnknown(
                f"The database stopped answering (since {since}) just when this was being saved: it may or may not "
                "have been done. Look before you repeat it."
            )
        return Unavailable(f"The database does not answer since {since}; nothing was lost, try again.")


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE that the server gave; None for a failure of the connection itself."""
    return getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)


def is_gone(error: BaseException) -> bool:
    """Whether it says that the connection or the server is gone, and not that the server refused something."""
    if isinstance(error, PendingRollbackError):
        return True  # the connection was lost earlier in the same transaction
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    orig = error.orig if isinstance(error, DBAPIError) else error
    state = sqlstate(error)
    if state is not None:
        return state.startswith(_GONE)
    driver = isinstance(orig, (psycopg.OperationalError, psycopg.InterfaceError))
    return driver or (isinstance(error, DBAPIError) and type(error).__name__ in {"OperationalError", "InterfaceError"})


def _told(state: str | None) -> Refusal | None:
    """The refusal for what the server said; all of these undo the transaction, at its commit too."""
    if state == _DISK_FULL:
        return DiskFull()
    if state in _COLLIDED:
        return Unavailable("Somebody else was changing the same at the same moment; nothing was changed. Try again.")
    if state == _CANCELLED:
        return Unavailable("The database took too long; nothing was changed. Try again.")
    if state == _READ_ONLY:
        return Unavailable("The database takes no changes at the moment; nothing was changed. Try again.")
    return Unavailable(_BUSY) if state in _FULL else None
