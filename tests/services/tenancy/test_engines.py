"""Engines: the least recently used goes first, connections stay within the budget, an old schema is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from workreef_app.services.tenancy import engines as module
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.engines import Engines
from workreef_app.services.tenancy.errors import Busy, SchemaNotCurrent
from workreef_app.services.tenancy.platform import Tenant


@pytest.fixture
def small() -> Iterator[Engines]:
    engines = Engines(capacity=2, budget=2)
    yield engines
    engines.close()


def engine_of(engines: Engines, tenant: Tenant) -> Engine:
    with engines.use(tenant.info.id, tenant.url) as engine:
        return engine


def idle(engine: Engine) -> int:
    return engine.pool.checkedin()  # type: ignore[attr-defined,no-any-return]


def test_an_engine_is_kept_and_the_least_recently_used_goes_first(
    small: Engines, standing: list[Tenant]
) -> None:
    one, two, three = standing
    first, second = engine_of(small, one), engine_of(small, two)
    assert engine_of(small, one) is first
    assert (idle(first), idle(second)) == (1, 1)
    third = engine_of(small, three)
    assert (idle(first), idle(second), idle(third)) == (1, 0, 1)
    assert engine_of(small, one) is first
    assert engine_of(small, two) is not second
    assert idle(third) == 0


def test_an_evicted_engine_serves_out_who_uses_it(small: Engines, standing: list[Tenant]) -> None:
    one, two, three = standing
    with small.use(one.info.id, one.url) as engine, engine.connect() as connection:
        engine_of(small, two)
        engine_of(small, three)
        assert connection.execute(text("SELECT current_database()")).scalar() == one.url.database


def test_a_dropped_engine_closes_its_connections(small: Engines, standing: list[Tenant]) -> None:
    tenant = standing[0]
    engine = engine_of(small, tenant)
    small.drop(tenant.info.id)
    assert idle(engine) == 0
    small.drop(uuid4())
    assert engine_of(small, tenant) is not engine


def test_over_the_budget_callers_wait_and_then_are_told(
    small: Engines, standing: list[Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = standing[0]
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    with small.use(tenant.info.id, tenant.url), small.use(tenant.info.id, tenant.url):
        with pytest.raises(Busy), small.use(tenant.info.id, tenant.url):
            raise AssertionError
    engine_of(small, tenant)


def test_a_place_that_comes_free_is_given_to_who_waits(small: Engines, standing: list[Tenant]) -> None:
    tenant = standing[0]
    served = threading.Event()

    def wait() -> None:
        with small.use(tenant.info.id, tenant.url):
            served.set()

    waiting = threading.Thread(target=wait)
    with small.use(tenant.info.id, tenant.url):
        with small.use(tenant.info.id, tenant.url):
            waiting.start()
            assert not served.wait(0.05)
        assert served.wait(5)
    waiting.join()


def test_a_failure_gives_the_place_back(small: Engines, standing: list[Tenant]) -> None:
    tenant = standing[0]
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), small.use(tenant.info.id, tenant.url):
            raise ZeroDivisionError
    for _ in range(3):
        with pytest.raises(Exception, match="database"):
            with small.use(uuid4(), tenant.url.set(database="missing")):
                raise AssertionError
    with small.use(tenant.info.id, tenant.url), small.use(tenant.info.id, tenant.url):
        pass


def test_an_old_schema_is_refused_until_it_is_current(
    small: Engines, standing: list[Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = standing[0]
    with monkeypatch.context() as later:
        later.setattr(module.migrate, "head", lambda tree: "9999")
        for _ in range(2):
            with pytest.raises(SchemaNotCurrent, match="needs 9999"), small.use(tenant.info.id, tenant.url):
                raise AssertionError
    engine_of(small, tenant)


def test_connections_have_limits_and_an_address_may_set_its_own(small: Engines, standing: list[Tenant]) -> None:
    tenant = standing[0]
    shown = "SELECT name || '=' || setting FROM pg_settings WHERE name = ANY(:names) ORDER BY name"
    names = ["client_connection_check_interval", "idle_in_transaction_session_timeout", "lock_timeout"]
    with small.use(tenant.info.id, tenant.url) as engine, engine.connect() as connection:
        found = list(connection.execute(text(shown), {"names": names}).scalars())
    assert found == [f"{names[0]}=2000", f"{names[1]}=60000", f"{names[2]}=15000"]
    given = server.connect_args(tenant.url.update_query_dict({"connect_timeout": "3", "options": "-c x=y"}))
    assert not {"connect_timeout", "options"} & set(given)
    assert given["tcp_user_timeout"] == 30_000


def test_a_lock_is_not_waited_for_for_ever(small: Engines, standing: list[Tenant]) -> None:
    tenant = standing[0]
    impatient = tenant.url.update_query_dict({"options": "-c lock_timeout=50ms"})
    with small.use(uuid4(), impatient) as one, small.use(tenant.info.id, tenant.url) as other:
        with one.begin() as waiting, other.begin() as holding:
            holding.execute(text("SELECT pg_advisory_xact_lock(1)"))
            with pytest.raises(OperationalError, match="lock timeout"):
                waiting.execute(text("SELECT pg_advisory_xact_lock(1)"))


def test_closing_closes_all(small: Engines, standing: list[Tenant]) -> None:
    kept = [engine_of(small, tenant) for tenant in standing[:2]]
    small.close()
    assert [idle(engine) for engine in kept] == [0, 0]
