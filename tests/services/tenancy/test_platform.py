"""From a host to a tenant, and what a tenant whose key is dead still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from workreef_app.services.access.models import Department
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Locked, Reach
from workreef_app.services.tenancy.errors import UnknownTenant
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.settings import Settings


@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("localhost", None), ("localhost:3000", None), ("LOCALHOST:1", None),
        ("health.localhost", "health"), ("health.localhost:3000", "health"), ("Health.LocalHost", "health"),
        ("a-b.localhost:80", "a-b"),
    ],
)
def test_the_slug_is_the_first_label_of_the_host(door: Door, host: str, slug: str | None) -> None:
    assert door.platform.slug_of(host) == slug


@pytest.mark.parametrize("host", [
    "", "example.com", "health.example.com", "a.b.localhost", ".localhost", "localhost.evil.test",
    "healthlocalhost", "health.localhost.", "127.0.0.1:3000", "[::1]:3000", "[::1]", ":3000",
])
def test_any_other_host_is_unknown(door: Door, host: str) -> None:
    with pytest.raises(UnknownTenant, match="no tenant"):
        door.platform.slug_of(host)


def test_a_slug_without_a_tenant_is_unknown(door: Door) -> None:
    with pytest.raises(UnknownTenant, match="nobody"):
        door.platform.tenant("nobody")


def test_a_tenant_shows_neither_its_password_nor_its_key(standing: list[Tenant]) -> None:
    tenant = standing[0]
    shown = repr(tenant)
    assert str(tenant.url.password) not in shown
    assert repr(tenant.key.wrapped) not in shown


def test_a_unit_of_work_commits_at_its_end_and_only_then(door: Door, tenant: Tenant) -> None:
    actor = Actor(id="test")
    with pytest.raises(ZeroDivisionError), door.platform.unit_of_work(tenant, actor) as session:  # noqa: PT012
        session.execute(text("SELECT audit_append('{\"event\":\"a.b\",\"actor\":\"test\"}')"))
        raise ZeroDivisionError
    with door.platform.unit_of_work(tenant, actor) as session:
        assert session.execute(text("SELECT seq FROM audit_head")).scalar() == 1
        session.execute(text("SELECT audit_append('{\"event\":\"a.b\",\"actor\":\"test\"}')"))
    with door.platform.unit_of_work(tenant, actor) as session:
        assert session.execute(text("SELECT seq FROM audit_head")).scalar() == 2


class DeadKeys:
    """Takes a tenant's key file away for the length of a block; the keyring is purged on both sides."""

    def __init__(self, door: Door, settings: Settings, tenant: Tenant) -> None:
        self._door, self._tenant = door, tenant
        self._file = settings.keys_dir / f"{tenant.key.reference.removeprefix('local:')}.key"

    @contextmanager
    def away(self, purge: bool = True) -> Iterator[Path]:
        aside = self._file.with_suffix(".aside")
        self._file.rename(aside)
        if purge:
            self._door.platform.keyring.purge(self._tenant.info.id)
        try:
            yield self._file
        finally:
            aside.rename(self._file)
            self._door.platform.keyring.purge(self._tenant.info.id)


@pytest.fixture
def dead_key(door: Door, settings: Settings, tenant: Tenant) -> DeadKeys:
    return DeadKeys(door, settings, tenant)


def test_a_dead_key_locks_the_tenant_and_a_key_that_is_back_opens_it(
    door: Door, tenant: Tenant, dead_key: DeadKeys, person: Callable[..., Caller], browser: Callable[[Tenant], Caller]
) -> None:
    operator = person(tenant, ["operator"], ["claims"])
    with dead_key.away():
        for name, payload in {
            "digest.read": {}, "tasks.list": {}, "proposals.list": {}, "sources.list": {},
        }.items():
            with pytest.raises(Locked, match="key does not answer"):
                door.perform(operator, name, payload)
        with pytest.raises(Locked):
            door.perform(browser(tenant), "sessions.start", {"email": "a@b.test", "password": "x" * 12})
        me = door.perform(operator, "me.read", {})
        assert (me.locked, me.name, me.departments, me.tenant_slug) == (True, "", [], tenant.info.slug)
    assert door.perform(operator, "digest.read", {}).tasks == 0
    assert not door.perform(operator, "me.read", {}).locked


def test_with_a_dead_key_the_audit_log_is_read_verified_and_exported(
    door: Door, tenant: Tenant, dead_key: DeadKeys, person: Callable[..., Caller]
) -> None:
    reviewer = person(tenant, ["security_reviewer"])
    before = door.perform(reviewer, "audit.list", {})
    assert any(row.actor_name for row in before.rows)
    with dead_key.away():
        listed = door.perform(reviewer, "audit.list", {})
        assert listed.count == before.count + 1
        assert not any(row.actor_name for row in listed.rows)
        assert door.perform(reviewer, "audit.read", {"seq": 1}).row.event == "tenant.created"
        verified = door.perform(reviewer, "audit.verify", {})
        assert (verified.ok, verified.count) == (True, before.count + 3)
        file = door.perform(reviewer, "audit.export", {})
        assert file.path.stat().st_size > 1000
        file.path.unlink()
        door.perform(reviewer, "sessions.end", {})
    assert door.actor(reviewer) is None


def test_a_key_in_the_keyring_serves_until_it_is_purged(
    door: Door, tenant: Tenant, dead_key: DeadKeys, cli: Callable[[Tenant], Caller]
) -> None:
    door.perform(cli(tenant), "tasks.list", {})
    with dead_key.away(purge=False):
        door.perform(cli(tenant), "tasks.list", {})
        door.platform.keyring.purge()
        with pytest.raises(Locked):
            door.perform(cli(tenant), "tasks.list", {})
        with pytest.raises(KeyUnavailable), door.platform.unit_of_work(tenant, Actor(id="test")):
            raise AssertionError


def test_a_dead_key_of_one_tenant_leaves_the_others_alone(
    door: Door, standing: list[Tenant], dead_key: DeadKeys, cli: Callable[[Tenant], Caller]
) -> None:
    with dead_key.away():
        assert door.perform(cli(standing[0]), "tasks.list", {}).count == 0


def test_with_a_dead_key_no_sealed_value_can_be_read_or_written(
    door: Door, tenant: Tenant, dead_key: DeadKeys, person: Callable[..., Any]
) -> None:
    person(tenant, ["admin"])
    admin = Actor(id="test", extra_reach=frozenset(Reach))
    with dead_key.away(), door.platform.unit_of_work(tenant, admin, keyless=True) as session:
        session.add(Department(id=tenant.info.id, slug="x", name="X"))
        with pytest.raises(Exception, match="workreef_cipher"):
            session.flush()
        session.rollback()
