"""The walls between tenants, as the catalogue tells of them and as they hold when somebody leans against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from workreef_app.services.door import Door
from workreef_app.services.posture import boot, checks, isolation
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.models import TenantRow
from workreef_app.services.tenancy.platform import Tenant


@pytest.fixture
def rows(door: Door, make_tenant: Callable[..., Tenant]) -> list[TenantRow]:
    """Two tenants of this test alone."""
    slugs = {make_tenant().info.slug for _ in range(2)}
    return [row for row in door.platform.tenants() if row.slug in slugs]


@pytest.fixture
def control(door: Door) -> str:
    return door.platform.url.database or ""


@contextmanager
def granted(door: Door, grant: str, revoke: str) -> Iterator[None]:
    """Something is granted for the length of the block."""
    with server.admin(door.platform.url) as connection:
        connection.exec_driver_sql(grant)
        try:
            yield
        finally:
            connection.exec_driver_sql(revoke)


def test_every_app_role_is_refused_everywhere_but_at_home(door: Door, rows: list[TenantRow], control: str) -> None:
    matrix = isolation.tried(door.platform, rows, control)
    assert (matrix.refused, list(matrix.opened), list(matrix.unclear)) == (2 * 3 + 2, [], [])
    with server.admin(door.platform.url) as connection:
        assert isolation.openings(connection, rows, control) == []
        assert isolation.powerful(connection, rows) == []


def test_a_database_that_is_open_is_seen_both_ways(
    door: Door, rows: list[TenantRow], control: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = rows
    monkeypatch.setattr(door.platform, "tenants", lambda: rows)  # other tests' tenants are beyond the bound of tries
    role = server.app_role(one.database)
    with granted(
        door, f"GRANT CONNECT ON DATABASE {two.database} TO {role}",
        f"REVOKE CONNECT ON DATABASE {two.database} FROM {role}",
    ):
        assert list(isolation.tried(door.platform, rows, control).opened) == [f"{one.slug} → {two.database}"]
        assert boot.look(door.platform).openings == [two.database]
        found = {finding.name: finding for finding in checks.databases(door.platform)}
        assert not found["isolation_matrix"].ok
        assert not found["isolation_grants"].ok
        assert found["database_roles"].ok


def test_what_everybody_may_connect_to_is_seen(door: Door, rows: list[TenantRow], control: str) -> None:
    name = rows[0].database
    with granted(
        door, f"GRANT CONNECT ON DATABASE {name} TO PUBLIC", f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"
    ), server.admin(door.platform.url) as connection:
        assert isolation.openings(connection, rows, control) == [name]


@pytest.mark.parametrize("power", ["CREATEDB", "CREATEROLE"])
def test_an_app_role_with_more_powers_is_seen(power: str, door: Door, rows: list[TenantRow]) -> None:
    role = server.app_role(rows[0].database)
    with granted(door, f"ALTER ROLE {role} {power}", f"ALTER ROLE {role} NO{power}"):
        assert boot.look(door.platform).powerful == [rows[0].slug]


def test_connections_beyond_the_bound_are_counted_as_not_tried(
    door: Door, rows: list[TenantRow], control: str
) -> None:
    assert isolation.tried(door.platform, rows, control, limit=3).refused == 3
    assert len(list(isolation.pairs(rows, control))) == 8


def test_a_check_that_fails_itself_keeps_nothing_from_the_others(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(platform: object) -> None:
        raise checks.FAILURES[1]("no answer")

    monkeypatch.setattr(checks, "_state", broken)
    found = {finding.name: finding for finding in checks.databases(door.platform)}
    assert not found["tenant_schema"].ok
    assert found["clock"].ok
    assert found["platform_key"].ok
