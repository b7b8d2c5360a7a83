"""Filters by time: whole days in UTC, and moments, as a reader in another zone needs them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Invalid
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]


@pytest.fixture
def three(door: Door, tenant: Tenant, cli: Cli, clock: Any) -> list[str]:
    """Departments made at the end of a day, with it, and a moment after it began."""
    made = []
    for number, at in enumerate((
        datetime(2026, 11, 13, 22, 59, 59, 999999, tzinfo=UTC), datetime(2026, 11, 13, 23, tzinfo=UTC),
        datetime(2026, 11, 14, 0, 0, 0, 500000, tzinfo=UTC),
    )):
        clock.now = at
        row = door.perform(cli(tenant), "departments.create", {"slug": f"d{number}", "name": "Made"})
        made.append(f"department:{row.id}")
    return made


@pytest.mark.parametrize(("since", "until", "found"), [
    ("2026-11-13T23:00:00Z", "", [1, 2]), ("", "2026-11-13T23:00:00Z", [0]), ("2026-11-14", "", [2]),
    ("", "2026-11-13", [0, 1]), ("2026-11-13T23:00:00Z", "2026-11-14T00:00:00Z", [1]),
    ("2026-11-14T00:00:00Z", "2026-11-14", [2]), ("2026-11-14T00:00:01Z", "", []),
    ("2026-11-13T22:59:59Z", "", [0, 1, 2]),
])
def test_a_moment_is_the_first_that_counts_or_the_first_that_does_not(
    door: Door, tenant: Tenant, cli: Cli, three: list[str], since: str, until: str, found: list[int]
) -> None:
    asked = {"event": "department.created", "since": since, "until": until}
    page = door.perform(cli(tenant), "audit.list", asked)
    assert [row.target for row in reversed(page.rows)] == [three[number] for number in found]
    assert page.count == len(found)


@pytest.mark.parametrize("text", ["2026-11-14T00:00Z", "2026-11-14T00:00:00", "2026-11-14T00:00:00+01:00", "today",
                                  "2026-11-14 00:00:00Z", "2026-11-14T00:00:00.5Z"])
def test_any_other_form_is_refused(door: Door, standing: list[Tenant], cli: Cli, text: str) -> None:
    for field in ("since", "until"):
        with pytest.raises(Invalid):
            door.perform(cli(standing[0]), "audit.list", {field: text})
