"""Appending to the chain: the last statement of the transaction whose change the entry tells."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from workreef_app.services.audit.canonical import canonical
from workreef_app.services.audit.flushing import SharedFlush
from workreef_app.services.operation import Event

_APPEND = text("SELECT audit_append(:content)")
#: An empty message in a transaction of its own, whose commit waits for the disk, and so for everything before it.
_FLUSH = "SELECT pg_logical_emit_message(true, 'workreef', '')"
_APPENDED = "workreef.appended"
_CONNECTED = "workreef.connected"


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds; the fixed width makes text order the order of time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def content(
    *, at: datetime, actor: str, persona: str | None, event: Event, target: str | None,
    department: UUID | None, detail: Mapping[str, Any], request: str,
) -> str:
    """Canonical text of an entry. Raises NotCanonical when the detail holds what an entry may not."""
    return canonical({
        "at": timestamp(at),
        "actor": actor,
        "persona": persona,
        "event": event.value,
        "target": target,
        "department": str(department) if department else None,
        "detail": dict(detail),
        "request": request,
    })


def append(session: Session, text_of_entry: str) -> int:
    """Adds an entry; returns its sequence number. Holds the chain's lock until commit."""
    seq: int = session.execute(_APPEND, {"content": text_of_entry}).scalar_one()
    session.info[_APPENDED] = True
    return seq


def begin(connection: Connection) -> float:
    """When the work on a connection begins; remembers when the connection was first seen."""
    now = time.monotonic()
    connection.info.setdefault(_CONNECTED, now)
    return now


def flush(session: Session, connection: Connection, shared: SharedFlush, began: float) -> None:
    """After the commit of a transaction that appended: waits until it is on disk. Call it before answering anybody.

    `began` is what `begin` gave before the transaction.
    """
    if session.info.pop(_APPENDED, False):
        shared.wait(lambda: flush_now(connection), connected=connection.info[_CONNECTED], began=began)


def flush_now(connection: Connection) -> None:
    """Waits until all that the server committed before is on disk. In one trip, with no transaction begun for it."""
    driver: Any = connection.connection.driver_connection
    driver.autocommit = True
    try:
        driver.execute(_FLUSH)
    finally:
        if not driver.closed:
            driver.autocommit = False
