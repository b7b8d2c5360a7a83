"""The scope of a unit of work: set with the transaction's begin, gone with its end, on a connection that lives."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from workreef_app.services.operation import Actor, Persona, Reach
from workreef_app.services.tenancy.engines import Engines
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.scope import scoped

NAMES = ("actor", "person", "departments", "reach")


@pytest.fixture
def engine(standing: list[Tenant]) -> Iterator[Engine]:
    """One tenant's engine, which keeps one idle connection."""
    engines = Engines()
    with engines.use(standing[0].info.id, standing[0].url) as engine:
        yield engine
    engines.close()


def told(connection: Connection) -> dict[str, str]:
    """What the server has been told of who asks; empty where nothing is set."""
    query = "SELECT " + ", ".join(f"coalesce(current_setting('workreef.{name}', true), '')" for name in NAMES)
    return dict(zip(NAMES, connection.execute(text(query)).one(), strict=True))


def end(backend: int) -> None:
    """Ends a server process, and waits until it is gone."""
    os.kill(backend, signal.SIGTERM)
    while Path(f"/proc/{backend}/cmdline").exists():
        pass


def backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_who_asks_is_told_for_one_transaction(engine: Engine) -> None:
    person, department = uuid4(), uuid4()
    actor = Actor(
        id=f"person:{person}", personas=frozenset({Persona.OPERATOR}), person_id=person,
        departments=frozenset({department}), extra_reach=frozenset({Reach.PEOPLE}),
    )
    with scoped(engine, actor) as connection:
        first = backend(connection)
        assert told(connection) == {
            "actor": actor.id, "person": str(person), "departments": str(department), "reach": "people",
        }
        connection.commit()
        assert told(connection) == dict.fromkeys(NAMES, "")
    with scoped(engine, Actor(id="public")) as connection:
        assert backend(connection) == first, "the connection is used again"
        assert told(connection) == {**dict.fromkeys(NAMES, ""), "actor": "public"}
    with engine.connect() as connection:
        assert told(connection) == dict.fromkeys(NAMES, ""), "what was told outlived its transaction"


def test_connections_that_died_in_the_pool_are_replaced(engine: Engine) -> None:
    seen = set()
    for _ in range(3):
        with scoped(engine, Actor(id="public")) as connection:
            pid = backend(connection)
        end(pid)
        seen.add(pid)
    assert len(seen) == 3


def test_a_connection_that_dies_at_work_is_told(engine: Engine) -> None:
    with scoped(engine, Actor(id="public")) as connection:
        end(backend(connection))
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
    with scoped(engine, Actor(id="public")) as connection:
        assert told(connection)["actor"] == "public"
