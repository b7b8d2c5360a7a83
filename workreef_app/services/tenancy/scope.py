"""Who asks, told to row-level security at the start of each unit of work, in one trip with the transaction's begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from workreef_app.services.operation import Actor, departments_of, reach_of

_NAMES = ("actor", "person", "departments", "reach")
_SET = "SELECT " + ", ".join(f"set_config('workreef.{name}', %({name})s, true)" for name in _NAMES)
_SCOPE = text("SELECT " + ", ".join(f"set_config('workreef.{name}', :{name}, true)" for name in _NAMES))


@contextmanager
def scoped(engine: Engine, actor: Actor) -> Iterator[Connection]:
    """A connection with a transaction open in the actor's scope.

    A pooled connection may have outlived its server. Nothing has been done on it yet, so another one is taken then,
    which makes asking each one first whether it lives needless.
    """
    connection = engine.connect()
    try:
        try:
            _begin(connection, actor)
        except psycopg.OperationalError:
            connection.invalidate()
            connection.close()
            connection = engine.connect()
            _begin(connection, actor)
        yield connection
    finally:
        connection.close()


def set_scope(session: Session, actor: Actor) -> None:
    """Tells row-level security anew who asks, until the transaction ends."""
    session.execute(_SCOPE, _values(actor))


def _begin(connection: Connection, actor: Actor) -> None:
    # The driver begins a transaction by itself; in a pipeline that costs no trip of its own.
    driver: Any = connection.connection.driver_connection
    with driver.pipeline():
        driver.execute(_SET, _values(actor))


def _values(actor: Actor) -> dict[str, str]:
    return {
        "actor": actor.id,
        "person": str(actor.person_id or ""),
        "departments": ",".join(sorted(str(d) for d in departments_of(actor))),
        "reach": ",".join(sorted(reach_of(actor))),
    }
