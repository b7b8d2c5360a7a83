"""Keyset paging: a cursor names the last row of a page, so that paging stays fast and loses no row."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Mapped, Session

from workreef_app.services.operation import Invalid

#: A query whose row has columns that only its reader names.
Query = Select[*tuple[Any, ...]]


def encode(*parts: object) -> str:
    """The cursor after a row with these sort keys."""
    return "~".join(part.isoformat() if isinstance(part, datetime) else str(part) for part in parts)


def newest_first(query: Query, at: Mapped[Any], row_id: Mapped[Any], after: str) -> Query:
    """The query in the order of time and id, newest first, from behind a cursor on. Raises Invalid."""
    if after:
        query = query.where(tuple_(at, row_id) < tuple_(*decode_time(after)))
    return query.order_by(at.desc(), row_id.desc())


def total(session: Session, query: Query) -> int:
    """How many rows a query has."""
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _fault() -> Invalid:
    return Invalid("The page position is not one of ours.", fields={"after": "is not a page position"})


def decode_time(cursor: str) -> tuple[datetime, UUID]:
    """A cursor of time and id. Raises Invalid."""
    try:
        at, row_id = cursor.split("~")
        return datetime.fromisoformat(at), UUID(row_id)
    except ValueError:
        raise _fault() from None


def decode_number(cursor: str) -> tuple[int, UUID]:
    """A cursor of a number and id. Raises Invalid."""
    try:
        number, row_id = cursor.split("~")
        return int(number), UUID(row_id)
    except ValueError:
        raise _fault() from None
