"""Engines of tenants in use: bounded, least recently used goes first, connections within a budget."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import URL, Engine, create_engine

from workreef_app.services.tenancy import migrate
from workreef_app.services.tenancy.errors import Busy, SchemaNotCurrent
from workreef_app.services.tenancy.server import WORK_LIMITS, connect_args

CAPACITY = 50
#: Connections that tenants' units of work may hold at once in one process, under the server's own limit.
BUDGET = 64
WAIT_SECONDS = 10.0


class Engines:
    """Engines by tenant. A tenant keeps one idle connection; a burst may open more within the budget."""

    def __init__(self, capacity: int = CAPACITY, budget: int = BUDGET) -> None:
        self._capacity = capacity
        self._engines: OrderedDict[UUID, Engine] = OrderedDict()
        self._lock = threading.Lock()
        self._budget = threading.BoundedSemaphore(budget)

    @contextmanager
    def use(self, tenant_id: UUID, url: URL) -> Iterator[Engine]:
        """The tenant's engine, with room for one connection. Raises Busy or SchemaNotCurrent."""
        if not self._budget.acquire(timeout=WAIT_SECONDS):
            raise Busy("Too many requests are waiting for the database. Try again in a moment.")
        try:
            yield self._get(tenant_id, url)
        finally:
            self._budget.release()

    def _get(self, tenant_id: UUID, url: URL) -> Engine:
        with self._lock:
            engine = self._engines.get(tenant_id)
            if engine is not None:
                self._engines.move_to_end(tenant_id)
                return engine
        engine = create_engine(
            url, pool_size=1, max_overflow=BUDGET, pool_timeout=WAIT_SECONDS,
            connect_args=connect_args(url, **WORK_LIMITS),
        )
        try:
            _refuse_old_schema(engine)
        except BaseException:
            engine.dispose()
            raise
        return self._keep(tenant_id, engine)

    def _keep(self, tenant_id: UUID, engine: Engine) -> Engine:
        dropped: list[Engine] = []
        with self._lock:
            kept = self._engines.setdefault(tenant_id, engine)
            if kept is not engine:
                dropped.append(engine)
            self._engines.move_to_end(tenant_id)
            while len(self._engines) > self._capacity:
                dropped.append(self._engines.popitem(last=False)[1])
        for old in dropped:
            # Connections in use are closed when they come back.
            old.dispose(close=True)
        return kept

    def drop(self, tenant_id: UUID) -> None:
        """Closes a tenant's idle connections and forgets its engine."""
        with self._lock:
            engine = self._engines.pop(tenant_id, None)
        if engine is not None:
            engine.dispose()

    def close(self) -> None:
        for tenant_id in list(self._engines):
            self.drop(tenant_id)


def _refuse_old_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        found, needed = migrate.current(connection), migrate.head("tenant")
    if found != needed:
        raise SchemaNotCurrent(
            f"The tenant's database is at schema {found}, this version needs {needed}. Run `workreef tenant migrate`."
        )
