"""What production refuses in its databases, as plain values and in a real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workreef_app import settings as settings_module
from workreef_app.services.door import Door
from workreef_app.services.posture import boot
from workreef_app.services.posture.boot import State, TenantState
from workreef_app.services.tenancy import migrate, server
from workreef_app.services.tenancy.platform import Platform, Tenant
from workreef_app.services.tenancy.tenants import migrate_tenant

SOUND = State(migrate.head("control"), [TenantState("acme", False, migrate.head("tenant"), 0)])


def faults(state: State) -> list[str]:
    return [fault.check for check in boot.DATABASE_CHECKS if (fault := check(state))]


def test_a_sound_state_has_no_fault() -> None:
    assert faults(SOUND) == []


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (State(None, SOUND.tenants), "control_schema"),
        (State("0000", SOUND.tenants), "control_schema"),
        (State(SOUND.control_schema, [TenantState("acme", False, None, 0)]), "tenant_schema"),
        (State(SOUND.control_schema, [TenantState("acme", False, migrate.head("tenant"), 1)]), "app_role_owns"),
        (State(SOUND.control_schema, [TenantState("acme", True, migrate.head("tenant"), 0)]), "demo_tenant"),
        (State(SOUND.control_schema, SOUND.tenants, powerful=["acme"]), "database_roles"),
        (State(SOUND.control_schema, SOUND.tenants, openings=["postgres"]), "isolation_matrix"),
    ],
)
def test_each_fault_is_found_alone(state: State, found: str) -> None:
    assert faults(state) == [found]


def test_all_faults_are_found_together_and_name_the_first_tenants() -> None:
    many = [TenantState(f"t{number}", True, None, 2) for number in range(9)]
    state = State(None, many)
    assert faults(state) == ["control_schema", "tenant_schema", "app_role_owns", "demo_tenant"]
    fault = boot.demo_tenants(state)
    assert fault is not None
    assert fault.wrong == "Sample tenants are present: t0, t1, t2, t3, t4 and 4 more."


def state_of(door: Door, tenant: Tenant) -> TenantState:
    return next(found for found in boot.look(door.platform).tenants if found.slug == tenant.info.slug)


def test_a_new_tenant_is_sound(door: Door, tenant: Tenant) -> None:
    assert state_of(door, tenant) == TenantState(tenant.info.slug, False, migrate.head("tenant"), 0)


def test_a_schema_that_is_behind_is_seen(door: Door, tenant: Tenant) -> None:
    row = next(row for row in door.platform.tenants() if row.slug == tenant.info.slug)
    migrate_tenant(door.platform, row, "base")
    assert state_of(door, tenant).schema is None
    migrate_tenant(door.platform, row)


def test_an_app_role_that_owns_an_audit_table_is_seen(door: Door, tenant: Tenant) -> None:
    row = next(row for row in door.platform.tenants() if row.slug == tenant.info.slug)
    app = server.app_role(row.database)
    with server.admin(door.platform.url, row.database) as connection:
        connection.exec_driver_sql(f"GRANT {app} TO CURRENT_USER")
        connection.exec_driver_sql(f"GRANT CREATE ON SCHEMA public TO {app}")
        connection.exec_driver_sql(f"ALTER TABLE audit_entry OWNER TO {app}")
    assert state_of(door, tenant).owned >= 1


def test_an_app_role_that_is_a_member_of_the_owner_is_seen(door: Door, tenant: Tenant) -> None:
    row = next(row for row in door.platform.tenants() if row.slug == tenant.info.slug)
    with server.admin(door.platform.url) as connection:
        connection.exec_driver_sql(f"GRANT {server.owner_role(row.database)} TO {server.app_role(row.database)}")
    assert state_of(door, tenant).owned > 1


def test_an_empty_server_names_its_schema_alone(door: Door, tmp_path: Path) -> None:
    with server.admin(door.platform.url) as connection:
        connection.exec_driver_sql("CREATE DATABASE posture_empty")
    url = door.platform.url.set(database="posture_empty").render_as_string(hide_password=False)
    platform = Platform(settings_module.load(data_dir=tmp_path, env="production"), url)
    try:
        assert [fault.check for fault in boot.of_databases(platform)] == ["control_schema"]
        assert boot.of_databases(platform, migrating=True) == []
    finally:
        platform.close()


def test_a_server_that_does_not_answer_is_a_fault(tmp_path: Path) -> None:
    platform = Platform(settings_module.load(data_dir=tmp_path, env="production"), f"postgresql://a@/a?host={tmp_path}")
    try:
        found = boot.faults(platform.settings, platform)
    finally:
        platform.close()
    assert "database_answers" in [fault.check for fault in found]
    assert "secret_key" in [fault.check for fault in found]


def test_outside_production_nothing_is_refused(door: Door, make_tenant: Callable[..., Tenant]) -> None:
    make_tenant(demo=True)
    assert boot.faults(door.platform.settings, door.platform) == []
