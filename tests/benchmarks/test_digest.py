"""The tenants that the digest is measured in, made small."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks import digest, worlds
from workreef_app.services.door import Caller, Door
from workreef_app.services.tenancy.platform import Tenant


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One department, and two hours in its log."""
    monkeypatch.setattr(digest, "DEPARTMENTS", 1)
    monkeypatch.setattr(digest, "HOURS", 2)
    monkeypatch.setattr(digest, "FEW", 2 * len(worlds.MESSAGES))


def test_observations_are_multiplied_and_counted_anew(
    door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], small: None
) -> None:
    digest.fill(door, tenant)
    assert digest.observed(door, cli(tenant)) == 80
    digest.multiply(door, tenant, 25 * 80)
    assert digest.observed(door, cli(tenant)) == 2000
    assert digest.nightly(door, tenant) > 0
    rows = door.perform(cli(tenant), "tasks.list", {"limit": 100})
    assert (rows.count, {row.times for row in rows.rows}) == (40, {50})


def test_too_few_tasks_are_no_measurement(door: Door, small: None) -> None:
    with pytest.raises(SystemExit, match=r"^0 tasks were found, 200 are wanted"):
        digest.prepare(door, "bench-small", 80)
