"""Filling the sample world through the ordinary operations, and doing it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workreef_app.demo import start
from workreef_app.demo.memory import Memory, remembered
from workreef_app.demo.world import TENANTS
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Persona
from workreef_app.services.tenancy.platform import Tenant


@pytest.fixture(scope="module")
def memory(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """What the first start remembers."""
    place: Path = tmp_path_factory.mktemp("demo")
    memory = remembered(place)
    start.fill(door, memory)
    return memory


def test_everybody_can_sign_in(door: Door, memory: Memory, browser: Callable[[Tenant], Caller]) -> None:
    for sample in TENANTS:
        visitor = browser(door.platform.tenant(sample.slug))
        for person in sample.people:
            known = memory.person(sample.slug, person.email)
            assert door.perform(visitor, "sessions.start", {"email": person.email, "password": known["password"]}).token


def test_every_persona_is_there(memory: Memory) -> None:
    assert {person.persona for person in TENANTS[0].people} == set(Persona)


def test_every_department_gets_pilots_and_health_data_stays_with_people(
    door: Door, memory: Memory, cli: Callable[[Tenant], Caller]
) -> None:
    for sample in TENANTS:
        for department in sample.departments:
            admin = cli(door.platform.tenant(sample.slug))
            found = door.perform(admin, "tasks.list", {"department": department.slug, "limit": 200})
            kinds = [row.recommendation.value for row in found.rows]
            assert kinds.count("pilot") >= 5
            assert "later" in kinds
            assert ("human_only" in kinds) == sample.hipaa


def test_a_second_start_makes_nothing_again(door: Door, memory: Memory, cli: Callable[[Tenant], Caller]) -> None:
    admin = cli(door.platform.tenant("harbor"))
    before = door.perform(admin, "audit.list", {}).count
    start.fill(door, remembered(memory.path.parent))
    assert door.perform(admin, "audit.list", {}).count == before + 1  # the first look itself


def test_the_tenants_are_marked_as_a_demo(door: Door, memory: Memory) -> None:
    found = {row.slug: (row.demo, row.hipaa) for row in door.platform.tenants()}
    assert found["health"] == (True, True)
    assert found["harbor"] == (True, False)
