"""The digest counts what the lists hold, and a contributor reads no number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import WrongPersona
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
DAY = 1440


def test_an_empty_tenant_has_an_empty_digest(door: Door, standing: list[Tenant], cli: Cli) -> None:
    digest = door.perform(cli(standing[1]), "digest.read", {})
    assert (digest.to_review, digest.to_pilot, digest.new_tasks, digest.tasks, digest.sources) == (0, 0, 0, 0, 0)
    assert (digest.opportunities, digest.as_of, digest.departments) == ([], None, [])


@pytest.fixture
def filled(tenant: Tenant, department: Any, import_lines: Any, line: Any) -> Tenant:
    for slug in ("claims", "yard"):
        department(tenant, slug)
    import_lines(tenant, [line(f"claim {n} was rejected", n * DAY) for n in range(10)], "claims")
    import_lines(tenant, [line(f"claim {n} was opened", n * DAY) for n in range(12)], "claims")
    import_lines(tenant, [line(f"gate {n} is stuck", n * DAY) for n in range(8)], "yard")
    return tenant


def test_every_number_is_that_of_a_list(door: Door, filled: Tenant, cli: Cli) -> None:
    for limited, tasks in (("", 3), ("claims", 2), ("yard", 1)):
        def count(slug: str = limited, **filters: Any) -> int:
            return int(door.perform(cli(filled), "proposals.list", {"department": slug, **filters}).count)

        digest = door.perform(cli(filled), "digest.read", {"department": limited})
        assert digest.tasks == count() == tasks
        assert digest.to_review == count(status="open")
        assert digest.to_pilot == count(status="open", recommendation="pilot")
        assert digest.new_tasks == count(since=digest.new_since.isoformat())
        assert len(digest.opportunities) == digest.tasks


def test_what_to_pilot_comes_before_what_measures_more(door: Door, filled: Tenant, cli: Cli) -> None:
    rows = door.perform(cli(filled), "digest.read", {}).opportunities
    assert [row.recommendation for row in rows] == ["pilot", "pilot", "later"]
    assert (rows[2].times, rows[2].days) > (rows[1].times, rows[1].days)
    assert [row.task_id for row in rows] == [row.task_id for row in door.perform(cli(filled), "tasks.list", {}).rows]


def test_what_is_settled_is_no_opportunity(door: Door, filled: Tenant, person: Any) -> None:
    leader = person(filled, ["change_leader"])
    before = door.perform(leader, "digest.read", {})
    chosen = before.opportunities[0]
    door.perform(leader, "proposals.decide", {"proposal_id": chosen.proposal_id, "choice": "accept"})
    after = door.perform(leader, "digest.read", {})
    assert chosen.task_id not in [row.task_id for row in after.opportunities]
    assert (after.to_review, after.tasks) == (before.to_review - 1, before.tasks)
    other = after.opportunities[0]
    door.perform(leader, "proposals.decide", {"proposal_id": other.proposal_id, "choice": "return", "reason": "Why?"})
    last = door.perform(leader, "digest.read", {})
    assert other.task_id in [row.task_id for row in last.opportunities]
    assert last.to_review == after.to_review - 1


def test_a_task_is_new_for_a_week(door: Door, filled: Tenant, cli: Cli, clock: Any) -> None:
    created = door.perform(cli(filled), "digest.read", {}).new_since + timedelta(days=7)
    assert created == clock.now


def test_tasks_are_no_longer_new_after_a_week(
    door: Door, tenant: Tenant, cli: Cli, clock: Any, import_lines: Any, line: Any
) -> None:
    import_lines(tenant, [line(f"disk {n} is full", n * DAY) for n in range(8)])
    clock.turn(days=7)
    assert door.perform(cli(tenant), "digest.read", {}).new_tasks == 1
    clock.turn(seconds=1)
    digest = door.perform(cli(tenant), "digest.read", {})
    assert (digest.new_tasks, digest.tasks) == (0, 1)


@pytest.mark.parametrize("persona", ["contributor", "security_reviewer"])
def test_the_digest_is_not_for_everybody(door: Door, tenant: Tenant, person: Any, persona: str) -> None:
    with pytest.raises(WrongPersona):
        door.perform(person(tenant, [persona], ["claims"]), "digest.read", {})


def test_a_contributor_reads_words_and_no_number(door: Door, tenant: Tenant, person: Any) -> None:
    said = door.perform(person(tenant, ["contributor"], ["claims"]), "my_work.read", {})
    text = " ".join([said.status, said.changes, said.ask]).replace(tenant.info.name, "")
    assert not any(character.isdigit() or character == "%" for character in text)
    assert all(part.endswith(".") for part in (said.status, said.changes, said.ask))


@pytest.mark.parametrize("persona", ["operator", "dept_lead", "change_leader", "admin", "security_reviewer"])
def test_my_work_is_for_contributors_only(door: Door, tenant: Tenant, person: Any, persona: str) -> None:
    with pytest.raises(WrongPersona):
        door.perform(person(tenant, [persona]), "my_work.read", {})
