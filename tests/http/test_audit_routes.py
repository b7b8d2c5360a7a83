"""Downloads of the audit log: whole, in its order, filtered as its page is, and for auditors alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.web import Site
from workreef_app.services.audit_review import feeding
from workreef_app.services.door import Caller, Door
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]


def test_a_feed_is_the_log_in_its_order_and_ends(
    site: Site, door: Door, tenant: Tenant, cli: Cli, person: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "PIECE", 3)
    for number in range(5):
        door.perform(cli(tenant), "departments.create", {"slug": f"d{number}", "name": "Made"})
    reader = person(tenant, ["security_reviewer"])
    last = door.perform(cli(tenant), "audit.list", {}).count
    answer = site.get(tenant, "/export/audit-events.ndjson", reader)
    assert answer.headers["content-type"] == "application/x-ndjson"
    told = [json.loads(line)["metadata"]["sequence"] for line in answer.text.splitlines()]
    assert told == list(range(1, last + 2)), "all that there was when it began, and the read of the list before it"
    some = site.get(tenant, "/export/audit-events.cef?event=department.created&after=3", reader).text.splitlines()
    assert len(some) == 5 - sum(row <= 3 for row in numbers(door, cli(tenant)))
    assert all("|department.created|" in line for line in some)


def numbers(door: Door, caller: Caller) -> list[int]:
    return [row.seq for row in door.perform(caller, "audit.list", {"event": "department.created"}).rows]


def test_a_feed_is_for_auditors_and_has_two_forms(
    site: Site, tenant: Tenant, person: Callable[..., Caller]
) -> None:
    reader = person(tenant, ["admin"])
    assert site.get(tenant, "/export/audit-events.pdf", reader).status_code == 404
    assert site.get(tenant, "/export/audit-events.cef?event=odd", reader).status_code == 422
    assert site.get(tenant, "/export/audit-events.cef", person(tenant, ["operator"])).status_code == 403
    assert site.get(tenant, "/export/audit-events.cef").status_code == 303
