"""An import that cannot be hurt, in short: the full form is `make soak`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.harness import World
from tests.chaos.imports import DEPARTMENT, SHORT, Case, played


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world for all cases: each sends a file of its own."""
    with World() as world:
        world.door.perform(world.admin, "departments.create", {"slug": DEPARTMENT, "name": "Claims"})
        yield world


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.name)
def test_each_line_is_counted_once(world: World, case: Case) -> None:
    assert played(world, case).outcome
